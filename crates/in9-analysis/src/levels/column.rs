//! From prediction frames to columns.

use super::study::Study;
use crate::frame::{ModelFrame, NO_BACKGROUND, Outcome};
use in9_data::View;
use std::collections::BTreeMap;

/// The repeats of one training: networks that differ in their seed only, tested on the same photographs.
#[derive(Debug, Clone)]
pub struct Trainings<'a>(pub Vec<&'a ModelFrame>);

/// What a column holds of a configuration's networks.
#[derive(Debug, Clone, Copy)]
pub enum Shown {
    /// Right answers on a view.
    Right(View),
    /// Right on the first view and, on the same photograph, right on the second.
    Both(View, View),
    /// Right on the first view and wrong on the second.
    RightWrong(View, View),
    /// Any number of each photograph, aligned with [`ModelFrame::foregrounds`].
    By(fn(&ModelFrame) -> Vec<Option<f64>>),
}

/// One number of each photograph by each training of a configuration, in `0..=1`.
#[derive(Debug, Clone)]
pub struct Column {
    /// Configuration: columns of one group were measured on the same trainings, in the same order.
    pub group: usize,
    /// `[training][photograph]`.
    pub values: Vec<Vec<f64>>,
    /// Of each photograph, the backgrounds that it was put on and the value before each, averaged over the trainings;
    /// empty where the view has no second photograph.
    pub draws: Vec<Vec<(u32, f64)>>,
}

impl Shown {
    /// The value of each photograph of a frame before each of its backgrounds.
    fn of(self, frame: &ModelFrame) -> Vec<Vec<(u32, f64)>> {
        let right = |o: &Outcome| f64::from(u8::from(o.correct()));
        let before = |view: View, value: &dyn Fn(&Outcome) -> Option<f64>| {
            let mut lists = vec![Vec::new(); frame.foregrounds.len()];
            for o in frame.view(view) {
                lists[o.foreground as usize].extend(value(o).map(|x| (o.background, x)));
            }
            lists
        };
        match self {
            Self::Right(view) => before(view, &|o| Some(right(o))),
            Self::Both(first, second) | Self::RightWrong(first, second) => {
                let whole = frame.shares(first);
                let both = matches!(self, Self::Both(..));
                let value = |o: &Outcome| {
                    let r = right(o);
                    Some(whole[o.foreground as usize]? * if both { r } else { 1.0 - r })
                };
                before(second, &value)
            }
            Self::By(value) => value(frame)
                .into_iter()
                .map(|x| x.map(|x| (NO_BACKGROUND, x)).into_iter().collect())
                .collect(),
        }
    }
}

/// The columns of several configurations over the photographs that all their trainings were tested on, paired by id;
/// `None` if there are none.
///
/// A photograph that stands before several backgrounds weighs as much as one that stands before one.
pub fn study(wanted: &[(&Trainings<'_>, Shown)]) -> Option<Study> {
    let mut groups: Vec<*const ModelFrame> = Vec::new();
    let mut tables = Vec::new();
    for (trainings, shown) in wanted {
        let first: *const ModelFrame = *trainings.0.first()?;
        let group = groups.iter().position(|g| *g == first).unwrap_or_else(|| {
            groups.push(first);
            groups.len() - 1
        });
        let by_id: Vec<_> = trainings.0.iter().map(|frame| by_photograph(frame, *shown)).collect();
        tables.push((group, by_id));
    }
    let first = tables.first()?.1.first()?;
    let in_all =
        |id: &&&str| tables.iter().all(|(_, list)| list.iter().all(|table| table.contains_key(**id)));
    let ids: Vec<&str> = first.keys().filter(in_all).copied().collect();
    let classes = ids.iter().map(|id| first[id].0).collect();
    let columns = tables.iter().map(|(group, list)| column(*group, list, &ids)).collect();
    (!ids.is_empty()).then_some(Study { classes, columns })
}

/// Class of a photograph, and its value before each background.
type Photograph = (u16, Vec<(u32, f64)>);

fn by_photograph(frame: &ModelFrame, shown: Shown) -> BTreeMap<&str, Photograph> {
    let photographs = frame.foregrounds.iter().zip(shown.of(frame));
    photographs.filter(|(_, list)| !list.is_empty()).map(|(f, list)| (&*f.id, (f.class, list))).collect()
}

fn column(group: usize, trainings: &[BTreeMap<&str, Photograph>], ids: &[&str]) -> Column {
    let mean = |list: &[(u32, f64)]| list.iter().map(|(_, x)| x).sum::<f64>() / list.len() as f64;
    let values = trainings.iter().map(|table| ids.iter().map(|id| mean(&table[id].1)).collect()).collect();
    let has_background = |table: &BTreeMap<&str, Photograph>| {
        ids.iter().all(|id| table[id].1.iter().all(|(background, _)| *background != NO_BACKGROUND))
    };
    let draws = if trainings.iter().all(has_background) {
        ids.iter().map(|id| drawn(trainings, id)).collect()
    } else {
        Vec::new()
    };
    Column { group, values, draws }
}

/// The backgrounds of one photograph, and the mean over the trainings before each.
fn drawn(trainings: &[BTreeMap<&str, Photograph>], id: &str) -> Vec<(u32, f64)> {
    let mut sums: BTreeMap<u32, (f64, f64)> = BTreeMap::new();
    for table in trainings {
        for (background, x) in &table[id].1 {
            let sum = sums.entry(*background).or_default();
            *sum = (sum.0 + x, sum.1 + 1.0);
        }
    }
    sums.into_iter().map(|(background, (sum, n))| (background, sum / n)).collect()
}
