//! The table of contents: test sets, models, their numbers.

use in9_analysis::metrics::Category;
use in9_analysis::metrics::ModelSummary;
use in9_analysis::stats::Interval;
use in9_data::View;
use serde_json::{Value, json};

use crate::collection::{Collection, Model, TestSet};
use crate::columns::Columns;

/// Everything that the page needs before it shows photographs: a few kilobytes, however many there are.
pub(crate) fn contents(collection: &Collection, directories: &[Columns], live: &[String]) -> Value {
    let sets: Vec<Value> = collection
        .sets
        .iter()
        .zip(directories)
        .map(|(set, columns)| {
            let mut value = of_set(set);
            value["columns"] = json!(columns.directory);
            value
        })
        .collect();
    json!({
        "title": collection.title,
        "version": env!("CARGO_PKG_VERSION"),
        "views": View::ALL.map(View::name),
        "mixed": View::MIXED.map(View::name),
        "categories": Category::ALL.map(Category::name),
        "level": collection.bootstrap.level,
        "notices": collection.notices,
        "live": live,
        "report": collection.report.as_ref().map(|_| "/report"),
        "sets": sets,
    })
}

fn of_set(set: &TestSet) -> Value {
    let pictures = set.pictures.as_ref();
    json!({
        "name": set.name(),
        "dataset": set.dataset,
        "split": set.split,
        "photographs": set.photographs.len(),
        "classes": set.classes,
        "inClass": in_class(set),
        "size": pictures.map(|p| p.size()),
        "layers": pictures.is_some_and(|p| p.split().has_layers()),
        "digest": pictures.map(|p| p.digest()),
        "models": set.models.iter().map(of_model).collect::<Vec<_>>(),
    })
}

/// Photographs of each class.
fn in_class(set: &TestSet) -> Vec<u32> {
    let mut counts = vec![0; set.classes.len()];
    for &class in set.photographs.classes() {
        if let Some(count) = counts.get_mut(usize::from(class)) {
            *count += 1;
        }
    }
    counts
}

fn of_model(model: &Model) -> Value {
    let summary = model.summary.as_ref();
    let accuracy = View::ALL.map(|view| {
        let accuracy = summary.and_then(|summary| summary.accuracy(view));
        accuracy.map(|a| json!({ "correct": a.correct, "total": a.total, "accuracy": interval(&a.accuracy) }))
    });
    json!({
        "id": model.id,
        "name": model.key.model,
        "arch": model.key.arch,
        "trainedOn": model.key.trained_on,
        "foregrounds": summary.map_or(0, |summary| summary.foregrounds),
        "accuracy": accuracy,
        "gap": summary.and_then(|summary| summary.gap).map(|gap| interval(&gap.gap)),
        "categories": summary.and_then(categories),
        "probes": {
            "effects": model.effects.is_some(),
            "fooling": model.fooling.is_some(),
            "saliency": model.saliency.is_some(),
        },
    })
}

fn categories(summary: &ModelSummary) -> Option<Value> {
    let categories = summary.categories.as_ref()?;
    Some(json!({ "total": categories.total, "counts": categories.counts }))
}

/// Value, lower and upper limit; `null` where there is none.
pub(super) fn interval(interval: &Interval) -> [Option<f64>; 3] {
    [interval.value, interval.low, interval.high].map(|v| v.is_finite().then_some(v))
}
