//! `--weights`: a file, or the name of published weights.

use std::path::PathBuf;

use in9_models::registry::{Cache, DownloadProgress, Pretrained, find_pretrained};
use indicatif::{ProgressBar, ProgressStyle};

/// The file at `weights`, or, when there is none, the published weights of that name: `arch.tag`,
/// `arch`, or the tag alone after `--arch`.
pub(crate) fn resolve(arch: &str, weights: &str) -> anyhow::Result<PathBuf> {
    let path = PathBuf::from(weights);
    let looks_like_a_file = weights.contains(std::path::MAIN_SEPARATOR)
        || path.extension().is_some_and(|e| e == "pth" || e == "pt" || e == "safetensors");
    if path.exists() || looks_like_a_file {
        return Ok(path);
    }
    let named = find_pretrained(&format!("{arch}.{weights}")).or_else(|_| find_pretrained(weights))?;
    fetch(named, &Cache::of_user()?)
}

/// The checked file, downloaded with a progress bar if it is not in `cache`.
pub(crate) fn fetch(weights: &Pretrained, cache: &Cache) -> anyhow::Result<PathBuf> {
    let bar = ProgressBar::no_length().with_message(weights.name());
    let style = "{msg} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
    bar.set_style(ProgressStyle::with_template(style)?);
    let path = cache.fetch_telling(weights, &mut |step| match step {
        DownloadProgress::Waiting => {
            eprintln!("{}: another process downloads it; waiting for that", weights.name());
        }
        DownloadProgress::Bytes { done, total } => {
            if let Some(total) = total {
                bar.set_length(total);
            }
            bar.set_position(done);
        }
    });
    bar.finish_and_clear();
    Ok(path?)
}
