//! Embeddings of pictures and of their parts, over a split.

use super::embedder::Embedder;
use super::parts::Parts;
use crate::error::Result;
use crate::probes::classifier::Pictures;
use crate::probes::scenes::Scenes;
use in9_data::View;

/// Photographs whose embeddings give the mean that R² is beside; that it is a mean of so many adds a five-hundredth to the
/// spread.
const MEAN_OF: usize = 512;

/// Which picture of each photograph is divided.
#[derive(Debug, Clone, Copy)]
pub struct Pixels<'a> {
    /// A view that shows the object on a background.
    pub view: View,
    /// For each photograph of the split the one that lends its background; its own in [`View::Original`].
    pub backgrounds: &'a [u32],
}

/// What each layer makes of a photograph.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageParts {
    /// Index of the photograph.
    pub image: u32,
    /// By layer.
    pub layers: Vec<Parts>,
}

/// The parts of `images`, and the channels of each layer; `batch` pictures a pass change nothing but speed.
///
/// # Errors
/// If the encoder fails.
pub fn run(
    scenes: &dyn Scenes,
    embedder: &dyn Embedder,
    images: &[u32],
    pixels: Pixels<'_>,
    batch: usize,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<(Vec<usize>, Vec<ImageParts>)> {
    let size = scenes.size();
    let mut black = Pictures::empty(size);
    black.push_rgb(&vec![0; 3 * size * size]);
    let empty = embedder.embed(&black)?;
    let widths: Vec<usize> = empty.iter().map(Vec::len).collect();
    let means = means(scenes, embedder, images, pixels, batch, &widths)?;
    let mut all = Vec::with_capacity(images.len());
    for chunk in images.chunks((batch / 3).max(1)) {
        let mut pictures = Pictures::empty(size);
        for &image in chunk {
            for part in parts(scenes, image, pixels) {
                pictures.push_rgb(&part);
            }
        }
        let found = embedder.embed(&pictures)?;
        for (at, &image) in chunk.iter().enumerate() {
            let layers = found.iter().zip(&widths).zip(empty.iter().zip(&means)).map(
                |((values, &width), (empty, mean))| {
                    let [both, f, b] =
                        [0, 1, 2].map(|k| &values[(3 * at + k) * width..(3 * at + k + 1) * width]);
                    Parts::of(both, f, b, empty, mean)
                },
            );
            all.push(ImageParts { image, layers: layers.collect() });
        }
        progress(all.len(), images.len());
    }
    Ok((widths, all))
}

/// The mean embedding of whole pictures, by layer.
fn means(
    scenes: &dyn Scenes,
    embedder: &dyn Embedder,
    images: &[u32],
    pixels: Pixels<'_>,
    batch: usize,
    widths: &[usize],
) -> Result<Vec<Vec<f32>>> {
    // Spread over the split, whose photographs may stand by class.
    let step = images.len().div_ceil(MEAN_OF).max(1);
    let some: Vec<u32> = images.iter().copied().step_by(step).collect();
    let mut sums: Vec<Vec<f64>> = widths.iter().map(|&width| vec![0.0; width]).collect();
    for chunk in some.chunks(batch.max(1)) {
        let mut pictures = Pictures::empty(scenes.size());
        for &image in chunk {
            pictures.push_rgb(&whole(scenes, image, pixels));
        }
        for (sum, values) in sums.iter_mut().zip(embedder.embed(&pictures)?) {
            for row in values.chunks_exact(sum.len().max(1)) {
                sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += f64::from(*value));
            }
        }
    }
    let mean = |sum: Vec<f64>| sum.into_iter().map(|sum| (sum / some.len() as f64) as f32).collect();
    Ok(sums.into_iter().map(mean).collect())
}

fn whole(scenes: &dyn Scenes, image: u32, pixels: Pixels<'_>) -> Vec<u8> {
    let (size, image) = (scenes.size(), image as usize);
    let mut rgb = vec![0; 3 * size * size];
    scenes.compose(pixels.view, image, pixels.backgrounds[image] as usize, &mut rgb);
    rgb
}

/// The picture, its object's pixels alone, and the others alone.
fn parts(scenes: &dyn Scenes, image: u32, pixels: Pixels<'_>) -> [Vec<u8>; 3] {
    let both = whole(scenes, image, pixels);
    let (mut foreground, mut background) = (both.clone(), both.clone());
    for (at, object) in scenes.mask(image as usize).into_iter().enumerate() {
        let absent = if object { &mut background } else { &mut foreground };
        absent[3 * at..3 * at + 3].fill(0);
    }
    [both, foreground, background]
}
