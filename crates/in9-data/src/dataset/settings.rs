//! The settings that decide every byte of a dataset.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::network_masks::MaskNetworkRecord;
use crate::prepare::Geometry;
use crate::profile::{MaskSource, Profile};
use crate::taxonomy::Taxonomy;

/// The settings that decide every byte of a dataset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Kind of source: `ilsvrc`, `tiny-imagenet`, `folder`, `waterbirds`, `toy` or `release`.
    pub source: String,
    /// Literal or clean.
    pub profile: Profile,
    /// Pixels of a side of every stored picture.
    pub size: u32,
    /// The photograph's shorter side is brought to this many pixels before the central square of
    /// `size` is taken.
    pub short_side: u32,
    /// Where masks come from.
    pub masks: MaskSource,
    /// The network that drew them, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mask_network: Option<MaskNetworkRecord>,
    /// Whether only photographs are stored (for IN-9L and IN-9LB): no box, mask or background.
    pub photos_only: bool,
    /// Seed of every random choice.
    pub seed: u64,
    /// Share of the training photographs moved to split `val`.
    pub holdout: f64,
    /// Most training photographs kept of each class; the rest are dropped at random.
    pub per_class: Option<u32>,
    /// The same for split `test`.
    pub test_per_class: Option<u32>,
    /// Whether every split is brought down to its smallest class.
    pub balance: bool,
    /// Fine labels kept of each class (the first in sorted order), for IN-9LB.
    pub fine_per_class: Option<u32>,
    /// BLAKE3 (hex) of the list of excluded ids, if there is one.
    pub excluded: Option<String>,
    /// Pixels of a side of the training pictures, and of those held out of them, where they are stored larger than the
    /// others, so that random crops have something to choose from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub train_size: Option<u32>,
    /// Share of the source's photographs that was looked at: 1, or less for a rehearsal.
    #[serde(default = "whole", skip_serializing_if = "is_whole")]
    pub scale: f64,
    /// Whether the frozen pairing of mixed-rand may take a background of the foreground's own class.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub own_class: bool,
}

fn whole() -> f64 {
    1.0
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_whole(scale: &f64) -> bool {
    *scale == 1.0
}

fn yes() -> bool {
    true
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_yes(yes: &bool) -> bool {
    *yes
}

impl Settings {
    /// Pixels of a side of the pictures of a split.
    pub fn side(&self, split: &str) -> u32 {
        let of_training = split == "train" || (split == "val" && self.holdout > 0.0);
        self.train_size.filter(|_| of_training).unwrap_or(self.size)
    }

    /// Where masks come from, for people: `grabcut`, `exact`, or `network` with the name of its file.
    pub fn mask_origin(&self) -> String {
        match &self.mask_network {
            Some(network) => format!("{} {}", self.masks, network.description.file),
            None => self.masks.to_string(),
        }
    }

    /// How the photographs of a split are laid out.
    pub(crate) fn geometry(&self, split: &str) -> Geometry {
        let size = self.side(split);
        Geometry { profile: self.profile, size, short_side: self.short_side.max(size) }
    }

    pub(super) fn digest_text(&self) -> String {
        // Serialising plain numbers and texts cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// BLAKE3 of the settings and the taxonomy: shards and pieces that differ in it do not belong
    /// together.
    pub(crate) fn digest(&self, taxonomy: &Taxonomy) -> blake3::Hash {
        let taxonomy = serde_json::to_string(taxonomy).unwrap_or_default();
        blake3::hash(format!("{}\n{taxonomy}", self.digest_text()).as_bytes())
    }

    /// Whether reading what is written of these settings gives them again, to the last bit of the share
    /// that is held out.
    pub(crate) fn survive_writing(&self) -> bool {
        serde_json::from_str::<Self>(&self.digest_text()).is_ok_and(|read| read == *self)
    }

    /// Refuses sizes that no shard can have, in a file that may come from anywhere.
    pub(crate) fn check(&self, path: &Path) -> Result<()> {
        let sides = [Some(self.size), self.train_size];
        match sides.into_iter().flatten().find(|side| !(1..=crate::shard::MAX_SIZE).contains(side)) {
            None => Ok(()),
            Some(side) => Err(Error::malformed(
                path,
                "size of a side",
                format!("1 to {}", crate::shard::MAX_SIZE),
                side.to_string(),
                "build it again",
            )),
        }
    }
}
