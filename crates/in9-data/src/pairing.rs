//! Which background goes with which foreground.

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use in9_base::files;
use in9_base::rng::{below, stream, text_key};
use in9_base::table::{Limits as TableLimits, Table};

use crate::dataset::{Dataset, Settings, Split};
use crate::error::{Damage, Error, Result};
use crate::profile::Profile;
use crate::view::View;

/// What a draw may choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PairingPolicy {
    /// Whether mixed-rand may draw the foreground's own class. True by default: only then does the
    /// background say nothing of the class.
    pub own_class: bool,
    /// Whether a sample may be paired with itself. A sample that is the only one of the class that was
    /// drawn is paired with itself in any case.
    pub own_image: bool,
}

impl PairingPolicy {
    /// The policy of a profile.
    pub fn of(profile: Profile) -> Self {
        Self { own_class: true, own_image: profile == Profile::Paper }
    }

    /// The policy of a dataset's frozen pairings.
    pub fn of_settings(settings: &Settings) -> Self {
        Self { own_class: settings.own_class, ..Self::of(settings.profile) }
    }
}

impl Default for PairingPolicy {
    fn default() -> Self {
        Self::of(Profile::Clean)
    }
}

/// The background's index for each foreground's index, both in the same split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pairing(pub Vec<u32>);

impl Pairing {
    /// Draws a pairing: with replacement, one background a foreground.
    ///
    /// For each foreground, first the class (its own for mixed-same, a uniformly random one for
    /// mixed-rand, the next for mixed-next), then a uniformly random sample of it. Classes without
    /// samples are passed over: mixed-next takes the next class that has any. Each draw is keyed by
    /// (seed, view, sample id, epoch); for the rest it depends only on the ids in each class.
    ///
    /// # Errors
    /// If the view needs no background, or the split is empty or holds photographs only.
    pub fn draw(split: &Split, view: View, seed: u64, epoch: u64, policy: PairingPolicy) -> Result<Self> {
        if !view.needs_background() {
            let views = View::MIXED.map(View::name).join(", ");
            return Err(Error::Unknown {
                what: "view with a pairing",
                known: views,
                found: view.name().into(),
            });
        }
        split.check_view(view)?;
        let samples: Vec<(&str, u16)> = split.samples().map(|s| (s.id.as_str(), s.class)).collect();
        Ok(Self(draw(&samples, split.classes(), view, seed, epoch, policy)))
    }

    /// As [`Pairing::draw`], among the samples that `keep` marks: the others are paired with themselves.
    ///
    /// # Errors
    /// As [`Pairing::draw`].
    pub fn draw_among(
        split: &Split,
        keep: &[bool],
        view: View,
        seed: u64,
        policy: PairingPolicy,
    ) -> Result<Self> {
        split.check_view(view)?;
        let kept: Vec<u32> = (0..split.len() as u32).filter(|&at| keep[at as usize]).collect();
        let of = |at: &u32| split.sample(*at as usize);
        let samples: Vec<(&str, u16)> = kept.iter().map(|at| (of(at).id.as_str(), of(at).class)).collect();
        let mut pairs: Vec<u32> = (0..split.len() as u32).collect();
        let drawn = draw(&samples, split.classes(), view, seed, 0, policy);
        for (&own, other) in kept.iter().zip(drawn) {
            pairs[own as usize] = kept[other as usize];
        }
        Ok(Self(pairs))
    }

    /// Reads the frozen pairing of a view from `DATASET/pairings/SPLIT-VIEW.csv`.
    ///
    /// # Errors
    /// If the file is missing, is not the one that the dataset was built with, or does not pair every sample
    /// of the split with one of the classes that the view allows.
    pub fn frozen(dataset: &Dataset, split: &Split, view: View) -> Result<Self> {
        let path = pairing_path(dataset.path(), split.name(), view);
        let bytes = files::read(&path, longest(split))?;
        let name = pairing_name(split.name(), view);
        let found = blake3::hash(&bytes).to_hex();
        match dataset.manifest().pairings.get(&name) {
            Some(hash) if hash == found.as_str() => Self::parse(&bytes, &path, split, view),
            listed => {
                let expected = listed.map_or("a pairing that the manifest lists", String::as_str);
                Err(Error::damaged(&path, Damage::Pairing, expected, found.as_str()))
            }
        }
    }

    /// Reads a pairing for a view from a CSV file with the columns foreground and background (ids).
    ///
    /// # Errors
    /// If the file cannot be read or does not pair every sample of the split once with one of the classes that
    /// the view allows.
    pub fn read(path: &Path, split: &Split, view: View) -> Result<Self> {
        Self::parse(&files::read(path, longest(split))?, path, split, view)
    }

    pub(crate) fn parse(bytes: &[u8], path: &Path, split: &Split, view: View) -> Result<Self> {
        let limits = TableLimits { rows: split.len() as u64, columns: 2, ..TableLimits::default() };
        let mut table = Table::from_reader(bytes, path, limits)?;
        let bad = |what: &str, expected: &str, found: String| {
            Err(Error::malformed(path, what, expected, found, "build the dataset again, or mend the file"))
        };
        if table.header().iter().ne(["foreground", "background"]) {
            let found = table.header().iter().collect::<Vec<_>>().join(",");
            return bad("wrong header", "foreground,background", found);
        }
        let index: HashMap<&str, u32> = split.samples().zip(0..).map(|(s, i)| (s.id.as_str(), i)).collect();
        let classes = BackgroundClasses::of(split);
        let mut pairs = vec![u32::MAX; split.len()];
        while let Some((line, row)) = table.next_row()? {
            let (Some(&foreground), Some(&background)) = (index.get(&row[0]), index.get(&row[1])) else {
                table.mistake(line, format!("{:?} or {:?} is no sample of the split", &row[0], &row[1]));
                continue;
            };
            let [own, other] = [foreground, background].map(|i| split.sample(i as usize).class);
            if !classes.allow(view, own, other) {
                table.mistake(line, format!("no background for class {own} in {view} (expected one that the view allows, found class {other})"));
            }
            if std::mem::replace(&mut pairs[foreground as usize], background) != u32::MAX {
                table.mistake(line, format!("{:?} is there twice", &row[0]));
            }
        }
        table.finish()?;
        if let Some(missing) = pairs.iter().position(|&pair| pair == u32::MAX) {
            let found = format!("none for {}", split.sample(missing).id);
            return bad("sample without background", "one row a sample", found);
        }
        Ok(Self(pairs))
    }

    /// Writes the pairing as CSV.
    pub(crate) fn write_csv(&self, file: &mut dyn Write, ids: &[&str]) -> std::io::Result<()> {
        let mut writer = csv::Writer::from_writer(file);
        writer.write_record(["foreground", "background"])?;
        for (foreground, &background) in ids.iter().zip(&self.0) {
            writer.write_record([*foreground, ids[background as usize]])?;
        }
        writer.flush()
    }
}

/// File name of the frozen pairing of a view.
pub(crate) fn pairing_name(split: &str, view: View) -> String {
    format!("{split}-{view}.csv")
}

/// Where the frozen pairing of a view is.
pub(crate) fn pairing_path(dataset: &Path, split: &str, view: View) -> PathBuf {
    dataset.join("pairings").join(pairing_name(split, view))
}

/// More bytes than a pairing of a split can have: two ids a row, each of at most 200 bytes, each byte of
/// which may be a quotation mark that is written twice.
fn longest(split: &Split) -> u64 {
    1024 * (split.len() as u64 + 1)
}

/// Which classes have samples, and so which class's backgrounds a view takes.
pub(crate) struct BackgroundClasses(Vec<bool>);

impl BackgroundClasses {
    pub(crate) fn of(split: &Split) -> Self {
        let mut inhabited = vec![false; split.classes()];
        split.samples().for_each(|sample| inhabited[usize::from(sample.class)] = true);
        Self(inhabited)
    }

    /// Whether a mixed view may put an object of class `own` on a background of class `other`.
    pub(crate) fn allow(&self, view: View, own: u16, other: u16) -> bool {
        match view {
            View::MixedSame => own == other,
            View::MixedNext => next_inhabited(usize::from(own), self.0.len(), |class| self.0[class])
                .is_some_and(|next| next == usize::from(other)),
            _ => true,
        }
    }
}

/// The next class that has samples, which is the class itself if no other has any.
fn next_inhabited(class: usize, classes: usize, inhabited: impl Fn(usize) -> bool) -> Option<usize> {
    (1..=classes).map(|step| (class + step) % classes).find(|&class| inhabited(class))
}

/// The draw itself, over (id, class) of every sample.
pub(crate) fn draw(
    samples: &[(&str, u16)],
    classes: usize,
    view: View,
    seed: u64,
    epoch: u64,
    policy: PairingPolicy,
) -> Vec<u32> {
    // Sorted by id, so that the order of samples in the shards does not matter.
    let mut members: Vec<Vec<u32>> = vec![Vec::new(); classes];
    for (&(_, class), index) in samples.iter().zip(0..) {
        members[usize::from(class)].push(index);
    }
    for list in &mut members {
        list.sort_by_key(|&index| samples[index as usize].0);
    }
    let mut place = vec![0usize; samples.len()];
    for list in &members {
        list.iter().enumerate().for_each(|(at, &index)| place[index as usize] = at);
    }
    let inhabited: Vec<usize> = (0..classes).filter(|&class| !members[class].is_empty()).collect();
    let purpose = format!("pairing/{view}");
    let mut pairs = Vec::with_capacity(samples.len());
    for (own, &(id, class)) in samples.iter().enumerate() {
        let class = usize::from(class);
        let mut rng = stream(seed, &purpose, text_key(id), epoch);
        let from = match view {
            View::MixedNext => {
                next_inhabited(class, classes, |other| !members[other].is_empty()).unwrap_or(class)
            }
            View::MixedRand if policy.own_class || inhabited.len() == 1 => {
                inhabited[below(&mut rng, inhabited.len() as u32) as usize]
            }
            View::MixedRand => {
                let at = below(&mut rng, inhabited.len() as u32 - 1) as usize;
                // The inhabited classes without the own one: those from it on move down by one.
                inhabited[at + usize::from(inhabited[at] >= class)]
            }
            _ => class,
        };
        let list = &members[from];
        let skip_own = !policy.own_image && from == class && list.len() > 1;
        let mut at = below(&mut rng, list.len() as u32 - u32::from(skip_own)) as usize;
        if skip_own {
            // Positions from the own one on move up by one.
            at += usize::from(at >= place[own]);
        }
        pairs.push(list[at]);
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Nine classes; class 4 has no sample, class 8 has one.
    fn world() -> Vec<(String, u16)> {
        let mut samples = Vec::new();
        for class in (0..9u16).filter(|&c| c != 4) {
            for k in 0..if class == 8 { 1 } else { 40 } {
                samples.push((format!("c{class}_{k}"), class));
            }
        }
        samples
    }

    fn pairs(world: &[(String, u16)], view: View, seed: u64, policy: PairingPolicy) -> Vec<u32> {
        let samples: Vec<(&str, u16)> = world.iter().map(|(id, class)| (id.as_str(), *class)).collect();
        draw(&samples, 9, view, seed, 0, policy)
    }

    proptest! {
        #[test]
        fn classes_of_backgrounds_are_as_the_view_says(seed: u64, own_class: bool, own_image: bool) {
            let world = world();
            let policy = PairingPolicy { own_class, own_image };
            for view in View::MIXED {
                for (own, &pair) in pairs(&world, view, seed, policy).iter().enumerate() {
                    let (fg, bg) = (world[own].1, world[pair as usize].1);
                    match view {
                        View::MixedSame => prop_assert_eq!(fg, bg),
                        View::MixedNext => prop_assert_eq!(bg, match fg { 3 => 5, 8 => 0, c => c + 1 }),
                        _ => prop_assert!(own_class || fg != bg),
                    }
                    prop_assert!(own_image || fg == 8 || pair as usize != own);
                }
            }
        }

        #[test]
        fn order_of_samples_does_not_matter(seed: u64) {
            let world = world();
            let mut reversed = world.clone();
            reversed.reverse();
            let policy = PairingPolicy::default();
            let (a, b) = (pairs(&world, View::MixedRand, seed, policy), pairs(&reversed, View::MixedRand, seed, policy));
            let last = world.len() - 1;
            for i in 0..=last {
                prop_assert_eq!(&world[a[i] as usize], &reversed[b[last - i] as usize]);
            }
        }
    }

    #[test]
    fn random_classes_are_uniform_over_those_that_have_samples() {
        let world = world();
        let mut counts = [0usize; 9];
        for seed in 0..40 {
            for pair in pairs(&world, View::MixedRand, seed, PairingPolicy::default()) {
                counts[usize::from(world[pair as usize].1)] += 1;
            }
        }
        assert_eq!(counts[4], 0);
        // 11,240 draws over eight classes; six standard deviations are 210.
        assert!([0, 1, 2, 3, 5, 6, 7, 8].iter().all(|&c| counts[c].abs_diff(1405) < 210), "{counts:?}");
    }

    #[test]
    fn a_lone_class_pairs_with_itself() {
        let policy = PairingPolicy { own_class: false, own_image: false };
        for view in View::MIXED {
            assert_eq!(draw(&[("a", 2)], 9, view, 0, 0, policy), [0]);
        }
    }
}
