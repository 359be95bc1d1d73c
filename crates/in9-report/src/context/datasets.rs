//! The data sets of a report, as far as they can be opened.

use crate::error::Result;
use crate::spec::DatasetEntry;
use in9_base::table::{Limits, Table};
use in9_data::{Dataset, Pairing, SoundSplit, View};
use std::collections::BTreeMap;

/// An open data set.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// Its entry in the list.
    pub(crate) entry: DatasetEntry,
    /// The data set.
    pub(crate) dataset: Dataset,
    /// Rejected photographs by (split, class, rule); the class is empty if the label is unknown.
    pub(crate) rejected: BTreeMap<(String, String, String), u64>,
}

/// A test split with the frozen pairings of the mixed views.
#[derive(Debug)]
pub(crate) struct TestSplit {
    /// The split.
    pub(crate) split: SoundSplit,
    /// Background of each foreground, by mixed view.
    pub(crate) pairings: BTreeMap<View, Pairing>,
}

impl Loaded {
    /// Opens the data set of an entry.
    ///
    /// # Errors
    /// If there is none or its tables are damaged.
    pub(crate) fn open(entry: &DatasetEntry) -> Result<Self> {
        let dataset = Dataset::open(&entry.path)?;
        let path = entry.path.join("rejected.csv");
        let mut rejected = BTreeMap::new();
        if path.try_exists().unwrap_or(true) {
            let mut table = Table::open(&path, Limits::default())?;
            let places = (table.column("split"), table.column("fine"), table.column("rule"));
            while let (Some((_, row)), (Some(split), Some(fine), Some(rule))) = (table.next_row()?, places) {
                let key = (row[split].to_owned(), class_of(&dataset, &row[fine]), row[rule].to_owned());
                *rejected.entry(key).or_insert(0) += 1;
            }
            table.finish()?;
        }
        Ok(Self { entry: entry.clone(), dataset, rejected })
    }

    /// A split with its pairings, if the data set has both.
    ///
    /// # Errors
    /// If a shard or a pairing is damaged.
    pub(crate) fn test_split(&self, name: &str) -> Result<Option<TestSplit>> {
        if !self.dataset.splits().contains(&name) {
            return Ok(None);
        }
        let split = self.dataset.split(name)?.check_layers()?;
        let mut pairings = BTreeMap::new();
        for view in View::ALL.into_iter().filter(|v| v.needs_background()) {
            if let Ok(pairing) = Pairing::frozen(&self.dataset, &split, view) {
                pairings.insert(view, pairing);
            }
        }
        Ok(Some(TestSplit { split, pairings }))
    }
}

impl TestSplit {
    /// A view of photograph `i` as RGB bytes; `None` if it needs a pairing that there is not.
    pub(crate) fn picture(&self, view: View, i: usize) -> Option<Vec<u8>> {
        let background = if view.needs_background() {
            let partner = *self.pairings.get(&view)?.0.get(i)? as usize;
            Some(self.split.layers(partner).tiled)
        } else {
            None
        };
        let mut rgb = vec![0; 3 * self.split.size() * self.split.size()];
        let layers = self.split.layers(i);
        let crop_box = self.split.sample(i).crop_box;
        in9_data::compose(view, &layers, crop_box, background, self.split.size(), &mut rgb);
        Some(rgb)
    }
}

fn class_of(dataset: &Dataset, fine: &str) -> String {
    let taxonomy = dataset.taxonomy();
    let named = || taxonomy.classes.iter().position(|c| c.name == fine || c.folder == fine);
    let class = taxonomy.class_of_synset(fine).or_else(named);
    class.and_then(|c| taxonomy.classes.get(c)).map(|c| c.name.clone()).unwrap_or_default()
}
