//! What `mask-quality` shows and writes.

use crate::masks::{Agreement, ClassAgreement, Confidence};
use crate::output::Grid;
use crate::output::csv_files::encode;
use crate::output::number::{percent, percent_interval};
use crate::stats::Interval;
use serde::Serialize;

/// Two sources of masks beside each other.
#[derive(Debug, Serialize)]
pub(super) struct Compared {
    pub(super) first: String,
    pub(super) second: String,
    /// Whether the second is the reference.
    pub(super) reference: bool,
    pub(super) all: Agreement,
    pub(super) classes: Vec<ClassAgreement>,
}

/// confidence.csv: a row a photograph.
pub(super) fn margins<'a>(
    cuts: &[Confidence],
    ids: impl Iterator<Item = String>,
    class: &dyn Fn(u16) -> &'a str,
) -> crate::Result<Vec<u8>> {
    let rows = cuts
        .iter()
        .zip(ids)
        .map(|(one, id)| vec![id, class(one.class).to_owned(), one.margin.to_string(), one.iou.to_string()]);
    encode(&["image", "class", "margin", "iou"], rows)
}

/// quality.csv: the table's numbers, each limit in a column of its own.
pub(super) fn rates<'a>(compared: &[Compared], class: &dyn Fn(u16) -> &'a str) -> crate::Result<Vec<u8>> {
    let measures = ["iou", "outline", "missed", "excess"];
    let limits =
        measures.iter().flat_map(|name| [(*name).to_owned(), format!("{name}_low"), format!("{name}_high")]);
    let header: Vec<String> = ["first", "second", "reference", "class", "images"]
        .map(str::to_owned)
        .into_iter()
        .chain(limits)
        .chain(["median_iou".to_owned()])
        .collect();
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let rows = compared.iter().flat_map(|one| {
        let of_classes = one.classes.iter().map(|c| (class(c.class), &c.agreement));
        [("all", &one.all)].into_iter().chain(of_classes).map(move |(class, found)| {
            let numbers = [found.iou, found.outline, found.missed, found.excess];
            let numbers = numbers.iter().flat_map(|i| [i.value, i.low, i.high].map(|v| v.to_string()));
            let texts = [&one.first, &one.second].map(Clone::clone);
            let counts = [one.reference.to_string(), class.to_owned(), found.images.to_string()];
            texts.into_iter().chain(counts).chain(numbers).chain([found.median_iou.to_string()]).collect()
        })
    });
    encode(&header, rows)
}

/// A row for all photographs of two sources, and for those of each class.
pub(super) fn table<'a>(compared: &[Compared], class: &dyn Fn(u16) -> &'a str) -> Grid {
    let title = "Masks beside each other: IoU, missed and excess in percent, outlines in pixels of the stored picture";
    let header =
        ["masks", "beside", "class", "images", "IoU", "median IoU", "outlines apart", "missed", "excess"];
    let mut grid = Grid::new(title, &header);
    for one in compared {
        let of_classes = one.classes.iter().map(|c| (class(c.class), &c.agreement));
        for (class, found) in [("all", &one.all)].into_iter().chain(of_classes) {
            let beside =
                if one.reference { format!("{} (reference)", one.second) } else { one.second.clone() };
            grid.push(vec![
                one.first.clone(),
                beside,
                class.to_owned(),
                found.images.to_string(),
                percent_interval(&found.iou),
                percent(found.median_iou),
                plain(&found.outline),
                percent_interval(&found.missed),
                percent_interval(&found.excess),
            ]);
        }
    }
    grid
}

/// An interval with two decimals.
pub(super) fn plain(i: &Interval) -> String {
    match (i.value.is_nan(), i.low.is_nan()) {
        (true, _) => "–".to_owned(),
        (false, true) => format!("{:.2}", i.value),
        (false, false) => format!("{:.2} [{:.2}, {:.2}]", i.value, i.low, i.high),
    }
}
