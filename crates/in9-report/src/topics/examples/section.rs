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
struct Page {
    rows: Vec<Row>,
    pixelated: bool,
    networks: Vec<Network>,
}

struct Network {
    letter: char,
    name: String,
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
    letter: char,
    text: String,
    right: bool,
}

/// Networks whose answers stand under each picture; of more the pictures would drown in them.
const NETWORKS: usize = 4;

/// Classes that are shown.
const CLASSES: usize = 24;

/// The section, if the main data set could be opened.
pub(crate) fn section(context: &Context) -> Result<Option<Section>> {
    let sets = context.test_sets();
    let Some(set) = sets.first() else { return Ok(None) };
    let Some(test) = context.test_split(set.split)? else { return Ok(None) };
    let shown = set.shown(NETWORKS);
    let networks: Vec<(char, &ModelFrame)> = ('A'..='Z').zip(shown.iter().map(|(m, _)| *m)).collect();
    let mut rows = Vec::new();
    for class in 0..context.classes().min(CLASSES) {
        if let Some(i) = choose(&test, class as u16, context.spec.seed) {
            rows.push(row(context, set, &test, &networks, i)?);
        }
    }
    if rows.is_empty() {
        return Ok(None);
    }
    let named = ('A'..='Z').zip(&shown).map(|(letter, (_, m))| Network { letter, name: set.phrase(m) });
    let page = Page { rows, pixelated: test.split.size() <= SMALL, networks: named.collect() };
    Ok(Some(Section {
        id: "examples",
        title: "One photograph of each class, eight ways".into(),
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
    networks: &[(char, &ModelFrame)],
    i: usize,
) -> Result<Row> {
    let sample = test.split.sample(i);
    let class = context.frame.classes.get(usize::from(sample.class)).cloned().unwrap_or_default();
    let mut cells = Vec::new();
    for view in View::PAPER {
        let Some(rgb) = test.picture(view, i) else { continue };
        let answers = networks.iter().filter_map(|(letter, m)| answer(context, *letter, m, view, &sample.id));
        cells.push(Picture {
            view,
            picture: data_address(&rgb, test.split.size())?,
            answers: answers.collect(),
        });
    }
    Ok(Row { class, see: see::photograph(set.dataset, set.split, &sample.id), cells })
}

fn answer(context: &Context, letter: char, model: &ModelFrame, view: View, id: &str) -> Option<Answer> {
    let position = model.foregrounds.binary_search_by(|f| (*f.id).cmp(id)).ok()?;
    let outcome = *model.by_foreground(view).get(position)?.as_ref()?;
    let text = match outcome.predicted {
        Some(class) => context.frame.classes.get(usize::from(class))?.clone(),
        None => "(outside)".into(),
    };
    Some(Answer { letter, text, right: outcome.correct() })
}
