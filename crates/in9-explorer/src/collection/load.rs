//! Reading a collection.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use in9_analysis::metrics::summarise_model;
use in9_analysis::stats::Bootstrap;
use in9_analysis::{Key, training_order};
use in9_base::table::Limits;
use in9_data::predictions::{self, Reader, Row};
use in9_data::{Dataset, View};

use super::answers::Builder;
use super::fooling::Fooling;
use super::probe::{Effects, Source};
use super::saliency::Saliency;
use super::{Collection, Model, NOBODY, Photographs, Pictures, TestSet};
use crate::error::{Error, Result};
use crate::inputs::Inputs;

/// How much of a table is read: of each row about 40 bytes are kept.
const LIMITS: Limits = Limits { rows: 4_000_000, ..predictions::LIMITS };

/// A test set that is still growing.
struct Draft {
    dataset: String,
    split: String,
    classes: Vec<String>,
    class_index: HashMap<String, u16>,
    /// Photographs of an open split; `None` if tables alone name them.
    photographs: Option<Photographs>,
    pictures: Option<Pictures>,
    index: HashMap<Box<str>, u32>,
    /// Photographs that tables alone name.
    found: Vec<(Box<str>, u16)>,
    models: BTreeMap<Key, [Builder; View::ALL.len()]>,
}

pub(super) fn load(inputs: &Inputs, bootstrap: &Bootstrap) -> Result<Collection> {
    let mut notices = Vec::new();
    let mut drafts = Vec::new();
    for (name, path) in &inputs.datasets {
        add_dataset(name, path, &mut drafts, &mut notices);
    }
    for path in &inputs.predictions {
        if let Err(error) = add_table(path, &mut drafts, &mut notices) {
            notices.push(format!("a prediction table is left out: {error}"));
        }
    }
    let mut sets: Vec<TestSet> = drafts.into_iter().map(Draft::finish).collect();
    for folder in &inputs.probes {
        if let Err(error) = add_probe(folder, &mut sets, &mut notices) {
            notices.push(format!("a probe's output is left out: {error}"));
        }
    }
    for set in &mut sets {
        for at in 0..set.models.len() {
            let frame = set.models[at].frame(&set.photographs);
            match summarise_model(&frame, set.classes.len(), bootstrap) {
                Ok(summary) => set.models[at].summary = Some(summary),
                Err(error) => notices.push(format!("no numbers of {}: {error}", set.models[at].id)),
            }
        }
    }
    sets.retain(|set| set.photographs.len() > 0);
    if sets.is_empty() {
        return Err(Error::Empty { reasons: notices });
    }
    let is_main = |set: &TestSet| inputs.main.as_deref() == Some(set.dataset.as_str());
    // What models were tested on comes first, and of that what the report is about.
    sets.sort_by_key(|set| (set.models.is_empty(), !is_main(set)));
    Ok(Collection {
        title: inputs.title.clone(),
        sets,
        notices,
        report: inputs.report.clone(),
        bootstrap: *bootstrap,
    })
}

fn add_dataset(name: &str, path: &Path, drafts: &mut Vec<Draft>, notices: &mut Vec<String>) {
    let dataset = match Dataset::open(path) {
        Ok(dataset) => dataset,
        Err(error) => return notices.push(format!("dataset {name} is left out: {error}")),
    };
    let classes: Vec<String> = dataset.taxonomy().classes.iter().map(|class| class.name.clone()).collect();
    for split in dataset.splits() {
        let mut draft = Draft::new(name, split, classes.clone());
        match Pictures::open(&dataset, split, |what| notices.push(format!("{name}, {split}: {what}"))) {
            Ok(pictures) => {
                let samples = pictures.split().samples().map(|s| (s.id.as_str().into(), s.class));
                let photographs = Photographs::new(samples);
                draft.index = photographs.index();
                draft.photographs = Some(photographs);
                draft.pictures = Some(pictures);
            }
            Err(error) => notices.push(format!("no pictures of {name}, {split}: {error}")),
        }
        drafts.push(draft);
    }
}

fn add_table(path: &Path, drafts: &mut Vec<Draft>, notices: &mut Vec<String>) -> Result<()> {
    let mut reader = Reader::open_within(path, LIMITS)?;
    let classes = reader.classes().to_vec();
    let known = drafts.len();
    let (mut unknown, mut classless, mut rows) = (0u64, 0u64, 0u64);
    // The place of each of the table's classes in the classes of the test set that the row is about.
    let mut maps: HashMap<usize, Vec<Option<u16>>> = HashMap::new();
    // Kept apart until the end: nothing of a table with mistakes is shown.
    let mut models: BTreeMap<(usize, Key), [Builder; View::ALL.len()]> = BTreeMap::new();
    let read = loop {
        let row = match reader.next_row() {
            Ok(Some(row)) => row,
            Ok(None) => break reader.finish(),
            Err(error) => break Err(error),
        };
        rows += 1;
        let at = match drafts.iter().position(|d| d.dataset == row.dataset && d.split == row.split) {
            Some(at) => at,
            None => {
                drafts.push(Draft::new(&row.dataset, &row.split, classes.clone()));
                drafts.len() - 1
            }
        };
        let draft = &mut drafts[at];
        let map = maps.entry(at).or_insert_with(|| {
            classes.iter().map(|name| draft.class_index.get(name.as_str()).copied()).collect()
        });
        match draft.place(&row, map) {
            Placed::At(photograph) => {
                let views = models.entry((at, key_of(&row))).or_default();
                draft.answer(views, photograph, &row, map);
            }
            Placed::UnknownPhotograph => unknown += 1,
            Placed::UnknownClass => classless += 1,
        }
    };
    if let Err(error) = read {
        drafts.truncate(known);
        return Err(error.into());
    }
    for ((at, key), views) in models {
        for (all, new) in drafts[at].models.entry(key).or_default().iter_mut().zip(views) {
            all.append(new);
        }
    }
    for (count, what) in [(unknown, "photographs"), (classless, "classes")] {
        if count > 0 {
            let path = path.display();
            notices.push(format!(
                "{path}: {count} of {rows} rows are left out: they name {what} that the dataset does not have"
            ));
        }
    }
    Ok(())
}

fn key_of(row: &Row) -> Key {
    Key {
        dataset: row.dataset.clone(),
        split: row.split.clone(),
        trained_on: row.trained_on.clone(),
        arch: row.arch.clone(),
        model: row.model.clone(),
        training: row.training.clone(),
    }
}

fn add_probe(folder: &Path, sets: &mut [TestSet], notices: &mut Vec<String>) -> Result<()> {
    let source = Source::read(folder)?;
    let input = |what: String| Error::Input { path: folder.to_owned(), what };
    let set = sets.iter_mut().find(|set| set.dataset == source.dataset && set.split == source.split);
    let Some(set) = set else {
        return Err(input(format!("is about {}, {}, which is not here", source.dataset, source.split)));
    };
    let TestSet { models, photographs, classes, .. } = set;
    let Some(model) = models.iter_mut().find(|model| model.key.model == source.model) else {
        return Err(input(format!("is about {}, of which there is no prediction table", source.model)));
    };
    let class = |name: &str| classes.iter().position(|class| class == name).map(|at| at as u16);
    let unknown = if folder.join("fooled.csv").exists() {
        let (fooling, unknown) = Fooling::read(folder, &source, photographs, class)?;
        model.fooling = Some(fooling);
        unknown
    } else if folder.join("maps.csv").exists() {
        let (saliency, unknown) = Saliency::read(folder, photographs)?;
        model.saliency = Some(saliency);
        unknown
    } else if folder.join("effects.csv").exists() {
        let (effects, unknown) = Effects::read(folder, photographs)?;
        model.effects = Some(effects);
        unknown
    } else {
        return Err(input("holds no table of a probe (expected fooled.csv, maps.csv or effects.csv)".into()));
    };
    if unknown > 0 {
        let folder = folder.display();
        notices.push(format!(
            "{folder}: {unknown} rows are left out: they name photographs that the dataset does not have"
        ));
    }
    Ok(())
}

/// Where a row belongs.
enum Placed {
    At(u32),
    UnknownPhotograph,
    UnknownClass,
}

impl Draft {
    fn new(dataset: &str, split: &str, classes: Vec<String>) -> Self {
        Self {
            dataset: dataset.to_owned(),
            split: split.to_owned(),
            class_index: classes.iter().cloned().zip(0..).collect(),
            classes,
            photographs: None,
            pictures: None,
            index: HashMap::new(),
            found: Vec::new(),
            models: BTreeMap::new(),
        }
    }

    /// The photograph that a row is about. A test set without a dataset learns of its photographs by it.
    fn place(&mut self, row: &Row, map: &[Option<u16>]) -> Placed {
        let Some(truth) = map.get(usize::from(row.class)).copied().flatten() else {
            return Placed::UnknownClass;
        };
        let id = if row.foreground.is_empty() { &row.image } else { &row.foreground };
        let photograph = match self.index.get(id.as_str()) {
            Some(&photograph) => photograph,
            None if self.photographs.is_some() => return Placed::UnknownPhotograph,
            None => {
                let new = self.found.len() as u32;
                self.index.insert(id.as_str().into(), new);
                self.found.push((id.as_str().into(), truth));
                new
            }
        };
        // A row that gives a photograph another class than the dataset would turn right into wrong.
        let known = match &self.photographs {
            Some(photographs) => photographs.class(photograph as usize),
            None => self.found[photograph as usize].1,
        };
        if known == truth { Placed::At(photograph) } else { Placed::UnknownClass }
    }

    fn answer(
        &self,
        views: &mut [Builder; View::ALL.len()],
        photograph: u32,
        row: &Row,
        map: &[Option<u16>],
    ) {
        let class = |at: u16| map.get(usize::from(at)).copied().flatten();
        let background = self.index.get(row.background.as_str()).copied().unwrap_or(NOBODY);
        let unknown = if row.scores.is_empty() { f32::NAN } else { 0.0 };
        let mut scores = vec![unknown; self.classes.len()];
        for (at, &score) in (0u16..).zip(&row.scores) {
            if let Some(class) = class(at) {
                scores[usize::from(class)] = score;
            }
        }
        let place = View::ALL.iter().position(|&view| view == row.view).unwrap_or(0);
        views[place].add(photograph, background, row.predicted.and_then(class), &scores);
    }

    fn finish(self) -> TestSet {
        let photographs = self.photographs.unwrap_or_else(|| Photographs::new(self.found));
        let mut models: Vec<Model> = Vec::new();
        for (key, views) in self.models {
            let mut all = View::ALL.into_iter();
            let answers = views.map(|builder| {
                let mixed = all.next().is_some_and(View::needs_background);
                let id = |background: u32| photographs.id(background as usize);
                (!builder.is_empty()).then(|| builder.finish(photographs.len(), mixed, id))
            });
            models.push(Model {
                id: String::new(),
                key,
                answers,
                summary: None,
                effects: None,
                fooling: None,
                saliency: None,
            });
        }
        models.sort_by_cached_key(|model| (training_order(&model.key.trained_on), model.key.clone()));
        name_uniquely(&mut models);
        let Self { dataset, split, classes, pictures, .. } = self;
        TestSet { dataset, split, classes, photographs, pictures, models }
    }
}

/// Gives every model a name for addresses: its own, with a number if another has it already.
fn name_uniquely(models: &mut [Model]) {
    let mut seen: HashMap<String, usize> = HashMap::new();
    for model in models {
        let count = seen.entry(model.key.model.clone()).or_default();
        *count += 1;
        model.id = match *count {
            1 => model.key.model.clone(),
            n => format!("{} ({n})", model.key.model),
        };
    }
}
