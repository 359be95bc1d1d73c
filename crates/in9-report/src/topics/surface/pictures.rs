//! One photograph pasted in each way that an axis knows.

use crate::context::Context;
use crate::error::Result;
use crate::page::pictures::data_address;
use crate::page::{Block, gallery, see};
use in9_analysis::probes::surface::{Axis, Cell};
use in9_analysis::probes::written::Surface;
use in9_base::rng;
use in9_data::{Split, View};

/// The pictures, if the data set could be opened: each level of each axis, the other axes at their first.
pub(super) fn gallery(context: &Context, probe: &Surface) -> Result<Option<Block>> {
    let (dataset, split) = (probe.source.dataset.as_str(), probe.source.split.as_str());
    let loaded = context.datasets.iter().find(|loaded| loaded.entry.name == dataset);
    let Some(test) = loaded.map(|loaded| loaded.test_split(split)).transpose()?.flatten() else {
        return Ok(None);
    };
    let Some(random) = test.pairings.get(&View::MixedRand) else { return Ok(None) };
    let size = Split::size(&test.split);
    let seen_well = |i: &usize| {
        (0.05..0.35).contains(&(f64::from(test.split.sample(*i).mask_area) / (size * size) as f64))
    };
    let good: Vec<usize> = (0..test.split.len()).filter(seen_well).collect();
    if good.is_empty() {
        return Ok(None);
    }
    let mut drawn = rng::stream(context.spec.seed, "surface-example", 0, 0);
    let chosen = good[rng::below(&mut drawn, good.len() as u32) as usize];
    let sample = test.split.sample(chosen);
    let behind = test.split.layers(random.0[chosen] as usize).tiled;
    let mut items = Vec::new();
    for (axis, cell) in ways(probe) {
        let mut rgb = vec![0; size * size * 3];
        in9_data::paste(
            &cell.paste(&sample.id, probe.seed),
            &test.split.layers(chosen),
            behind,
            size,
            &mut rgb,
        );
        items.push(gallery::Item {
            picture: data_address(&rgb, size)?,
            caption: axis.map_or("as mixed-rand shows it".into(), |axis| {
                super::figures::name(axis, &cell.level(axis))
            }),
            see: Some(see::photograph(dataset, split, &sample.id)),
        });
    }
    gallery::block(items, size)
}

/// The first cell, then those that differ from it along one axis, with this axis.
fn ways(probe: &Surface) -> Vec<(Option<Axis>, Cell)> {
    let cells: Vec<Cell> = probe.all.cells.iter().map(|(cell, _)| *cell).collect();
    let Some(&first) = cells.first() else { return Vec::new() };
    let differing = |cell: &Cell| -> Vec<Axis> {
        Axis::ALL.into_iter().filter(|axis| cell.level(*axis) != first.level(*axis)).collect()
    };
    let along = |axis: Axis| {
        let cells = cells.iter().copied();
        cells.filter(move |cell| differing(cell) == [axis]).map(move |cell| (Some(axis), cell))
    };
    [(None, first)].into_iter().chain(Axis::ALL.into_iter().flat_map(along)).collect()
}
