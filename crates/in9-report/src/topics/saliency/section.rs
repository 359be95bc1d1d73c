//! Saliency: Figure 6 as pictures, and measured against the true masks.

use super::difference::differences;
use super::figure::curves;
use super::overlays::pictures;
use super::tap;
use crate::context::Context;
use crate::error::Result;
use crate::page::{Block, Section};
use in9_analysis::output::Grid;
use in9_analysis::output::number::{percent, percent_interval, points_interval};
use in9_analysis::probes::written::{Nulls, Saliency};
use in9_analysis::stats::Interval;

/// The section, if the probe was run.
pub(crate) fn section(context: &Context) -> Result<Option<Section>> {
    if context.probes.saliency.is_empty() {
        return Ok(None);
    }
    let main = context.main_dataset();
    let here = |s: &Saliency| s.source.dataset == main;
    let table = measures(context, here);
    // Only other data sets may have been probed.
    let mut blocks: Vec<Block> =
        (!table.rows.is_empty()).then_some(Block::Table(table)).into_iter().collect();
    let differences = differences(context)?;
    if !differences.is_empty() {
        let mut grid = Grid::new(
            "Share of the map on the foreground beyond others: mixed-rand-trained minus original-trained, paired by image (points)",
            &["method", "difference"],
        );
        for (method, interval) in differences {
            grid.push(vec![method, points_interval(&interval)]);
        }
        blocks.push(Block::Table(grid));
    }
    let charts = curves(context);
    if !charts.is_empty() {
        blocks.push(Block::Columns(charts));
    }
    blocks.extend(pictures(context)?);
    let others = measures(context, |s| !here(s));
    match (others.rows.is_empty(), blocks.is_empty()) {
        (true, _) => {}
        (false, true) => blocks.push(Block::Table(others)),
        (false, false) => {
            blocks.push(Block::Details("The same on the other data sets".into(), vec![Block::Table(others)]))
        }
    }
    Ok(Some(Section {
        id: "saliency",
        title: "Where the networks look".into(),
        lead: "Saliency maps of each image's true class, measured against its true foreground. What an uninformative \
               map reaches depends on the foreground's share of the image: a random map has that share of its mass \
               on the foreground (a lift of zero) and that chance in the pointing game (without tolerance), and a \
               uniform map has it as its IoU. But objects stand near the middle, and so may maps: what a map has on its own \
               photograph's object beyond what it has on the objects of the other photographs (beyond others) is what it \
               knows of its photograph; a map that is the same for every photograph has 0. Empty maps are left out of the means. Deletion and insertion areas are \
               the areas under the curve of the true class's probability. Where the maps are those of the last layer \
               before a global average, as by default in most networks, Grad-CAM and HiResCAM give the same map. Attention \
               rollout, of transformers, follows what tokens attend to through all blocks; it asks about no class."
            .into(),
        blocks,
    }))
}

/// What maps show that know nothing of their photograph, as rows of the table of measures.
fn null_rows(s: &Saliency, nulls: &Nulls) -> Vec<Vec<String>> {
    let row = |method: &str, lift: String, beyond: String, pointing: String| {
        let mut row = vec![
            format!("{} {}", s.source.dataset, s.source.split),
            s.source.model.clone(),
            s.source.trained_on.clone(),
            method.to_owned(),
        ];
        row.extend(["–", "–", "–", "–", "–"].map(str::to_owned));
        row.extend([lift, beyond, pointing]);
        row.extend(["–", "–", "–"].map(str::to_owned));
        row
    };
    let mut rows = vec![row(
        "none: a bright middle",
        points_interval(&nulls.centre_lift),
        points_interval(&nulls.centre_beyond),
        percent_interval(&nulls.centre_pointing),
    )];
    rows.extend(
        nulls
            .random_weights
            .map(|i| row("Grad-CAM, random weights", "–".into(), points_interval(&i), "–".into())),
    );
    rows
}

fn measures(context: &Context, wanted: impl Fn(&Saliency) -> bool) -> Grid {
    let header = [
        "tested on",
        "model",
        "trained on",
        "method",
        "layer",
        "images",
        "empty maps",
        "foreground area %",
        "mass on foreground %",
        "lift over area (points)",
        "beyond others (points)",
        "pointing game %",
        "best IoU %",
        "deletion area % ↓",
        "insertion area % ↑",
    ];
    let mut grid = Grid::new("Means over images with 95 % bootstrap intervals", &header);
    for (_, s) in context.probes.saliency.iter().filter(|(_, s)| wanted(s)) {
        for m in &s.methods {
            let curve = |i: Option<Interval>| i.map_or("–".into(), |i| percent_interval(&i));
            grid.push(vec![
                format!("{} {}", s.source.dataset, s.source.split),
                s.source.model.clone(),
                s.source.trained_on.clone(),
                m.method.name().into(),
                tap(s, m).unwrap_or("–").to_owned(),
                m.images.to_string(),
                m.empty.to_string(),
                m.area.map_or("–".into(), |a| percent(a.value)),
                percent_interval(&m.mass),
                points_interval(&m.lift),
                m.beyond.map_or("–".into(), |i| points_interval(&i)),
                percent_interval(&m.pointing),
                percent_interval(&m.iou),
                curve(m.deletion),
                curve(m.insertion),
            ]);
        }
        grid.rows.extend(s.nulls.iter().flat_map(|nulls| null_rows(s, nulls)));
    }
    // One test set for all is said once.
    if let Some(first) = grid.rows.first().map(|row| row[0].clone())
        && grid.rows.iter().all(|row| row[0] == first)
    {
        grid.title = format!("On {first}: means over images with 95 % bootstrap intervals");
        grid.header.remove(0);
        grid.rows.iter_mut().for_each(|row| drop(row.remove(0)));
    }
    grid
}
