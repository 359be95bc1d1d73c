//! The drop from photographs to mixed-rand, divided into pasting and background.

use super::{ladder, leak, rungs};
use crate::context::{Context, TestSet};
use crate::error::Result;
use crate::page::{Block, Section};
use crate::plot::{Bar, Bars, Group, Width};
use in9_analysis::metrics::{LADDER, Ladder, PASTED, taken};
use in9_analysis::output::Grid;
use in9_analysis::output::number::points_interval;
use in9_data::View;

/// Networks that the chart shows.
const SHOWN: usize = 4;

/// The section, if any network was tested on the controls.
///
/// # Errors
/// If a picture cannot be encoded.
pub(crate) fn section(context: &Context) -> Result<Option<Section>> {
    let mut blocks = Vec::new();
    for set in &context.test_sets() {
        let networks = set.grouped(&set.summaries());
        let all: Vec<(String, Ladder)> = networks
            .iter()
            .filter_map(|network| Some((network.name.clone(), ladder::of(context, set, network)?)))
            .collect();
        let shown: Vec<String> = set
            .grouped(&set.shown(SHOWN).into_iter().map(|(_, m)| m).collect::<Vec<_>>())
            .into_iter()
            .map(|n| n.name)
            .collect();
        if !all.is_empty() {
            let charted: Vec<&(String, Ladder)> =
                all.iter().filter(|(name, _)| shown.contains(name)).collect();
            blocks.extend(Block::figure(
                chart(set, &charted),
                format!(
                    "Accuracy on {} as the background goes, rung by rung. Down to {PASTED} the object stands in its own \
                     scene, so that only pasting can cost anything; below, the background goes too. Whiskers: 95 % \
                     intervals over the same photographs.",
                    set.split
                ),
            ));
            if let Some(pictures) = rungs::gallery(context, set)? {
                blocks.push(Block::Prose("One photograph on every rung:".into()));
                blocks.push(pictures);
            }
            blocks.push(Block::Table(parts(set, &all)));
            blocks.push(Block::Table(steps(set, &all)));
        }
        let told = leak::table(set, context.frame.chance());
        if !told.rows.is_empty() {
            let learnt = leak::is_learnt(set);
            blocks.push(Block::Table(told));
            if !learnt {
                blocks.push(Block::Prose(
                    "No network here was trained on only-mask or only-box, so the table shows how networks answer to \
                     silhouettes and boxes, not what can be learnt from them. Train on these views, without augmentation, to measure that."
                        .into(),
                ));
            }
        }
    }
    Ok((!blocks.is_empty()).then(|| Section {
        id: "pasting",
        title: "What pasting costs, and what the background costs".into(),
        lead: "A mixed picture differs from its photograph in two ways: its object was cut out and pasted, and another \
               background stands behind it. On the rungs between, the object is pasted on backgrounds made of its own \
               photograph: the photograph itself with the object and a margin around it filled in by diffusion \
               (bg-inpainted), its tiled background (bg-tiled), its mean colour (bg-flat), and noise with the power \
               spectrum of its tiled background (bg-noise). Costs are paired photograph by photograph, and add up."
            .into(),
        blocks,
    }))
}

fn chart(set: &TestSet<'_>, networks: &[&(String, Ladder)]) -> Option<String> {
    let bar = |view: View, (series, (_, ladder)): (usize, &&(String, Ladder))| {
        let (_, accuracy) = ladder.accuracy.iter().find(|(rung, _)| *rung == view)?;
        Some(Bar { series, interval: accuracy.scaled(100.0), published: None, balanced: None })
    };
    let group = |view: View| Group {
        label: view.to_string(),
        bars: networks.iter().enumerate().filter_map(|network| bar(view, network)).collect(),
    };
    Bars {
        label: format!("accuracy rung by rung on {}", set.split),
        axis: "accuracy (%)".into(),
        series: networks.iter().map(|(name, _)| name.clone()).collect(),
        groups: LADDER.into_iter().map(group).filter(|group| !group.bars.is_empty()).collect(),
        level: None,
        range: Some((0.0, 100.0)),
        width: Width::Full,
    }
    .svg()
}

/// The drop of each network, in two parts.
fn parts(set: &TestSet<'_>, networks: &[(String, Ladder)]) -> Grid {
    let title = format!("The drop from original to mixed-rand on {}, divided (points)", set.split);
    let header = [
        "network",
        "photographs",
        "whole drop",
        "of it pasting",
        "of it background",
        "pasting, % of the drop",
    ];
    let mut grid = Grid::new(title, &header);
    for (name, ladder) in networks {
        let share = ladder::share(&ladder.pasting, &ladder.total);
        grid.push(vec![
            name.clone(),
            ladder.photographs.to_string(),
            points_interval(&ladder.total),
            points_interval(&ladder.pasting),
            points_interval(&ladder.background),
            share.map_or("–".into(), |share| format!("{share:.0}").replace('-', "−")),
        ]);
    }
    grid
}

/// Every step of every network: a row a step, a column a network.
fn steps(set: &TestSet<'_>, networks: &[(String, Ladder)]) -> Grid {
    let title =
        format!("What each step costs on {}: accuracy above minus accuracy below (points)", set.split);
    let names = networks.iter().map(|(name, _)| name.as_str());
    let header: Vec<&str> = ["from", "to", "takes away"].into_iter().chain(names).collect();
    let mut grid = Grid::new(title, &header);
    let mut pairs: Vec<(View, View)> = networks
        .iter()
        .flat_map(|(_, ladder)| ladder.steps.iter().map(|step| (step.from, step.to)))
        .collect();
    let place = |view: View| LADDER.iter().position(|rung| *rung == view);
    pairs.sort_by_key(|(from, to)| (place(*from), place(*to)));
    pairs.dedup();
    for (from, to) in pairs {
        let cost = |ladder: &Ladder| {
            let step = ladder.steps.iter().find(|step| (step.from, step.to) == (from, to));
            step.map_or("–".into(), |step| points_interval(&step.cost))
        };
        let row = [from.to_string(), to.to_string(), taken(from, to).to_owned()];
        grid.push(row.into_iter().chain(networks.iter().map(|(_, ladder)| cost(ladder))).collect());
    }
    grid
}
