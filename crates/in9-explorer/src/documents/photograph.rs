//! One photograph: what it is, what every model says of its views, and what probes found.

use in9_data::View;
use serde_json::{Value, json};

use super::{class, reference};
use crate::collection::{Answers, NOBODY, TestSet};
use crate::error::Result;

/// Photographs that take a background are named up to this many; the others are counted.
const NAMED: usize = 60;
/// Backgrounds that fool are listed up to this many; the others are counted.
const LISTED: usize = 120;

/// Everything about a photograph.
pub(crate) fn photograph(set: &TestSet, at: usize) -> Result<Value> {
    set.check(at)?;
    let mut value = reference(set, at as u32);
    if let Some(pictures) = &set.pictures {
        let sample = pictures.split().sample(at);
        value["fine"] = json!(sample.fine);
        value["source"] = json!(sample.source);
        value["sides"] = json!([sample.width, sample.height]);
        value["photoBox"] = json!(sample.photo_box);
        value["cropBox"] = json!(sample.crop_box);
        value["maskArea"] = json!(sample.mask_area);
        value["boxArea"] = json!(sample.box_area);
    }
    value["views"] = View::ALL.into_iter().map(|view| of_view(set, at, view)).collect();
    value["uses"] = uses(set, at);
    value["strengths"] = strengths(set, at);
    value["fooled"] = fooled(set, at);
    value["saliency"] = saliency(set, at);
    value["effects"] = effects(set, at);
    Ok(value)
}

/// The background of a view: that of the first model that was tested on it, or of the frozen pairing.
fn background(set: &TestSet, at: usize, view: View) -> Option<u32> {
    if !view.needs_background() {
        return None;
    }
    let tested = set.models.iter().find_map(|model| {
        let answers = model.on(view)?;
        Some(answers.background(answers.first(at)?)).filter(|&b| b != NOBODY)
    });
    tested.or_else(|| set.pictures.as_ref()?.background(view, at))
}

fn of_view(set: &TestSet, at: usize, view: View) -> Value {
    let background = background(set, at, view);
    let answers: Vec<Value> = set
        .models
        .iter()
        .map(|model| match model.on(view) {
            Some(answers) => {
                let on_it = |&a: &usize| background.is_none_or(|b| answers.background(a) == b);
                let all = answers.of(at);
                let answer = all.clone().find(on_it).or_else(|| answers.first(at));
                answer.map_or(Value::Null, |answer| of_answer(answers, answer, all.len()))
            }
            None => Value::Null,
        })
        .collect();
    json!({
        "view": view.name(),
        "background": background.map(|b| reference(set, b)),
        "answers": answers,
    })
}

fn of_answer(answers: &Answers, answer: usize, of: usize) -> Value {
    json!({
        "predicted": class(answers.predicted(answer)),
        "best": answers.best(answer).collect::<Vec<_>>(),
        "of": of,
    })
}

/// The mixed pictures that this photograph's background took part in, by view.
fn uses(set: &TestSet, at: usize) -> Value {
    let Some(pictures) = &set.pictures else { return json!([]) };
    let of_view = |view: View| {
        let foregrounds = pictures.foregrounds_on(view, at as u32);
        let named: Vec<Value> = foregrounds.iter().take(NAMED).map(|&f| reference(set, f)).collect();
        json!({ "view": view.name(), "count": foregrounds.len(), "foregrounds": named })
    };
    View::MIXED.into_iter().map(of_view).collect()
}

/// How often this photograph's own background fools each model that it was tried on.
fn strengths(set: &TestSet, at: usize) -> Value {
    let of = |(m, model): (usize, &crate::collection::Model)| {
        let share = model.fooling.as_ref()?.strength(at as u32)?;
        Some(json!({ "model": m, "share": share }))
    };
    set.models.iter().enumerate().filter_map(of).collect()
}

/// The backgrounds that fool any model on this foreground: first those that fool the most models, of these the ones
/// that fool the most foregrounds.
fn fooled(set: &TestSet, at: usize) -> Value {
    let searched: Vec<usize> = (0..set.models.len())
        .filter(|&m| set.models[m].fooling.as_ref().is_some_and(|fooling| fooling.tries(at) > 0))
        .collect();
    let mut found: std::collections::BTreeMap<u32, Vec<Option<u16>>> = std::collections::BTreeMap::new();
    for (place, &m) in searched.iter().enumerate() {
        for (background, predicted) in set.models[m].fooling.iter().flat_map(|fooling| fooling.fooled(at)) {
            found.entry(background).or_insert_with(|| vec![None; searched.len()])[place] = Some(predicted);
        }
    }
    let strength = |background: u32| {
        let of = |&m: &usize| set.models[m].fooling.as_ref()?.strength(background);
        let known: Vec<f32> = searched.iter().filter_map(of).collect();
        if known.is_empty() { 0.0 } else { known.iter().sum::<f32>() / known.len() as f32 }
    };
    let mut order: Vec<(usize, f32, u32)> = found
        .iter()
        .map(|(&background, says)| (says.iter().flatten().count(), strength(background), background))
        .collect();
    order.sort_by(|a, b| b.0.cmp(&a.0).then(b.1.total_cmp(&a.1)).then(a.2.cmp(&b.2)));
    let listed: Vec<Value> = order
        .iter()
        .take(LISTED)
        .map(|&(_, strength, background)| {
            let says: Vec<Value> = searched
                .iter()
                .zip(&found[&background])
                .map(|(&m, says)| match says {
                    Some(predicted) => json!({ "model": m, "fooled": true, "predicted": class(*predicted) }),
                    // In a search of every background, one that did not fool left the answer right.
                    None => {
                        let right = set.models[m].fooling.as_ref().is_some_and(|f| f.exhaustive);
                        json!({ "model": m, "fooled": if right { Some(false) } else { None } })
                    }
                })
                .collect();
            json!({ "background": reference(set, background), "strength": strength, "says": says })
        })
        .collect();
    let searched: Vec<Value> = searched
        .iter()
        .filter_map(|&m| {
            let fooling = set.models[m].fooling.as_ref()?;
            Some(json!({ "model": m, "tries": fooling.tries(at), "fooled": fooling.fooled(at).len() }))
        })
        .collect();
    json!({ "searched": searched, "count": order.len(), "backgrounds": listed })
}

fn saliency(set: &TestSet, at: usize) -> Value {
    let of = |(m, model): (usize, &crate::collection::Model)| {
        let saliency = model.saliency.as_ref()?;
        let methods: Vec<&str> = saliency.methods(at as u32).collect();
        let rows = saliency.rows(at as u32);
        if rows.is_empty() && methods.is_empty() {
            return None;
        }
        Some(json!({ "model": m, "maps": rows, "pictures": methods }))
    };
    set.models.iter().enumerate().filter_map(of).collect()
}

fn effects(set: &TestSet, at: usize) -> Value {
    let of = |(m, model): (usize, &crate::collection::Model)| {
        let effects = model.effects.as_ref()?;
        let number = |v: f32| (!v.is_nan()).then_some(v);
        let background = number(effects.background[at])?;
        Some(json!({
            "model": m,
            "background": background,
            "foreground": number(effects.foreground[at]),
            "reliance": number(effects.reliance[at]),
        }))
    };
    set.models.iter().enumerate().filter_map(of).collect()
}
