//! A small toy world on disk, as a dataset.

use std::path::{Path, PathBuf};

use in9_data::{BuildConfig, MaskSource, SourceKind, build};
use in9_toy::WorldConfig;

/// Renders a world into `toy` of `folder`, and builds the dataset `small-toy` of 32-pixel pictures there, `holdout` of whose
/// training photographs are split `val`.
pub(crate) fn dataset(folder: &Path, world: &WorldConfig, holdout: f64) -> PathBuf {
    let (photographs, out) = (folder.join("toy"), folder.join("small-toy"));
    in9_toy::render(world, &photographs, &|_, _| {}).unwrap();
    let config = BuildConfig {
        size: 32,
        masks: MaskSource::Exact,
        holdout,
        ..BuildConfig::new(SourceKind::Toy, &photographs, &out)
    };
    build(&config, &|_| {}).unwrap();
    out
}
