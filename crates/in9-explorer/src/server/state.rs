//! What the routes share: the collection, and the answers that are worked out once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use in9_data::View;

use crate::answerer::{Answer, Answerer};
use crate::collection::Collection;
use crate::columns::Columns;
use crate::documents;
use crate::error::{Error, Result};
use crate::interface;

/// Comparisons that are kept.
const COMPARISONS: usize = 64;
/// Live answers that are kept, each with a picture or none.
const LIVE: usize = 32;

pub(super) struct State {
    pub(super) collection: Collection,
    pub(super) page: Bytes,
    pub(super) contents: Bytes,
    /// The columns of each test set.
    pub(super) columns: Vec<Bytes>,
    answerers: Vec<Box<dyn Answerer>>,
    comparisons: Mutex<HashMap<[usize; 3], Bytes>>,
    live: Mutex<HashMap<[usize; 4], Arc<Answer>>>,
}

impl State {
    pub(super) fn new(collection: Collection, answerers: Vec<Box<dyn Answerer>>) -> Self {
        let columns: Vec<Columns> = collection
            .sets
            .iter()
            .map(|set| {
                let all: Vec<u32> = (0..set.photographs.len() as u32).collect();
                Columns::of(set, &all)
            })
            .collect();
        let live: Vec<String> = answerers.iter().map(|answerer| answerer.name().to_owned()).collect();
        let contents = documents::contents(&collection, &columns, &live).to_string().into();
        Self {
            contents,
            columns: columns.into_iter().map(|columns| columns.bytes.into()).collect(),
            page: interface::served().into(),
            collection,
            answerers,
            comparisons: Mutex::default(),
            live: Mutex::default(),
        }
    }

    /// A comparison as JSON; it takes a moment the first time.
    pub(super) fn comparison(&self, set: usize, first: usize, second: usize) -> Result<Bytes> {
        let key = [set, first, second];
        if let Ok(known) = self.comparisons.lock()
            && let Some(bytes) = known.get(&key)
        {
            return Ok(bytes.clone());
        }
        let bytes: Bytes = documents::comparison(&self.collection, set, first, second)?.to_string().into();
        if let Ok(mut known) = self.comparisons.lock() {
            if known.len() >= COMPARISONS {
                known.clear();
            }
            known.insert(key, bytes.clone());
        }
        Ok(bytes)
    }

    pub(super) fn answerers(&self) -> &[Box<dyn Answerer>] {
        &self.answerers
    }

    /// What a network says of a foreground on a background.
    pub(super) fn live(
        &self,
        network: usize,
        set: usize,
        foreground: usize,
        background: usize,
    ) -> Result<Arc<Answer>> {
        let limit = self.answerers.len();
        let missing = Error::OutOfRange { what: "network", limit, found: network };
        let answerer = self.answerers.get(network).ok_or(missing)?;
        let key = [network, set, foreground, background];
        if let Ok(known) = self.live.lock()
            && let Some(answer) = known.get(&key)
        {
            return Ok(answer.clone());
        }
        let of = self.collection.set(set)?;
        if answerer.classes() != of.classes {
            let what = format!("{} was trained on other classes than {} has", answerer.name(), of.name());
            return Err(Error::Answerer(what));
        }
        of.check(foreground)?;
        of.check(background)?;
        let pictures = of.pictures()?;
        let rgb = pictures.compose(View::MixedRand, foreground, u32::try_from(background).ok())?;
        let answer = Arc::new(answerer.answer(&rgb, pictures.size())?);
        if let Ok(mut known) = self.live.lock() {
            if known.len() >= LIVE {
                known.clear();
            }
            known.insert(key, answer.clone());
        }
        Ok(answer)
    }
}
