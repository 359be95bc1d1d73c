//! Objects cut out by the masks of each source.

use super::called;
use crate::error::Result;
use crate::page::{Block, rows, see};
use in9_analysis::probes::mask_sources::{Shown, picture_name};
use in9_analysis::probes::written::MaskSources;
use std::path::Path;

/// Pictures that the probe kept: one row a photograph, its object cut out by each source.
pub(super) fn pictures(folder: &Path, probe: &MaskSources) -> Result<Option<Block>> {
    let mut all = Vec::new();
    for stem in rows::stems(&folder.join("pictures"), "photo")? {
        let Ok(number) = stem.parse() else { continue };
        let kept = |shown, caption| rows::kept(&folder.join(picture_name(number, shown)), caption);
        let mut own = kept(Shown::Photograph, "photograph".into())?;
        own.see = Some(see::numbered(&probe.source.dataset, &probe.source.split, number));
        let mut row = vec![own];
        for (source, name) in called(probe).into_iter().enumerate() {
            row.push(kept(Shown::Source(source), name)?);
        }
        all.push(row);
    }
    rows::block(
        all,
        "The same object by the masks of each source, all on the background that mixed-rand gives it.",
    )
}
