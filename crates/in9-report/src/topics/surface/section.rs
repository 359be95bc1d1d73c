//! Levels, cells, pictures and tables of bias surfaces.

use super::{figures, pictures};
use crate::context::{Context, names};
use crate::error::Result;
use crate::page::{Block, Section};
use in9_analysis::output::Grid;
use in9_analysis::output::number::{percent_interval, points_interval};
use in9_analysis::probes::surface::Level;
use in9_analysis::probes::written::Surface;

/// Networks whose cells are drawn one by one.
const DRAWN: usize = 4;

/// The section, if the probe was run.
///
/// # Errors
/// If a picture cannot be encoded, or a data set that could be opened no longer can.
pub(crate) fn section(context: &Context) -> Result<Option<Section>> {
    let all: Vec<&Surface> = context.probes.surface.iter().map(|(_, s)| s).collect();
    if all.is_empty() {
        return Ok(None);
    }
    let main = context.main_dataset();
    let here: Vec<&Surface> = all.iter().copied().filter(|s| s.source.dataset == main).collect();
    let called = names(here.iter().map(|s| (s.source.model.as_str(), s.source.trained_on.as_str())));
    let mut blocks = Vec::new();
    if let Some(first) = here.first()
        && let Some(shown) = pictures::gallery(context, first)?
    {
        blocks.push(Block::Prose("One object along each axis, the other axes at their first level:".into()));
        blocks.push(shown);
    }
    for measure in figures::MEASURES {
        blocks.extend(Block::figure(
            figures::levels(measure, &here, &called),
            format!(
                "{} by level of each axis, averaged over the levels of the others. Whiskers: 95 % bands that hold for all \
                 levels together, by the bootstrap of their largest deviation over photographs.",
                capital(measure.axis)
            ),
        ));
    }
    for (probe, name) in here.iter().zip(&called).take(DRAWN) {
        let charts = figures::MEASURES.into_iter().filter_map(|measure| {
            let caption = format!(
                "{} in every cell, {name}: each of {} objects pasted in {} ways on two backgrounds. Down: where the object \
                 stands, and the longer side of its box as a share of the picture's. Across: width of the soft edge as \
                 such a share, and how near the background's colours are brought to the object's own.",
                capital(measure.axis),
                probe.all.photographs,
                probe.all.cells.len()
            );
            Block::figure(figures::cells(measure, probe, name), caption)
        });
        blocks.push(Block::Columns(charts.collect()));
    }
    blocks.push(Block::Table(levels(&all)));
    for probe in &all {
        let title =
            format!("By class: {} on {} {}", probe.source.model, probe.source.dataset, probe.source.split);
        blocks.push(Block::Details(title.clone(), vec![Block::Table(classes(context, probe, title))]));
    }
    Ok(Some(Section {
        id: "surface",
        title: "Bias surfaces".into(),
        lead: "Mixed pictures differ in more than their backgrounds: objects stand in different places, are large or small, \
               and look more or less at home. Here every object is pasted in every way of a grid, each time on a \
               background of its class and on a random one, so that every cell is about the same photographs. Where \
               accuracy or gap change along an axis, a network leans on it."
            .into(),
        blocks,
    }))
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The columns of [`figures_of`].
const FIGURES: [&str; 6] =
    ["axis", "level", "accuracy, random background %", "its change", "BG-gap", "its change"];

fn levels(probes: &[&Surface]) -> Grid {
    let header = [&["network", "tested on"], &FIGURES[..]].concat();
    let title = "Levels of each axis, and paired changes from its first (points, simultaneous 95 % bands)";
    let mut grid = Grid::new(title, &header);
    let called = names(probes.iter().map(|s| (s.source.model.as_str(), s.source.trained_on.as_str())));
    for (s, name) in probes.iter().zip(called) {
        for level in &s.all.levels {
            let about = [name.clone(), format!("{} {}", s.source.dataset, s.source.split)];
            grid.push(about.into_iter().chain(figures_of(level)).collect());
        }
    }
    grid
}

fn classes(context: &Context, probe: &Surface, title: String) -> Grid {
    let header = [&["class", "images"], &FIGURES[..]].concat();
    let mut grid = Grid::new(title + " (points, 95 % bands within a class)", &header);
    for (class, surface) in &probe.classes {
        let name =
            context.frame.classes.get(usize::from(*class)).cloned().unwrap_or_else(|| class.to_string());
        for level in &surface.levels {
            let about = [name.clone(), surface.photographs.to_string()];
            grid.push(about.into_iter().chain(figures_of(level)).collect());
        }
    }
    grid
}

/// Axis, level, accuracy with its change, gap with its change.
fn figures_of(level: &Level) -> [String; 6] {
    let change = level.change.as_ref();
    let print = |text: Option<String>| text.unwrap_or_else(|| "–".into());
    [
        level.axis.name().to_owned(),
        level.level.clone(),
        percent_interval(&level.point.rand),
        print(change.map(|change| points_interval(&change.rand))),
        points_interval(&level.point.gap),
        print(change.map(|change| points_interval(&change.gap))),
    ]
}
