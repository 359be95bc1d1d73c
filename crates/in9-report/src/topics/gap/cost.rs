//! The BG-gap beside what pasting itself costs, and as a share of the accuracy that it is taken from.

use crate::claims::cells::Cells;
use crate::context::{Context, TestSet};
use crate::error::Result;
use crate::page::Block;
use in9_analysis::levels::Weighing;
use in9_analysis::metrics::PASTED;
use in9_analysis::output::Grid;
use in9_analysis::output::number::{percent_interval, points_interval};
use in9_analysis::probes::adversarial::write::read_own;
use in9_analysis::stats::Interval;
use in9_data::View;
use std::collections::BTreeMap;

/// The table, where any network has a gap.
///
/// # Errors
/// If a probe's table that was readable no longer is.
pub(super) fn table(context: &Context, set: &TestSet<'_>) -> Result<Option<Block>> {
    let header =
        ["trained on", "trainings", "BG-gap", "BG-gap ÷ accuracy on mixed-same (%)", "pasting itself costs"];
    let title = format!("BG-gap on {} over all trainings, and what stands beside it (points)", set.split);
    let mut grid = Grid::new(title, &header);
    let (cells, level) = (Cells { context, set }, context.bootstrap.level);
    let mut views: Vec<&str> = set.models.iter().map(|(m, _)| m.key.trained_on.as_str()).collect();
    views.dedup();
    for view in views {
        let Some((study, _)) = cells.study(&[(view, "mixed-same"), (view, "mixed-rand")]) else { continue };
        let interval = |statistic: fn(&[f64]) -> f64| {
            study.estimate(Weighing::Plain, statistic).map(|e| e.interval(level))
        };
        let print = |i: Option<Interval>, how: fn(&Interval) -> String| i.as_ref().map_or("–".into(), how);
        grid.push(vec![
            view.to_owned(),
            set.repeats(view).len().to_string(),
            print(interval(|m| m[0] - m[1]), points_interval),
            print(interval(|m| (m[0] - m[1]) / m[0]), percent_interval),
            print(
                own_scene(&cells, view).map_or_else(|| pasting(context, set, view), |i| Ok(Some(i)))?,
                points_interval,
            ),
        ]);
    }
    let any = !grid.rows.is_empty();
    Ok(any.then_some(Block::Table(grid)))
}

/// Accuracy on photographs as they are minus accuracy on the same foregrounds pasted on their own tiled backgrounds, over
/// all trainings.
fn own_scene(cells: &Cells<'_>, view: &str) -> Option<Interval> {
    let (study, _) = cells.study(&[(view, View::Original.name()), (view, PASTED.name())])?;
    Some(study.estimate(Weighing::Plain, |m| m[0] - m[1])?.interval(cells.context.bootstrap.level))
}

/// The same of one training from the adversarial probe, where it tried these; for tables without the view.
fn pasting(context: &Context, set: &TestSet<'_>, view: &str) -> Result<Option<Interval>> {
    let mut probes = context.probes.adversarial.iter();
    let probe =
        probes.find(|(_, s)| s.dataset == set.dataset && s.split == set.split && s.trained_on == view);
    let Some((folder, summary)) = probe else { return Ok(None) };
    let own = read_own(&folder.join("foregrounds.csv"))?;
    // The network that was probed, not another of the same view.
    let probed = |key: &in9_analysis::Key| key.model == summary.model && key.training == summary.training;
    let Some((frame, _)) = set.models.iter().find(|(m, _)| probed(&m.key)) else { return Ok(None) };
    let whole = frame.foregrounds.iter().zip(frame.shares(View::Original));
    let whole: BTreeMap<String, f64> =
        whole.filter_map(|(f, share)| Some((f.id.to_string(), share?))).collect();
    Ok(context.bootstrap.paired("pasting", &whole, &own))
}
