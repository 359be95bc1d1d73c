//! The ladder of a network, over all its trainings if there are several.

use crate::claims::cells::Cells;
use crate::context::{Context, Repeated, TestSet};
use in9_analysis::levels::Weighing;
use in9_analysis::metrics::{LADDER, Ladder, PASTED, Step};
use in9_analysis::stats::Interval;
use in9_data::View;

/// A ladder; `None` where a network was not tested on photographs, own tiled backgrounds and mixed-rand.
pub(super) fn of(context: &Context, set: &TestSet<'_>, network: &Repeated<'_>) -> Option<Ladder> {
    let one = network.first().ladder.as_ref()?;
    if !network.is_several() {
        return Some(one.clone());
    }
    let rungs: Vec<View> =
        LADDER.into_iter().filter(|view| one.accuracy.iter().any(|(tested, _)| tested == view)).collect();
    let trained = network.first().key.trained_on.as_str();
    let cells: Vec<(&str, &str)> = rungs.iter().map(|view| (trained, view.name())).collect();
    let (study, _) = Cells { context, set }.study(&cells)?;
    let level = context.bootstrap.level;
    let estimate = |of: &dyn Fn(&[f64]) -> f64| Some(study.estimate(Weighing::Plain, of)?.interval(level));
    let apart = |above: usize, below: usize| estimate(&|means| means[above] - means[below]);
    let at = |view: View| rungs.iter().position(|rung| *rung == view);
    let (top, pasted, bottom) = (at(View::Original)?, at(PASTED)?, at(View::MixedRand)?);
    let accuracy = |(rung, view): (usize, &View)| Some((*view, estimate(&|means| means[rung])?));
    let step = |below: usize| -> Option<Step> {
        Some(Step { from: rungs[below - 1], to: rungs[below], cost: apart(below - 1, below)? })
    };
    Some(Ladder {
        photographs: study.classes.len(),
        accuracy: rungs.iter().enumerate().map(accuracy).collect::<Option<_>>()?,
        steps: (1..rungs.len()).map(step).collect::<Option<_>>()?,
        pasting: apart(top, pasted)?,
        background: apart(pasted, bottom)?,
        total: apart(top, bottom)?,
    })
}

/// A part as a share of the whole drop, where the drop is surely one; percent.
pub(super) fn share(part: &Interval, total: &Interval) -> Option<f64> {
    (total.low > 0.0).then(|| 100.0 * part.value / total.value)
}
