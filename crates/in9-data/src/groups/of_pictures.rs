//! The groups of a split's pictures, by number.

use std::collections::BTreeMap;

use super::{Grouping, Words};
use crate::dataset::Split;
use crate::error::Result;
use crate::taxonomy::Taxonomy;

/// A group: pictures of a class on one kind of background.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group {
    /// The class, an index into the taxonomy.
    pub class: u16,
    /// The kind of background, in the metadata's words, or the class that it shows.
    pub name: String,
}

/// Which group each of some pictures is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Groups {
    /// The groups that occur, by ascending class and name.
    pub groups: Vec<Group>,
    /// The group of each picture, an index into `groups`, in the order in which the pictures were given.
    pub of: Vec<u32>,
}

impl Groups {
    /// The groups of `pictures`: places of samples in `split`, and of those that gave the backgrounds.
    ///
    /// # Errors
    /// [`Error::NoGroup`](crate::Error::NoGroup), [`Error::NoBackground`](crate::Error::NoBackground) and
    /// [`Error::GroupClass`](crate::Error::GroupClass), as the metadata or the view have it.
    ///
    /// # Panics
    /// If a place is outside the split.
    pub fn of(
        grouping: &Grouping,
        taxonomy: &Taxonomy,
        split: &Split,
        pictures: impl IntoIterator<Item = (u32, Option<u32>)>,
    ) -> Result<Self> {
        let classes: Vec<String> = taxonomy.classes.iter().map(|class| class.name.clone()).collect();
        let mut words = Words::default();
        let mut found = Vec::new();
        for (place, background) in pictures {
            let sample = split.sample(place as usize);
            let background = background.map(|place| split.sample(place as usize).class);
            let background = background.and_then(|class| classes.get(usize::from(class)));
            words.note(grouping, &sample.id, sample.class, &classes)?;
            found.push((sample.class, grouping.of(&sample.id, background.map(String::as_str))?));
        }
        let mut numbers: BTreeMap<(u16, &str), u32> = found.iter().map(|key| (*key, 0)).collect();
        numbers.values_mut().zip(0..).for_each(|(number, next)| *number = next);
        Ok(Self {
            of: found.iter().map(|key| numbers[key]).collect(),
            groups: numbers
                .keys()
                .map(|(class, name)| Group { class: *class, name: (*name).to_owned() })
                .collect(),
        })
    }

    /// How many pictures each group has.
    pub fn counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.groups.len()];
        self.of.iter().for_each(|group| counts[*group as usize] += 1);
        counts
    }

    /// A digest of which picture is of which group, whatever the groups are called; `ids` are the pictures' names.
    pub fn digest<'a>(&self, ids: impl IntoIterator<Item = &'a str>) -> String {
        let mut pictures: Vec<(&str, u32)> = ids.into_iter().zip(self.of.iter().copied()).collect();
        pictures.sort_unstable();
        let mut hasher = blake3::Hasher::new();
        for (id, group) in pictures {
            hasher
                .update(&(id.len() as u64).to_le_bytes())
                .update(id.as_bytes())
                .update(&group.to_le_bytes());
        }
        hasher.finalize().to_hex().to_string()
    }
}
