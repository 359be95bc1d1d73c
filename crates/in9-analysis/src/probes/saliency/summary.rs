//! Means over a split with intervals.

use super::run::{ImageRow, Method};
use crate::stats::{Bootstrap, Interval};
use serde::{Deserialize, Serialize};

/// Means of one method over images; shares are fractions in `0..=1`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MethodSummary {
    /// The method.
    pub method: Method,
    /// Tap of a class activation map; empty for the other methods.
    #[serde(default)]
    pub tap: String,
    /// Images with a map that is not all zero.
    pub images: usize,
    /// Images whose map is all zero; they are left out of the means.
    pub empty: usize,
    /// Share of the map on the foreground.
    pub mass: Interval,
    /// The same minus the foreground's share of the area. A map that is bright in the middle of every photograph has such a
    /// lift too, because objects stand near the middle; see `beyond`.
    pub lift: Interval,
    /// Share of the map on the foreground minus its mean share on the foregrounds of the other photographs: what the map
    /// knows of its own photograph. About 0 for any map that is the same for every photograph.
    #[serde(default)]
    pub beyond: Option<Interval>,
    /// The foreground's share of the area: what mass and pointing game are for a map that knows nothing, and the best
    /// IoU of one that is the same everywhere.
    #[serde(default)]
    pub area: Option<Interval>,
    /// Share of images whose highest pixel is foreground.
    pub pointing: Interval,
    /// Intersection over union at each image's best threshold.
    pub iou: Interval,
    /// Area under the deletion curve; absent without curves.
    pub deletion: Option<Interval>,
    /// Area under the insertion curve; absent without curves.
    pub insertion: Option<Interval>,
    /// The mean curves themselves.
    #[serde(default)]
    pub curves: Option<MeanCurves>,
}

/// Mean score of the class at equal steps from no pixel to all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MeanCurves {
    /// While the most salient pixels are taken away.
    pub deletion: Vec<Interval>,
    /// While they are put back.
    pub insertion: Vec<Interval>,
}

/// Sums up each method, and each tap of it, that has rows.
pub fn summarise(rows: &[ImageRow], bootstrap: &Bootstrap) -> Vec<MethodSummary> {
    let mut kinds: Vec<(Method, &str)> = Vec::new();
    for row in rows {
        let kind = (row.method, row.tap.as_str());
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    // Stable, so that taps keep their order.
    kinds.sort_by_key(|(method, _)| *method);
    kinds
        .into_iter()
        .filter_map(|(method, tap)| {
            let all: Vec<&ImageRow> = rows.iter().filter(|r| r.method == method && r.tap == tap).collect();
            let kept: Vec<&ImageRow> = all.iter().copied().filter(|r| r.measures.mass.is_finite()).collect();
            (!kept.is_empty()).then(|| of((method, tap), &kept, all.len() - kept.len(), bootstrap))
        })
        .collect()
}

fn of(
    (method, tap): (Method, &str),
    rows: &[&ImageRow],
    empty: usize,
    bootstrap: &Bootstrap,
) -> MethodSummary {
    let mean = |pick: &dyn Fn(&ImageRow) -> f64| {
        let values: Vec<f64> = rows.iter().map(|r| pick(r)).collect();
        bootstrap.mean("saliency", &values)
    };
    let steps = rows.iter().map(|r| r.curves.deletion.len()).min().unwrap_or(0);
    let curves = steps > 0;
    let points = |pick: fn(&ImageRow) -> &[f64]| (0..steps).map(|i| mean(&|r| pick(r)[i])).collect();
    MethodSummary {
        method,
        tap: tap.to_owned(),
        images: rows.len(),
        empty,
        mass: mean(&|r| r.measures.mass),
        lift: mean(&|r| r.measures.mass - r.measures.area),
        beyond: rows
            .iter()
            .all(|r| r.elsewhere.is_finite())
            .then(|| mean(&|r| r.measures.mass - r.elsewhere)),
        area: Some(mean(&|r| r.measures.area)),
        pointing: mean(&|r| r.measures.pointing),
        iou: mean(&|r| r.measures.iou),
        deletion: curves.then(|| mean(&|r| r.curves.deletion_area())),
        insertion: curves.then(|| mean(&|r| r.curves.insertion_area())),
        curves: curves.then(|| MeanCurves {
            deletion: points(|r| &r.curves.deletion),
            insertion: points(|r| &r.curves.insertion),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probes::saliency::Measures;
    use crate::probes::saliency::curves::Curves;

    #[test]
    fn empty_maps_are_counted_apart() {
        let row = |image, tap: &str, mass: f64| ImageRow {
            image,
            class: 0,
            predicted: Some(0),
            method: Method::GradCam,
            tap: tap.into(),
            measures: Measures { mass, area: 0.25, pointing: 1.0, iou: 0.5 },
            elsewhere: 0.2,
            curves: Curves::default(),
        };
        let rows = [row(0, "b", 0.5), row(0, "a", 0.1), row(1, "b", f64::NAN), row(2, "b", 0.7)];
        let s = summarise(&rows, &Bootstrap::default());
        assert_eq!((s.len(), s[0].tap.as_str(), s[0].images, s[0].empty), (2, "b", 2, 1));
        assert_eq!((s[1].tap.as_str(), s[1].images, s[1].mass.value), ("a", 1, 0.1));
        assert!((s[0].mass.value - 0.6).abs() < 1e-12 && (s[0].lift.value - 0.35).abs() < 1e-12);
        assert!(s[0].deletion.is_none() && s[0].curves.is_none());
        let half = Curves { deletion: vec![1.0, 0.0], insertion: vec![0.0, 1.0] };
        let with: Vec<ImageRow> =
            rows[..2].iter().map(|r| ImageRow { curves: half.clone(), ..r.clone() }).collect();
        let s = summarise(&with, &Bootstrap::default());
        let curves = s[0].curves.as_ref().unwrap();
        assert_eq!((curves.deletion[0].value, curves.insertion[1].value), (1.0, 1.0));
        assert_eq!(s[0].deletion.unwrap().value, 0.5);
    }
}
