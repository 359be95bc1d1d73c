//! Claims about benchmark progress (Figure 8).

use super::section::{Yardstick, own_points};
use crate::claims::{Claim, Rule, Statement, Worth};
use crate::context::{Context, TestSet};
use in9_analysis::metrics::progress::{Point, trends};
use in9_analysis::stats::{Interval, regression};

/// Claims over the report's own networks of the progress plot; none while they are too few for a line, because
/// the paper's networks alone say nothing about this report.
pub(crate) fn claims(context: &Context, set: &TestSet<'_>) -> Vec<Claim> {
    let Some((yardstick, points)) = own_points(context, set) else { return Vec::new() };
    let level = context.bootstrap.level;
    let against = match yardstick {
        Yardstick::ImageNet => String::new(),
        Yardstick::Original => format!(", against accuracy on original ({} networks)", points.len()),
    };
    let trends = trends(&points, level);
    let slope = |view: &str| -> Option<(String, Interval)> {
        let line = trends.iter().find(|t| t.view == view)?.line.as_ref()?;
        Some((format!("slope on {view}{against}"), line.slope))
    };
    let rising = ["only-bg-t", "no-fg", "mixed-same", "mixed-rand", "mixed-next"];
    let rising = rising.into_iter().filter_map(slope).collect();
    let faster = |views: [(&str, &str); 2]| {
        let named = |(label, slope): (String, Interval)| (format!("{label}{against}"), slope);
        views.into_iter().filter_map(|(a, b)| steeper(&points, a, b, level)).map(named).collect()
    };
    [
        RISE.judge(set.split, rising),
        SLOWEST.judge(set.split, faster([("mixed-same", "only-bg-t"), ("mixed-rand", "only-bg-t")])),
        SHRINK.judge(set.split, faster([("mixed-rand", "mixed-same"), ("mixed-next", "mixed-rand")])),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Slope on view `a` minus slope on view `b`: the slope of their difference, network by network, so that what
/// a network has in common on both counts once.
fn steeper(points: &[Point], a: &str, b: &str, level: f64) -> Option<(String, Interval)> {
    let on = |p: &Point, view: &str| p.views.iter().find(|(v, _)| v == view).map(|(_, y)| *y);
    let apart: Vec<(f64, f64)> =
        points.iter().filter_map(|p| Some((p.quality, on(p, a)? - on(p, b)?))).collect();
    Some((format!("slope on {a} − slope on {b}"), regression::fit(&apart, level)?.slope))
}

/// Every statement, in the order in which it is judged.
pub(crate) const STATEMENTS: [Statement; 3] = [RISE, SLOWEST, SHRINK];

const NEEDS: &str = "at least three networks of different quality, with accuracies on ImageNet or trained on photographs \
                     as they are";
const RISE: Statement = Statement {
    id: "progress-rises",
    statement: "Better networks are better on every view.",
    source: "Figure 8",
    published: "all lines over accuracy on ImageNet rise; least squares over Table 2: 0.32 (only-bg-t), 1.23 (mixed-same), 1.72 (mixed-rand)",
    rule: Rule::Above(0.0),
    worth: Worth::Paper(0.16, "half of what the paper found with its weakest view"),
    unit: "points per point",
    needs: NEEDS,
};
const SLOWEST: Statement = Statement {
    id: "progress-background-slowest",
    statement: "Accuracy on backgrounds alone grows most slowly.",
    source: "Figure 8",
    published: "only-bg-t slowest; from Table 2 mixed-same is 0.91 and mixed-rand 1.40 steeper",
    rule: Rule::Above(0.0),
    worth: Worth::Paper(0.45, "half of what the paper found with its weakest view"),
    unit: "points per point",
    needs: NEEDS,
};
const SHRINK: Statement = Statement {
    id: "progress-gap-shrinks",
    statement: "The gaps between the mixed views shrink as networks get better.",
    source: "Figure 8",
    published: "shown; from Table 2 mixed-rand is 0.49 steeper than mixed-same",
    rule: Rule::Above(0.0),
    worth: Worth::Paper(0.25, "half of what the paper found"),
    unit: "points per point",
    needs: NEEDS,
};

#[cfg(test)]
mod tests {
    use super::*;
    use in9_analysis::metrics::progress::published;
    use in9_analysis::paper::Paper;

    #[test]
    fn differences_of_slopes_are_slopes_of_differences() {
        let points = published(&Paper::embedded().unwrap());
        let (_, apart) = steeper(&points, "mixed-rand", "only-bg-t", 0.95).unwrap();
        assert!((apart.value - 1.40).abs() < 0.01, "{}", apart.value);
        let (_, shrink) = steeper(&points, "mixed-rand", "mixed-same", 0.95).unwrap();
        assert!((shrink.value - 0.49).abs() < 0.01, "{}", shrink.value);
        assert!(steeper(&points, "mixed-rand", "no-fg", 0.95).is_none());
    }
}
