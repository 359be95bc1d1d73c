//! Counterfactual attribution: reliance as a graded quantity.

use crate::output::Grid;
use crate::output::number::{percent_interval, points_interval};
use crate::plot::{Bar, Bars, Group};
use crate::report::block::{Block, Section};
use crate::report::context::Context;
use crate::report::probes::Counterfactual;

/// The section, if the probe was run.
pub(crate) fn section(context: &Context) -> Option<Section> {
    let main = context.main_dataset();
    let all: Vec<&Counterfactual> = context.probes.counterfactual.iter().map(|(_, s)| s).collect();
    if all.is_empty() {
        return None;
    }
    let here: Vec<&Counterfactual> = all.iter().copied().filter(|s| s.source.dataset == main).collect();
    let mut blocks = Vec::new();
    if !here.is_empty() {
        blocks.push(Block::figure(
            by_class(context, &here),
            "Reliance on the background by class: its share of the score that foreground and background \
             bring together. Whiskers: 95 % bootstrap over images.",
        ));
    }
    blocks.push(Block::Table(table(&all)));
    Some(Section {
        id: "counterfactual",
        title: "Reliance as a quantity".into(),
        lead: "Foreground and background of each image are swapped for those of partners of other classes; \
               what the score of its class loses is shared between the two by their Shapley values. \
               Reliance is the background's share: 0 if only foregrounds count, 100 % if only backgrounds do."
            .into(),
        blocks,
    })
}

fn by_class(context: &Context, probes: &[&Counterfactual]) -> String {
    let groups = context.frame.classes.iter().enumerate().map(|(class, name)| Group {
        label: name.clone(),
        bars: probes
            .iter()
            .enumerate()
            .filter_map(|(series, s)| {
                let (_, mean) = s.classes.iter().find(|(c, _)| usize::from(*c) == class)?;
                let interval = mean.reliance.scaled(100.0);
                Some(Bar { series, interval, published: None, balanced: None })
            })
            .collect(),
    });
    Bars {
        label: "reliance on the background by class".into(),
        axis: "reliance on background (%)".into(),
        series: probes.iter().map(|s| format!("trained on {}", s.source.trained_on)).collect(),
        groups: groups.collect(),
        level: None,
        range: None,
    }
    .svg()
}

fn table(probes: &[&Counterfactual]) -> Grid {
    let header = [
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
            s.source.trained_on.clone(),
            format!("{} {}", s.source.dataset, s.source.split),
            m.images.to_string(),
            s.partners.to_string(),
            points_interval(&m.background),
            points_interval(&m.foreground),
            points_interval(&m.interaction),
            percent_interval(&m.reliance),
        ]);
    }
    grid
}
