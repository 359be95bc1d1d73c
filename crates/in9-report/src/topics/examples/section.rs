//! Real examples: one photograph of each class in all its views, with two networks' answers.

use crate::context::{Context, TestSet, TestSplit};
use crate::error::Result;
use crate::page::pictures::{SMALL, data_address};
use crate::page::{Block, Section, see};
use askama::Template;
use in9_analysis::ModelFrame;
use in9_base::rng;
use in9_data::View;

#[derive(Template)]
#[template(path = "topics/examples/examples.html")]
struct Page<'a> {
    views: &'a [View],
    rows: Vec<Row>,
    pixelated: bool,
    note: String,
}

struct Row {
    class: String,
    /// Where the explorer shows more of the photograph.
    see: String,
    cells: Vec<Picture>,
}

struct Picture {
    view: View,
    picture: String,
    answers: Vec<Answer>,
}

struct Answer {
    model: String,
    text: String,
    right: bool,
}

/// The section, if the main data set could be opened.
pub(crate) fn section(context: &Context) -> Result<Option<Section>> {
    let sets = context.test_sets();
    let Some(set) = sets.first() else { return Ok(None) };
    let Some(test) = context.test_split(set.split)? else { return Ok(None) };
    let networks: Vec<&ModelFrame> =
        ["original", "mixed-rand"].iter().filter_map(|t| Some(set.trained_on(t)?.0)).collect();
    let mut rows = Vec::new();
    for class in 0..context.classes() {
        if let Some(i) = choose(&test, class as u16, context.spec.seed) {
            rows.push(row(context, set, &test, &networks, i)?);
        }
    }
    if rows.is_empty() {
        return Ok(None);
    }
    let names: Vec<&str> = networks.iter().map(|m| m.label()).collect();
    let note = match names.as_slice() {
        [] => "No network was tested on these photographs.".to_owned(),
        names => format!(
            "Under each picture, line by line: the answers of the networks trained on {}.",
            names.join(" and on ")
        ),
    };
    let views: Vec<View> = rows[0].cells.iter().map(|c| c.view).collect();
    let page = Page { views: &views, rows, pixelated: test.split.size() <= SMALL, note };
    Ok(Some(Section {
        id: "examples",
        title: "One photograph, eight ways".into(),
        lead: lead(set),
        blocks: vec![Block::Html(page.render()?)],
    }))
}

fn lead(set: &TestSet<'_>) -> String {
    format!(
        "Each row is one photograph of {} {} taken apart and put together again: without its object, \
         without its background, and with its object on other photographs' backgrounds.",
        set.dataset, set.split
    )
}

/// A photograph of the class drawn by the seed, preferably with a foreground that can be seen well.
fn choose(test: &TestSplit, class: u16, seed: u64) -> Option<usize> {
    let area = (test.split.size() * test.split.size()) as f64;
    let of_class: Vec<usize> =
        (0..test.split.len()).filter(|&i| test.split.sample(i).class == class).collect();
    let seen_well = |&i: &usize| {
        let share = f64::from(test.split.sample(i).mask_area) / area;
        (0.12..0.5).contains(&share)
    };
    let good: Vec<usize> = of_class.iter().copied().filter(seen_well).collect();
    let from = if good.is_empty() { of_class } else { good };
    let mut random = rng::stream(seed, "examples", u64::from(class), 0);
    (!from.is_empty()).then(|| from[rng::below(&mut random, from.len() as u32) as usize])
}

fn row(
    context: &Context,
    set: &TestSet<'_>,
    test: &TestSplit,
    networks: &[&ModelFrame],
    i: usize,
) -> Result<Row> {
    let sample = test.split.sample(i);
    let class = context.frame.classes.get(usize::from(sample.class)).cloned().unwrap_or_default();
    let mut cells = Vec::new();
    for view in View::PAPER {
        let Some(rgb) = test.picture(view, i) else { continue };
        let answers = networks.iter().filter_map(|m| answer(context, m, view, &sample.id));
        cells.push(Picture {
            view,
            picture: data_address(&rgb, test.split.size())?,
            answers: answers.collect(),
        });
    }
    Ok(Row { class, see: see::photograph(set.dataset, set.split, &sample.id), cells })
}

fn answer(context: &Context, model: &ModelFrame, view: View, id: &str) -> Option<Answer> {
    let position = model.foregrounds.binary_search_by(|f| (*f.id).cmp(id)).ok()?;
    let outcome = *model.by_foreground(view).get(position)?.as_ref()?;
    let text = match outcome.predicted {
        Some(class) => context.frame.classes.get(usize::from(class))?.clone(),
        None => "(outside)".into(),
    };
    Some(Answer { model: model.label().into(), text, right: outcome.correct() })
}
