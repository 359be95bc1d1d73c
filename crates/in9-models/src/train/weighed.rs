//! Which group each training picture is of, for a training that weighs groups.

use in9_data::groups::{Grouping, Groups};
use in9_data::{Dataset, Pairing, PairingMode, Split, View};

use crate::error::{Error, Result};
use crate::train::{GroupDro, Selection, TrainedGroup};

/// The pictures of a training.
pub(super) struct Pictures<'a> {
    pub(super) dataset: &'a Dataset,
    pub(super) split: &'a Split,
    pub(super) view: View,
    pub(super) selection: &'a Selection,
    pub(super) pairing: &'a PairingMode,
}

impl Pictures<'_> {
    /// The settings with the groups of the pictures, and the group of each sample of the split; of those that are not trained
    /// on the first.
    ///
    /// # Errors
    /// [`Error::Setting`] where groups are told by backgrounds, and the view has none of other photographs or they change;
    /// those of [`Groups::of`].
    pub(super) fn grouped(&self, dro: &GroupDro, grouping: &Grouping) -> Result<(GroupDro, Vec<u32>)> {
        if !grouping.tells(self.view) {
            let expected = "metadata, as the view is not on another photograph's background";
            return Err(Error::setting("groups", expected, Grouping::BACKGROUNDS));
        }
        let backgrounds = self.backgrounds(grouping)?;
        let trained = |place: &u32| self.selection.keep[*place as usize];
        let places: Vec<u32> = (0..self.split.len() as u32).filter(trained).collect();
        let background = |place: u32| backgrounds.as_ref().map(|of| of[place as usize]);
        let pictures = places.iter().map(|place| (*place, background(*place)));
        let found = Groups::of(grouping, self.dataset.taxonomy(), self.split, pictures)?;
        let mut of_sample = vec![0; self.split.len()];
        places.iter().zip(&found.of).for_each(|(place, group)| of_sample[*place as usize] = *group);
        let classes = &self.dataset.taxonomy().classes;
        let group = |(group, samples): (&in9_data::groups::Group, usize)| TrainedGroup {
            class: classes[usize::from(group.class)].name.clone(),
            name: group.name.clone(),
            samples,
        };
        let ids = places.iter().map(|place| self.split.sample(*place as usize).id.as_str());
        let digest = found.digest(ids);
        let group = found.groups.iter().zip(found.counts()).map(group).collect();
        Ok((GroupDro { digest, group, ..dro.clone() }, of_sample))
    }

    /// The sample that gives each sample's background, if groups are told by it.
    fn backgrounds(&self, grouping: &Grouping) -> Result<Option<Vec<u32>>> {
        match (grouping, self.pairing) {
            (Grouping::Metadata(_), _) => Ok(None),
            (Grouping::Backgrounds, PairingMode::Frozen) => {
                Ok(Some(Pairing::frozen(self.dataset, self.split, self.view)?.0))
            }
            (Grouping::Backgrounds, PairingMode::Given(pairs)) => Ok(Some(pairs.to_vec())),
            (Grouping::Backgrounds, PairingMode::Fresh(_)) => {
                let expected = "frozen pairings, as fresh ones change the groups of pictures";
                Err(Error::setting("fresh_pairings", expected, "fresh ones"))
            }
        }
    }
}
