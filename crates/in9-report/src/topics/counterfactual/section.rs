//! Counterfactual attribution: reliance as a graded quantity.

use crate::context::{Context, names};
use crate::error::Result;
use crate::page::{Block, Section, see};
use crate::plot::{Bar, Bars, Group, Histogram, Width};
use in9_analysis::output::Grid;
use in9_analysis::output::number::{percent_interval, points_interval};
use in9_analysis::probes::counterfactual::{LEAST_TOTAL, read_effects};
use in9_analysis::probes::written::Counterfactual;
use std::path::Path;

/// The section, if the probe was run.
pub(crate) fn section(context: &Context) -> Result<Option<Section>> {
    let main = context.main_dataset();
    let all: Vec<&Counterfactual> = context.probes.counterfactual.iter().map(|(_, s)| s).collect();
    if all.is_empty() {
        return Ok(None);
    }
    let here: Vec<&Counterfactual> = all.iter().copied().filter(|s| s.source.dataset == main).collect();
    let mut blocks = Vec::new();
    if !here.is_empty() {
        let called = names(here.iter().map(|s| (s.source.model.as_str(), s.source.trained_on.as_str())));
        blocks.extend(Block::figure(
            by_class(context, &here, &called),
            "Reliance on the background by class, one colour a network: the background's share of the score that \
             foreground and background contribute together. Whiskers: 95 % bootstrap over images, given their partners. \
             A class without a bar has too small a total contribution for a share.",
        ));
        let folders = context.probes.counterfactual.iter().filter(|(_, s)| s.source.dataset == main);
        let charts =
            folders.zip(&called).filter_map(|((folder, s), name)| images(folder, s, name).transpose());
        let charts: Vec<Block> = charts.collect::<Result<_>>()?;
        if !charts.is_empty() {
            blocks.push(Block::Columns(charts));
        }
        let of = |s: &&Counterfactual| {
            (see::leaning(main, &s.source.split, &s.source.model), s.source.model.clone())
        };
        blocks.push(see::block("Photographs by how much their background helps:", here.iter().map(of))?);
    }
    blocks.push(Block::Table(table(&all)));
    Ok(Some(Section {
        id: "counterfactual",
        title: "Counterfactual attribution".into(),
        lead: "Each image starts as its object on its own tiled background. Its foreground, its background, or both are \
               replaced by those of images of other classes, and the loss in its class's score is divided between \
               foreground and background by their Shapley values. Reliance is the background's share of that loss: \
               0 if only foregrounds matter, 100 % if only backgrounds do."
            .into(),
        blocks,
    }))
}

/// Reliance image by image; `None` where an earlier version did not write it.
fn images(folder: &Path, s: &Counterfactual, name: &str) -> Result<Option<Block>> {
    let values: Vec<f64> = read_effects(folder)?.into_iter().filter_map(|e| e.reliance).collect();
    if values.is_empty() {
        return Ok(None);
    }
    // Where the two effects work against each other the share leaves 0 to 100; the ends hold those.
    let shown: Vec<f64> = values.iter().map(|r| 100.0 * r.clamp(-0.5, 1.5)).collect();
    let svg = Histogram {
        label: format!("reliance image by image, {name}"),
        x_axis: "reliance of an image (%)".into(),
        y_axis: "images".into(),
        values: shown,
        bins: 30,
        width: Width::Half,
    };
    Ok(Block::figure(
        svg.svg(),
        format!(
            "Reliance image by image, {name}: how many of {} of {} images, those whose total effect is {} points at \
             least, have which share. Shares below −50 or above 150 % stand at the ends.",
            values.len(),
            s.mean.images,
            100.0 * LEAST_TOTAL
        ),
    ))
}

fn by_class(context: &Context, probes: &[&Counterfactual], names: &[String]) -> Option<String> {
    let groups = context.frame.classes.iter().enumerate().map(|(class, name)| Group {
        label: name.clone(),
        bars: probes
            .iter()
            .enumerate()
            .filter_map(|(series, s)| {
                let (_, mean) = s.classes.iter().find(|(c, _)| usize::from(*c) == class)?;
                let interval = mean.settled_reliance()?.scaled(100.0);
                Some(Bar { series, interval, published: None, balanced: None })
            })
            .collect(),
    });
    Bars {
        label: "reliance on the background by class".into(),
        axis: "reliance on background (%)".into(),
        series: names.to_vec(),
        groups: groups.collect(),
        level: None,
        range: None,
        width: Width::Full,
    }
    .svg()
}

fn table(probes: &[&Counterfactual]) -> Grid {
    let header = [
        "model",
        "trained on",
        "tested on",
        "images",
        "partners",
        "background effect",
        "foreground effect",
        "interaction",
        "reliance %",
    ];
    let mut grid = Grid::new("Mean effects on the score of the true class, in points", &header);
    for s in probes {
        let m = &s.mean;
        grid.push(vec![
            s.source.model.clone(),
            s.source.trained_on.clone(),
            format!("{} {}", s.source.dataset, s.source.split),
            m.images.to_string(),
            s.partners.to_string(),
            points_interval(&m.background),
            points_interval(&m.foreground),
            points_interval(&m.interaction),
            m.settled_reliance().map_or("–".into(), |r| percent_interval(&r)),
        ]);
    }
    grid
}
