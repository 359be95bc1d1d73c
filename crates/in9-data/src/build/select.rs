//! Which of the accepted photographs make up which split.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use in9_base::rng::{stream, text_key};
use rand_chacha::rand_core::Rng;

use crate::dataset::tables::Rejected;
use crate::shard::Sample;
use crate::sources::Item;

use super::Settings;
use super::chunk::RejectedItem;

/// An accepted photograph: its number in the source's list and where its layers are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Accepted<'a> {
    pub(super) item: u64,
    pub(super) sample: &'a Sample,
    /// Chunk and place in it.
    pub(super) place: (usize, usize),
}

/// The splits, each in the list's order.
pub(super) type Splits<'a> = BTreeMap<String, Vec<Accepted<'a>>>;

/// Leaves `scale` of the items of each split and class, at least one, drawn by the seed; their order stays.
pub(super) fn thin(items: &mut Vec<Item>, scale: f64, seed: u64) {
    if scale >= 1.0 {
        return;
    }
    let mut members: BTreeMap<(Arc<str>, u16), Vec<usize>> = BTreeMap::new();
    for (at, item) in items.iter().enumerate() {
        members.entry((item.split.clone(), item.class)).or_default().push(at);
    }
    let mut kept = vec![false; items.len()];
    for mut list in members.into_values() {
        let count = (list.len() as f64 * scale).ceil().max(1.0) as usize;
        list.sort_by_cached_key(|&at| (stream(seed, "scale", text_key(&items[at].source), 0).next_u64(), at));
        list.iter().take(count).for_each(|&at| kept[at] = true);
    }
    let mut kept = kept.into_iter();
    items.retain(|_| kept.next().unwrap_or(false));
}

/// Takes duplicates out, holds out, caps and balances. Every choice is keyed by the sample's id.
pub(super) fn select<'a>(
    accepted: Splits<'a>,
    classes: usize,
    settings: &Settings,
    rejected: &mut Vec<RejectedItem>,
) -> Splits<'a> {
    let mut splits: Splits<'a> = BTreeMap::new();
    for (split, list) in accepted {
        let mut seen = HashSet::new();
        let (unique, doubles): (Vec<_>, Vec<_>) = list.into_iter().partition(|a| seen.insert(&a.sample.id));
        rejected.extend(doubles.iter().map(|a| reject(a, &split, "duplicate-id", a.sample.id.clone(), true)));
        if split == "train" && settings.holdout > 0.0 {
            let (train, held) = hold_out(unique, classes, settings);
            splits.entry("val".into()).or_default().extend(held);
            splits.insert(split, train);
        } else {
            splits.entry(split).or_default().extend(unique);
        }
    }
    for (split, list) in &mut splits {
        let cap = match split.as_str() {
            "train" => settings.per_class,
            "test" => settings.test_per_class,
            _ => None,
        };
        let mut members = by_class(std::mem::take(list), classes);
        let smallest = members.iter().map(Vec::len).filter(|&n| n > 0).min().unwrap_or(0);
        let balanced = settings.balance.then_some(smallest);
        let limits = [(cap.map(|cap| cap as usize), "over-cap"), (balanced, "balance")];
        for class in &mut members {
            for (limit, rule) in limits {
                let Some(limit) = limit.filter(|&limit| limit < class.len()) else { continue };
                order(class, settings.seed, "cap");
                for extra in class.drain(limit..) {
                    rejected.push(reject(&extra, split, rule, format!("{limit} a class are kept"), false));
                }
            }
        }
        *list = members.into_iter().flatten().collect();
        list.sort_unstable_by_key(|a| a.item);
    }
    splits
}

fn hold_out<'a>(
    list: Vec<Accepted<'a>>,
    classes: usize,
    settings: &Settings,
) -> (Vec<Accepted<'a>>, Vec<Accepted<'a>>) {
    let (mut train, mut held) = (Vec::new(), Vec::new());
    for mut class in by_class(list, classes) {
        order(&mut class, settings.seed, "holdout");
        let count = (class.len() as f64 * settings.holdout).round() as usize;
        train.extend(class.split_off(count.min(class.len())));
        held.extend(class);
    }
    train.sort_unstable_by_key(|a| a.item);
    held.sort_unstable_by_key(|a| a.item);
    (train, held)
}

fn by_class(list: Vec<Accepted<'_>>, classes: usize) -> Vec<Vec<Accepted<'_>>> {
    let mut members = vec![Vec::new(); classes];
    for accepted in list {
        members[usize::from(accepted.sample.class)].push(accepted);
    }
    members
}

/// Random order, keyed by id.
fn order(list: &mut [Accepted<'_>], seed: u64, purpose: &str) {
    list.sort_by_cached_key(|a| {
        (stream(seed, purpose, text_key(&a.sample.id), 0).next_u64(), a.sample.id.clone())
    });
}

fn reject(accepted: &Accepted<'_>, split: &str, rule: &str, detail: String, fault: bool) -> RejectedItem {
    let row = Rejected {
        split: split.into(),
        source: accepted.sample.source.clone(),
        fine: accepted.sample.fine.clone(),
        rule: rule.into(),
        detail,
    };
    RejectedItem { item: accepted.item, row, fault }
}
