//! What outline, size and place tell of the class: networks before the mask or the box alone.

use crate::context::TestSet;
use in9_analysis::output::Grid;
use in9_analysis::output::number::{percent, percent_interval};
use in9_data::View;

/// The two views that show where an object is and not what, and what they tell.
const TELL: [(View, &str); 2] =
    [(View::OnlyBox, "size and place"), (View::OnlyMask, "outline, size and place")];

/// The table; without rows where no network was tested so.
pub(super) fn table(set: &TestSet<'_>, chance: f64) -> Grid {
    let title =
        format!("What outline, size and place tell of the class on {}: no object, no background", set.split);
    let header = [
        "network",
        "tested on",
        "tells",
        "accuracy %",
        "balanced accuracy %",
        "chance (balanced) %",
        "largest class %",
    ];
    let mut grid = Grid::new(title, &header);
    let trained = |view: View| set.models.iter().filter(move |(_, m)| m.key.trained_on == view.name());
    for (view, tells) in TELL {
        // Networks trained on it say what can be learnt from it; others only how they answer to what they never saw.
        let learnt: Vec<_> = trained(view).map(|(_, m)| *m).collect();
        let others: Vec<_> = set.shown(3).into_iter().map(|(_, m)| m).filter(|_| learnt.is_empty()).collect();
        for model in learnt.into_iter().chain(others) {
            let Some(accuracy) = model.accuracy(view) else { continue };
            let largest = accuracy.recalls.iter().map(|recall| recall.total).max().unwrap_or(0);
            grid.push(vec![
                set.phrase(model),
                view.to_string(),
                tells.to_owned(),
                percent_interval(&accuracy.accuracy),
                percent_interval(&accuracy.balanced),
                percent(chance),
                percent(largest as f64 / accuracy.total.max(1) as f64),
            ]);
        }
    }
    grid
}

/// Whether any network learnt from one of these views.
pub(super) fn is_learnt(set: &TestSet<'_>) -> bool {
    set.models.iter().any(|(_, m)| TELL.iter().any(|(view, _)| m.key.trained_on == view.name()))
}
