//! One photograph on every rung of the ladder.

use crate::context::{Context, TestSet};
use crate::error::Result;
use crate::page::pictures::data_address;
use crate::page::{Block, gallery, see};
use in9_analysis::metrics::LADDER;
use in9_base::rng;

/// The pictures, if the data set could be opened; the photograph is drawn by the report's seed, with an object that fills
/// neither little nor most of it.
pub(super) fn gallery(context: &Context, set: &TestSet<'_>) -> Result<Option<Block>> {
    let Some(test) = context.test_split(set.split)? else { return Ok(None) };
    if !test.split.has_layers() {
        return Ok(None);
    }
    let size = test.split.size();
    let fills = |i: &usize| f64::from(test.split.sample(*i).mask_area) / (size * size) as f64;
    let all: Vec<usize> = (0..test.split.len()).collect();
    let good: Vec<usize> = all.iter().copied().filter(|i| (0.12..0.4).contains(&fills(i))).collect();
    let from = if good.is_empty() { all } else { good };
    if from.is_empty() {
        return Ok(None);
    }
    let mut random = rng::stream(context.spec.seed, "pasting-example", 0, 0);
    let chosen = from[rng::below(&mut random, from.len() as u32) as usize];
    let mut items = Vec::new();
    for view in LADDER {
        let Some(rgb) = test.picture(view, chosen) else { continue };
        items.push(gallery::Item {
            picture: data_address(&rgb, size)?,
            caption: view.to_string(),
            see: Some(see::photograph(set.dataset, set.split, &test.split.sample(chosen).id)),
        });
    }
    gallery::block(items, size)
}
