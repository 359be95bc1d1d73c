//! The photographs of a test set: names and classes.

use std::collections::HashMap;

/// Ids and classes, in the order of the split or, without one, in which tables name them.
#[derive(Debug, Default)]
pub(crate) struct Photographs {
    ids: Vec<Box<str>>,
    classes: Vec<u16>,
    /// Numbers of the photographs in the order of their ids.
    by_id: Vec<u32>,
}

impl Photographs {
    pub(crate) fn new(photographs: impl IntoIterator<Item = (Box<str>, u16)>) -> Self {
        let (ids, classes): (Vec<Box<str>>, Vec<u16>) = photographs.into_iter().unzip();
        let mut by_id: Vec<u32> = (0..ids.len()).map(|i| u32::try_from(i).unwrap_or(u32::MAX)).collect();
        by_id.sort_by(|&a, &b| ids[a as usize].cmp(&ids[b as usize]));
        Self { ids, classes, by_id }
    }

    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    pub(crate) fn id(&self, photograph: usize) -> &str {
        &self.ids[photograph]
    }

    pub(crate) fn class(&self, photograph: usize) -> u16 {
        self.classes[photograph]
    }

    pub(crate) fn classes(&self) -> &[u16] {
        &self.classes
    }

    /// Numbers of the photographs in the order of their ids.
    pub(crate) fn by_id(&self) -> &[u32] {
        &self.by_id
    }

    /// Number of the photograph with this id.
    pub(crate) fn find(&self, id: &str) -> Option<u32> {
        let at = self.by_id.binary_search_by(|&i| (*self.ids[i as usize]).cmp(id)).ok()?;
        Some(self.by_id[at])
    }

    /// An index from ids to numbers that can grow.
    pub(crate) fn index(&self) -> HashMap<Box<str>, u32> {
        self.ids.iter().cloned().zip(0..).collect()
    }
}
