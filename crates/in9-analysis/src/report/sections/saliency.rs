//! Saliency: Figure 6 as pictures, and measured against the true masks.

use crate::error::{Error, Result};
use crate::output::Grid;
use crate::output::number::{percent, percent_interval, points_interval};
use crate::plot::{Lines, Series};
use crate::probes::saliency::Method;
use crate::probes::saliency::summary::{MeanCurves, MethodSummary};
use crate::probes::saliency::write::read_masses;
use crate::report::block::{Block, Section};
use crate::report::context::Context;
use crate::report::pictures::base64;
use crate::report::probes::Saliency;
use crate::report::sections::gallery::Item;
use crate::stats::Interval;
use askama::Template;
use std::path::{Path, PathBuf};

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
            "Share of the map on the foreground: mixed-rand-trained minus original-trained, paired by image (points)",
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
        lead: "Saliency maps of each image's true class, measured against its true foreground. A map that \
               knows nothing has on average the foreground's share of the area on it, a lift of zero, and as much in \
               the pointing game (without tolerance); one that is the same everywhere has it as its IoU. Empty maps \
               are left out of the means. Deletion and insertion areas are those under the curves of the class's \
               probability. At a tap right before a global mean, the default of most networks, Grad-CAM and HiResCAM \
               are one map."
            .into(),
        blocks,
    }))
}

fn measures(context: &Context, wanted: impl Fn(&Saliency) -> bool) -> Grid {
    let header = [
        "tested on",
        "trained on",
        "method",
        "tap",
        "images",
        "empty maps",
        "foreground area %",
        "mass on foreground %",
        "lift (points)",
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
                s.source.trained_on.clone(),
                m.method.name().into(),
                tap(s, m).unwrap_or("–").to_owned(),
                m.images.to_string(),
                m.empty.to_string(),
                m.area.map_or("–".into(), |a| percent(a.value)),
                percent_interval(&m.mass),
                points_interval(&m.lift),
                percent_interval(&m.pointing),
                percent_interval(&m.iou),
                curve(m.deletion),
                curve(m.insertion),
            ]);
        }
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

/// Mean deletion and insertion curves on the main data set, one pair of charts a network.
fn curves(context: &Context) -> Vec<Block> {
    let main = context.main_dataset();
    let mut charts = Vec::new();
    for (_, s) in context.probes.saliency.iter().filter(|(_, s)| s.source.dataset == main) {
        for (what, pick) in [
            ("Deletion", (|c| &c.deletion) as fn(&MeanCurves) -> &Vec<Interval>),
            ("Insertion", |c| &c.insertion),
        ] {
            let series: Vec<Series> = s
                .methods
                .iter()
                .filter_map(|m| {
                    let curve = pick(m.curves.as_ref()?);
                    let steps = curve.len().saturating_sub(1).max(1) as f64;
                    let points = curve.iter().enumerate();
                    let points = points.map(|(i, y)| (100.0 * i as f64 / steps, y.scaled(100.0)));
                    let name = match tap(s, m) {
                        Some(tap) => format!("{} at {tap}", m.method.name()),
                        None => m.method.name().to_owned(),
                    };
                    Some(Series { name, points: points.collect(), marked: false })
                })
                .collect();
            if series.is_empty() {
                continue;
            }
            let chart = Lines {
                label: format!("{what} curves, trained on {}", s.source.trained_on),
                x_axis: "most salient pixels (%)".into(),
                y_axis: "mean probability of the class (%)".into(),
                series,
                range: Some((0.0, 100.0)),
                logarithmic: false,
                own_ticks: false,
            };
            let done = if what == "Deletion" { "painted grey" } else { "put back into the blurred picture" };
            charts.push(Block::figure(
                chart.svg(),
                format!(
                    "{what}, network trained on {}: pixels {done}, most salient first.",
                    s.source.trained_on
                ),
            ));
        }
    }
    charts
}

/// Tap of a method's maps; `None` for a method without. Runs that name one tap for all leave the methods' own out.
fn tap<'a>(s: &'a Saliency, m: &'a MethodSummary) -> Option<&'a str> {
    m.method.at_tap().then_some(if m.tap.is_empty() { s.tap.as_str() } else { m.tap.as_str() })
}

/// Mixed-rand-trained minus original-trained on the main data set, for each method and tap of both.
pub(crate) fn differences(context: &Context) -> Result<Vec<(String, Interval)>> {
    let main = context.main_dataset();
    let of = |trained: &'static str| {
        let here = context
            .probes
            .saliency
            .iter()
            .filter(move |(_, s)| s.source.dataset == main && s.source.trained_on == trained);
        here.flat_map(|(folder, s)| s.methods.iter().map(move |m| (folder, s, m)))
    };
    let mut found: Vec<(String, Interval)> = Vec::new();
    for (folder, s, m) in of("original") {
        let label = match tap(s, m) {
            Some(tap) => format!("{} at {tap}", m.method.name()),
            None => m.method.name().to_owned(),
        };
        let alike = |(_, t, n): &(&PathBuf, &Saliency, &MethodSummary)| {
            (n.method, tap(t, n), t.view, &t.source.split) == (m.method, tap(s, m), s.view, &s.source.split)
        };
        let Some((other, _, n)) = of("mixed-rand").find(alike) else { continue };
        if found.iter().any(|(known, _)| *known == label) {
            continue;
        }
        let mixed = read_masses(&other.join("maps.csv"), n.method, &n.tap)?;
        let original = read_masses(&folder.join("maps.csv"), m.method, &m.tap)?;
        let apart = context.bootstrap.paired("saliency", &mixed, &original);
        found.extend(apart.map(|interval| (label, interval)));
    }
    Ok(found)
}

#[derive(Template)]
#[template(path = "overlays.html")]
struct Page {
    methods: Vec<&'static str>,
    networks: Vec<String>,
    rows: Vec<Vec<Item>>,
}

/// Overlays that the probes kept: one row a photograph, each network's maps side by side.
fn pictures(context: &Context) -> Result<Option<Block>> {
    let main = context.main_dataset();
    let probes: Vec<_> = context.probes.saliency.iter().filter(|(_, s)| s.source.dataset == main).collect();
    let Some((first, _)) = probes.first() else { return Ok(None) };
    let used = |m: &Method| probes.iter().any(|(_, s)| s.methods.iter().any(|k| k.method == *m));
    let methods: Vec<Method> = Method::ALL.into_iter().filter(used).collect();
    let mut rows = Vec::new();
    for photo in overlays(first, "photo")? {
        let Some(stem) = photo.strip_suffix("-photo.png") else { continue };
        let mut row = vec![cell(first, &photo, "photograph".into())?];
        for method in &methods {
            for (folder, s) in &probes {
                let caption = format!("{}, trained on {}", method.name(), s.source.trained_on);
                row.push(cell(folder, &format!("{stem}-{}.png", method.name()), caption)?);
            }
        }
        rows.push(row);
    }
    if rows.is_empty() {
        return Ok(None);
    }
    let page = Page {
        methods: methods.iter().map(|m| m.name()).collect(),
        networks: probes.iter().map(|(_, s)| s.source.trained_on.clone()).collect(),
        rows,
    };
    Ok(Some(Block::Html(page.render()?)))
}

/// A kept picture; without an address if there is none.
fn cell(folder: &Path, name: &str, caption: String) -> Result<Item> {
    let path = folder.join("overlays").join(name);
    let picture = if path.is_file() { address(&path)? } else { String::new() };
    Ok(Item { picture, caption })
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
