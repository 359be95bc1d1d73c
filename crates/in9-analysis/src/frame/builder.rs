//! From rows in any order to frames.

use super::{Foreground, Frame, Key, ModelFrame, NO_BACKGROUND, NO_CLASS, Outcome, training_order};
use crate::error::{Error, Result};
use in9_data::View;
use in9_data::predictions::{MOST_NAMES, Row};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Collects rows, of which it keeps numbers only.
#[derive(Default)]
pub(super) struct Builder {
    /// Where the classes were first named, and they.
    classes: Option<(String, Vec<String>)>,
    names: Names,
    models: BTreeMap<Key, BTreeMap<View, Vec<Kept>>>,
}

/// What is kept of a row beside its model and view; texts by their places in [`Names`].
#[derive(Debug, Clone, Copy)]
struct Kept {
    image: u32,
    foreground: u32,
    background: u32,
    class: u16,
    background_class: u16,
    predicted: Option<u16>,
}

/// Texts that each stand in memory once.
#[derive(Default)]
struct Names {
    places: HashMap<Arc<str>, u32>,
    texts: Vec<Arc<str>>,
}

impl Names {
    fn place(&mut self, text: &str) -> Result<u32> {
        if let Some(place) = self.places.get(text) {
            return Ok(*place);
        }
        if self.texts.len() == MOST_NAMES {
            return Err(Error::TooManyNames { limit: MOST_NAMES });
        }
        let (shared, place) = (Arc::<str>::from(text), self.texts.len() as u32);
        self.texts.push(Arc::clone(&shared));
        self.places.insert(shared, place);
        Ok(place)
    }

    fn text(&self, place: u32) -> &Arc<str> {
        &self.texts[place as usize]
    }
}

impl Builder {
    /// Notes the classes that a table names.
    pub(super) fn table(&mut self, name: &str, classes: &[String]) -> Result<()> {
        match &self.classes {
            None => self.classes = Some((name.to_owned(), classes.to_vec())),
            Some((first, known)) if known != classes => {
                return Err(Error::DifferentClasses {
                    first: first.clone(),
                    second: name.to_owned(),
                    expected: known.clone(),
                    found: classes.to_vec(),
                });
            }
            Some(_) => {}
        }
        Ok(())
    }

    /// Adds a prediction.
    pub(super) fn add(&mut self, row: Row) -> Result<()> {
        let image = self.names.place(&row.image)?;
        let kept = Kept {
            image,
            foreground: if row.foreground.is_empty() { image } else { self.names.place(&row.foreground)? },
            background: self.names.place(&row.background)?,
            class: row.class,
            background_class: row.background_class.unwrap_or(NO_CLASS),
            predicted: row.predicted,
        };
        let Row { model, arch, trained_on, dataset, split, view, training, .. } = row;
        let key = Key { dataset, split, trained_on, arch, model, training };
        self.models.entry(key).or_default().entry(view).or_default().push(kept);
        Ok(())
    }

    /// Sorts everything that was added.
    pub(super) fn finish(self) -> Result<Frame> {
        let Some((_, classes)) = self.classes else { return Err(Error::NoTables) };
        let names = self.names;
        let models = self.models.into_iter().map(|(key, views)| model(key, views, &names));
        let mut models = models.collect::<Result<Vec<_>>>()?;
        models.sort_by_cached_key(|m| {
            let order = training_order(&m.key.trained_on);
            (m.key.dataset.clone(), m.key.split.clone(), order, m.key.clone())
        });
        Ok(Frame { classes, models })
    }
}

fn model(key: Key, views: BTreeMap<View, Vec<Kept>>, names: &Names) -> Result<ModelFrame> {
    let mut classes: HashMap<u32, u16> = HashMap::new();
    for kept in views.values().flatten() {
        let class = *classes.entry(kept.foreground).or_insert(kept.class);
        if class != kept.class {
            return Err(Error::TwoClasses {
                model: key.model,
                foreground: names.text(kept.foreground).to_string(),
                expected: class,
                found: kept.class,
            });
        }
    }
    let mut order: Vec<u32> = classes.keys().copied().collect();
    order.sort_unstable_by(|a, b| names.text(*a).cmp(names.text(*b)));
    let foregrounds =
        order.iter().map(|f| Foreground { id: Arc::clone(names.text(*f)), class: classes[f] }).collect();
    let index: HashMap<u32, u32> = order.iter().zip(0..).map(|(&f, i)| (f, i)).collect();
    let mut sorted = BTreeMap::new();
    for (view, mut list) in views {
        // Stable, so that of several backgrounds the first row's, the frozen pairing's, stays the first.
        list.sort_by_key(|kept| index[&kept.foreground]);
        for group in list.chunk_by(|a, b| a.foreground == b.foreground).filter(|group| group.len() > 1) {
            let mut pairs: Vec<(u32, u32)> = group.iter().map(|kept| (kept.background, kept.image)).collect();
            pairs.sort_unstable();
            if let Some(twice) = pairs.windows(2).find(|pair| pair[0] == pair[1]) {
                let image = names.text(twice[0].1).to_string();
                return Err(Error::PredictedTwice { model: key.model, view, image });
            }
        }
        let outcome = |kept: &Kept| Outcome {
            foreground: index[&kept.foreground],
            class: kept.class,
            predicted: kept.predicted,
            background: if names.text(kept.background).is_empty() { NO_BACKGROUND } else { kept.background },
            background_class: kept.background_class,
        };
        sorted.insert(view, list.iter().map(outcome).collect());
    }
    Ok(ModelFrame { key, foregrounds, views: sorted })
}
