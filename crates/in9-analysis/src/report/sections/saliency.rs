//! Saliency: Figure 6 as pictures, and measured against the true masks.

use crate::error::{Error, Result};
use crate::output::Grid;
use crate::output::number::{percent_interval, points_interval};
use crate::probes::saliency::Method;
use crate::probes::saliency::summary::mass_difference;
use crate::probes::saliency::write::read_masses;
use crate::report::block::{Block, Section};
use crate::report::context::Context;
use crate::report::pictures::base64;
use crate::report::sections::gallery::{self, Item};
use crate::stats::Interval;
use std::path::Path;

/// The section, if the probe was run.
pub(crate) fn section(context: &Context) -> Result<Option<Section>> {
    if context.probes.saliency.is_empty() {
        return Ok(None);
    }
    let mut blocks = vec![Block::Table(measures(context))];
    let differences = differences(context)?;
    if !differences.is_empty() {
        let mut grid = Grid::new(
            "Share of the map on the foreground: mixed-rand-trained minus original-trained, paired by image (points)",
            &["method", "difference"],
        );
        for (method, interval) in differences {
            grid.push(vec![method.name().into(), points_interval(&interval)]);
        }
        blocks.push(Block::Table(grid));
    }
    blocks.extend(pictures(context)?);
    Ok(Some(Section {
        id: "saliency",
        title: "Where the networks look".into(),
        lead: "Saliency maps of each image's true class, measured against its true foreground. A map that \
               knows nothing has on average the foreground's share of the area on it: a lift of zero."
            .into(),
        blocks,
    }))
}

fn measures(context: &Context) -> Grid {
    let header = [
        "network",
        "method",
        "images",
        "mass on foreground %",
        "lift (points)",
        "pointing game %",
        "best IoU %",
        "deletion ↓",
        "insertion ↑",
    ];
    let mut grid = Grid::new("Means over images with 95 % bootstrap intervals", &header);
    for (_, s) in &context.probes.saliency {
        for m in &s.methods {
            let curve = |i: Option<Interval>| i.map_or("–".into(), |i| percent_interval(&i));
            grid.push(vec![
                s.source.trained_on.clone(),
                m.method.name().into(),
                m.images.to_string(),
                percent_interval(&m.mass),
                points_interval(&m.lift),
                percent_interval(&m.pointing),
                percent_interval(&m.iou),
                curve(m.deletion),
                curve(m.insertion),
            ]);
        }
    }
    grid
}

/// Mixed-rand-trained minus original-trained on the main data set, for each method of both.
pub(crate) fn differences(context: &Context) -> Result<Vec<(Method, Interval)>> {
    let main = context.main_dataset();
    let of = |trained: &str| {
        let mut all = context.probes.saliency.iter();
        all.find(|(_, s)| s.source.dataset == main && s.source.trained_on == trained)
    };
    let (Some((a, _)), Some((b, _))) = (of("mixed-rand"), of("original")) else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    for method in Method::ALL {
        let first = read_masses(&a.join("maps.csv"), method)?;
        let second = read_masses(&b.join("maps.csv"), method)?;
        if let Some(interval) = mass_difference(&first, &second, &context.bootstrap) {
            found.push((method, interval));
        }
    }
    Ok(found)
}

/// Overlays that the probes kept: photograph, then each network's map.
fn pictures(context: &Context) -> Result<Option<Block>> {
    let Some((first, source)) = context.probes.saliency.first() else { return Ok(None) };
    let mut items = Vec::new();
    for photo in overlays(first, "photo")? {
        let Some(stem) = photo.strip_suffix("-photo.png") else { continue };
        items.push(Item {
            picture: address(&first.join("overlays").join(&photo))?,
            caption: "photograph".into(),
        });
        for (folder, s) in &context.probes.saliency {
            if s.source.dataset != source.source.dataset {
                continue;
            }
            for m in &s.methods {
                let path = folder.join("overlays").join(format!("{stem}-{}.png", m.method.name()));
                if path.is_file() {
                    let caption = format!("{}, trained on {}", m.method.name(), s.source.trained_on);
                    items.push(Item { picture: address(&path)?, caption });
                }
            }
        }
    }
    // Kept overlays are as small as the photographs of small data sets; hard edges suit both.
    gallery::block(items, 1)
}

fn overlays(folder: &Path, what: &str) -> Result<Vec<String>> {
    let dir = folder.join("overlays");
    if !dir.is_dir() {
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&dir).map_err(Error::io(&dir))? {
        let name = entry.map_err(Error::io(&dir))?.file_name().to_string_lossy().into_owned();
        if name.ends_with(&format!("-{what}.png")) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

fn address(path: &Path) -> Result<String> {
    let bytes = std::fs::read(path).map_err(Error::io(path))?;
    Ok(format!("data:image/png;base64,{}", base64(&bytes)))
}
