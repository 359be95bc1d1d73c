//! Deep feature reweighting: a logistic regression learnt on as many photographs of each group.
//!
//! A network that leans on backgrounds often sees the object too, and only its last layer weighs the two badly. What is learnt
//! anew on its features, from photographs that it was not trained on and of which every group (a class on one kind of
//! background) counts alike, leans on the object. Of each group as many photographs are drawn as the smallest has, several
//! times, and the weights that are learnt on the draws are averaged.
//!
//! The strength of the penalty is given, or chosen among [`STRENGTHS`]: half of each group is drawn, learnt from in the same
//! way once, and the strength taken by which the worst group of the other half is answered best; of equal ones that of the lowest
//! cross-entropy there, every group counting alike.
//!
//! Source: P. Kirichenko, P. Izmailov, A. G. Wilson, "Last layer re-training is sufficient for robustness to spurious
//! correlations", ICLR 2023 (arXiv 2204.02937), section 4 and appendix B. There the penalty is of the absolute weights; here it
//! is of the squared ones, as the linear probe's.

use in9_data::rng;
use serde::{Deserialize, Serialize};

use super::choose::STRENGTHS;
use super::features::Features;
use super::linear::{Linear, Standard};
use crate::error::{Error, Result};

/// How often a balanced set is drawn and learnt from, as the paper does.
pub const RETRAININGS: u32 = 10;

/// Photographs that deep feature reweighting learns from.
#[derive(Debug, Clone, Copy)]
pub struct Grouped<'a> {
    /// Their features.
    pub features: &'a Features,
    /// The class of each.
    pub labels: &'a [u16],
    /// The group of each; every number up to the largest must occur.
    pub groups: &'a [u32],
    /// A key of each by which it is drawn, whatever the order: that of its name ([`rng::text_key`]).
    pub keys: &'a [u64],
    /// Classes.
    pub classes: usize,
}

/// A strength that was chosen by the worst group, and how it came to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChosenByGroup {
    /// Photographs that were judged.
    pub judged: usize,
    /// The strengths that were tried.
    pub tried: Vec<f64>,
    /// Accuracy of the worst group of what was judged, of each.
    pub worst_group: Vec<f64>,
    /// Mean over the groups of their mean cross-entropy, of each.
    pub cross_entropy: Vec<f64>,
}

impl ChosenByGroup {
    /// The strength of the best worst group; of equal ones that of the lowest cross-entropy.
    pub fn l2(&self) -> f64 {
        let mut best = 0;
        let measured: Vec<(f64, f64)> =
            self.worst_group.iter().copied().zip(self.cross_entropy.iter().copied()).collect();
        for (index, (accuracy, loss)) in measured.iter().enumerate() {
            let (highest, lowest) = measured[best];
            if *accuracy > highest || (*accuracy == highest && *loss < lowest) {
                best = index;
            }
        }
        self.tried.get(best).copied().unwrap_or(STRENGTHS[0])
    }

    /// Tries [`STRENGTHS`] on half of the photographs of each group, drawn by `seed`.
    ///
    /// # Errors
    /// [`Error::Setting`] when a group has fewer than two photographs; [`Error::Shape`] when lists are of different lengths.
    pub fn by_worst_group(known: &Grouped<'_>, seed: u64) -> Result<Self> {
        let members = known.members()?;
        let smallest = members.iter().map(Vec::len).min().unwrap_or(0);
        if smallest < 2 {
            let expected = "a number, or at least two photographs of each group, of which one is judged by";
            return Err(Error::setting("l2", expected, format!("a group of {smallest}")));
        }
        let halves = members.iter().map(|members| {
            let drawn = known.drawn(members, "dfr halves", seed, 0);
            let (learnt, judged) = drawn.split_at(drawn.len().div_ceil(2));
            (learnt.to_vec(), judged.to_vec())
        });
        let (learnt, judged): (Vec<Vec<usize>>, Vec<Vec<usize>>) = halves.unzip();
        let places = known.balanced(&learnt, seed, 0);
        let (features, labels) = known.at(&places);
        let asked: Vec<(Features, Vec<u16>)> = judged.iter().map(|members| known.at(members)).collect();
        let standard = Standard::of(&features);
        let mut chosen = Self {
            judged: judged.iter().map(Vec::len).sum(),
            tried: Vec::new(),
            worst_group: Vec::new(),
            cross_entropy: Vec::new(),
        };
        let mut last: Option<Linear> = None;
        for l2 in STRENGTHS {
            let linear = Linear::fit_on(&standard, &features, &labels, known.classes, l2, last.as_ref())?;
            let (mut worst, mut losses) = (f64::INFINITY, 0.0);
            for (features, labels) in &asked {
                let (loss, right) = linear.judge(features, labels);
                (worst, losses) = (worst.min(right), losses + loss);
            }
            chosen.tried.push(l2);
            chosen.worst_group.push(worst);
            chosen.cross_entropy.push(losses / asked.len() as f64);
            last = Some(linear);
        }
        Ok(chosen)
    }
}

impl Grouped<'_> {
    /// Learns from `retrainings` balanced draws by `seed` with this strength, and averages the weights. All of the photographs
    /// say what features are brought to mean 0 and deviation 1 by.
    ///
    /// # Errors
    /// [`Error::Shape`] when lists are of different lengths, a class is above the classes, or a group has no photograph;
    /// [`Error::Setting`] for no retraining.
    pub fn fit(&self, l2: f64, seed: u64, retrainings: u32) -> Result<Linear> {
        let members = self.members()?;
        let standard = Standard::of(self.features);
        // Draw 0 is that of the choice.
        let fits = (1..=retrainings).map(|draw| {
            let (features, labels) = self.at(&self.balanced(&members, seed, draw));
            Linear::fit_on(&standard, &features, &labels, self.classes, l2, None)
        });
        let fits = fits.collect::<Result<Vec<_>>>()?;
        Linear::mean(&fits).ok_or_else(|| Error::setting("retrainings", "at least 1", retrainings))
    }

    /// Places of the photographs of balanced set number `draw`, from 1, by `seed`: of each group as many as the smallest has.
    ///
    /// # Errors
    /// [`Error::Shape`] when lists are of different lengths, or a group has no photograph.
    pub fn balanced_set(&self, seed: u64, draw: u32) -> Result<Vec<usize>> {
        Ok(self.balanced(&self.members()?, seed, draw))
    }

    /// Places of the photographs of each group.
    fn members(&self) -> Result<Vec<Vec<usize>>> {
        let n = self.features.len();
        let alike = [self.labels.len(), self.groups.len(), self.keys.len()].iter().all(|len| *len == n);
        let groups = self.groups.iter().max().map_or(0, |last| *last as usize + 1);
        // More groups than photographs cannot all have one.
        let usable = alike && groups <= n;
        let mut members = vec![Vec::new(); if usable { groups } else { 0 }];
        if usable {
            self.groups.iter().enumerate().for_each(|(place, group)| members[*group as usize].push(place));
        }
        if members.is_empty() || members.iter().any(Vec::is_empty) {
            let expected =
                format!("one label, group and key for each of {n} pictures, and a picture of each group");
            return Err(Error::Shape { what: "groups".into(), expected, found: vec![self.groups.len()] });
        }
        Ok(members)
    }

    /// These photographs in the order of a draw.
    fn drawn(&self, members: &[usize], purpose: &str, seed: u64, draw: u32) -> Vec<usize> {
        let place = |at: &usize| {
            let mut random = rng::stream(seed, purpose, self.keys[*at], u64::from(draw));
            (rng::unit(&mut random), self.keys[*at], *at)
        };
        let mut places: Vec<_> = members.iter().map(place).collect();
        places.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| (a.1, a.2).cmp(&(b.1, b.2))));
        places.into_iter().map(|(.., at)| at).collect()
    }

    /// As many photographs of each group as the smallest has.
    fn balanced(&self, members: &[Vec<usize>], seed: u64, draw: u32) -> Vec<usize> {
        let smallest = members.iter().map(Vec::len).min().unwrap_or(0);
        let of_group = |members: &Vec<usize>| {
            let mut drawn = self.drawn(members, "dfr balanced", seed, draw);
            drawn.truncate(smallest);
            drawn
        };
        members.iter().flat_map(of_group).collect()
    }

    /// Features and classes of the photographs at these places.
    fn at(&self, places: &[usize]) -> (Features, Vec<u16>) {
        (self.features.at(places), places.iter().map(|place| self.labels[*place]).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::Probe;

    /// Two classes on two backgrounds: one feature tells the background loudly, another the class faintly. Of the first
    /// class `counts[0]` are on background 0 and `counts[1]` on 1, of the second `counts[2]` and `counts[3]`.
    fn birds(counts: [usize; 4], salt: u64) -> (Features, Vec<u16>, Vec<u32>, Vec<u64>) {
        let (mut values, mut labels, mut groups, mut keys) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (group, count) in (0u32..).zip(counts) {
            let (class, place) = (group / 2, group % 2);
            for i in 0..count {
                let key = salt + u64::from(group) * 10_000 + i as u64;
                let mut random = rng::stream(7, "birds", key, 0);
                let mut noise = || 2.0 * rng::unit(&mut random) - 1.0;
                let sign = |bit: u32| if bit == 0 { -1.0f32 } else { 1.0 };
                values.extend([sign(class) * 0.8 + noise(), sign(place) * 3.0 + noise(), noise()]);
                labels.push(class as u16);
                groups.push(group);
                keys.push(key);
            }
        }
        (Features::new(values, 3).unwrap(), labels, groups, keys)
    }

    fn worst(
        linear: &Linear,
        (features, labels, groups, _): &(Features, Vec<u16>, Vec<u32>, Vec<u64>),
    ) -> f64 {
        let of = |group: u32| {
            let own = |at: &usize| groups[*at] == group;
            let places: Vec<usize> = (0..groups.len()).filter(own).collect();
            let labels: Vec<u16> = places.iter().map(|at| labels[*at]).collect();
            linear.judge(&features.at(&places), &labels).1
        };
        (0..4).map(of).fold(1.0, f64::min)
    }

    #[test]
    fn of_equal_worst_groups_the_surest_is_taken() {
        let chosen = ChosenByGroup {
            judged: 4,
            tried: vec![10.0, 1.0, 0.1, 0.01],
            worst_group: vec![0.5, 0.75, 0.75, 0.75],
            cross_entropy: vec![0.1, 0.6, 0.4, 0.9],
        };
        assert_eq!(chosen.l2(), 0.1);
    }

    #[test]
    fn the_worst_group_gains_by_balance() {
        let (features, labels, groups, keys) = birds([300, 12, 12, 300], 0);
        let asked = birds([200, 200, 200, 200], 1_000_000);
        let known =
            Grouped { features: &features, labels: &labels, groups: &groups, keys: &keys, classes: 2 };
        let plain = Linear::fit(&features, &labels, 2, 1e-2, None).unwrap();
        let chosen = ChosenByGroup::by_worst_group(&known, 0).unwrap();
        assert_eq!((chosen.tried.as_slice(), chosen.judged), (&STRENGTHS[..], 312));
        let mended = known.fit(chosen.l2(), 0, RETRAININGS).unwrap();
        assert!(mended.is_settled());
        let (before, after) = (worst(&plain, &asked), worst(&mended, &asked));
        assert!(after > before + 0.2, "{before} {after}");
        // Another order, the same draws and nearly the same weights; another seed, others.
        let turned: Vec<usize> = (0..labels.len()).rev().collect();
        let of = |list: &[u64]| turned.iter().map(|at| list[*at]).collect::<Vec<_>>();
        let (back, keys) = (features.at(&turned), of(&keys));
        let labels: Vec<u16> = turned.iter().map(|at| labels[*at]).collect();
        let groups: Vec<u32> = turned.iter().map(|at| groups[*at]).collect();
        let turned = Grouped { features: &back, labels: &labels, groups: &groups, keys: &keys, classes: 2 };
        let scores = |linear: Linear| Probe::Linear(linear).answers(&asked.0).unwrap();
        let apart = |a: &[crate::mapping::Answer], b: &[crate::mapping::Answer]| {
            let pairs = a.iter().zip(b).map(|(a, b)| (a.scores[0] - b.scores[0]).abs());
            pairs.fold(0.0, f32::max)
        };
        let first = scores(mended);
        assert!(apart(&first, &scores(turned.fit(chosen.l2(), 0, RETRAININGS).unwrap())) < 1e-5);
        assert!(apart(&first, &scores(known.fit(chosen.l2(), 1, RETRAININGS).unwrap())) > 1e-5);
    }

    #[test]
    fn groups_that_cannot_be_balanced_are_refused() {
        let (features, labels, groups, keys) = birds([3, 1, 2, 2], 0);
        let known =
            Grouped { features: &features, labels: &labels, groups: &groups, keys: &keys, classes: 2 };
        let error = ChosenByGroup::by_worst_group(&known, 0).unwrap_err().to_string();
        assert!(error.contains("a group of 1"), "{error}");
        known.fit(1.0, 0, 2).unwrap();
        assert!(matches!(known.fit(1.0, 0, 0), Err(Error::Setting { .. })));
        let gap: Vec<u32> = groups.iter().map(|group| group * 2).collect();
        let far: Vec<u32> = groups.iter().map(|group| group + u32::MAX / 2).collect();
        for groups in [&gap[..], &groups[1..], &far[..]] {
            assert!(matches!(Grouped { groups, ..known }.fit(1.0, 0, 2), Err(Error::Shape { .. })));
        }
    }
}
