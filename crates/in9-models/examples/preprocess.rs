//! Photographs to a network's input, as an array for any framework.
//!
//!     cargo run --release -p in9-models --example preprocess -- tf_efficientnet_lite0.pypi x.npy *.JPEG
//!
//! The first argument names published weights (`in9-models list`), whose preprocessing is used.

use std::path::Path;

use anyhow::{Context, bail};
use in9_models::npy;
use in9_models::preprocess::Rgb;
use in9_models::registry::find_pretrained;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [weights, output, photographs @ ..] = arguments.as_slice() else {
        bail!("usage: preprocess ARCH.TAG OUTPUT.npy PHOTOGRAPH…");
    };
    let preprocessing = find_pretrained(weights)?.preprocessing;
    let mut values = Vec::new();
    for path in photographs {
        let photo = image::open(path).with_context(|| path.clone())?.into_rgb8();
        let (width, height) = (photo.width() as usize, photo.height() as usize);
        let square = preprocessing.square(&Rgb::new(width, height, photo.into_raw())?);
        values.extend(preprocessing.normalise(&square));
    }
    let side = preprocessing.size;
    npy::write(Path::new(output), &[photographs.len(), 3, side, side], &values)?;
    Ok(())
}
