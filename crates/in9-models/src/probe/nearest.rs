//! Weighted votes of the nearest neighbours.

use candle_core::{Device, Tensor};
use rayon::prelude::*;

use super::answer;
use super::features::Features;
use crate::error::{Error, Result};
use crate::mapping::Answer;

/// Pictures whose neighbours are looked for at once: as many as a product of matrices computes together anyway.
const TOGETHER: usize = 16;

/// Known pictures, and how they vote.
#[derive(Debug, Clone)]
pub struct Nearest {
    /// Features of length one, `[known, width]`.
    known: Tensor,
    labels: Vec<u16>,
    classes: usize,
    k: usize,
    temperature: f64,
}

impl Nearest {
    /// Remembers `features` and the class of each, below `classes`; `k` of them vote, or all if there are fewer.
    ///
    /// # Errors
    /// [`Error::Shape`] when there are not as many labels as pictures, or none, or one above the classes;
    /// [`Error::Tensor`] when memory for them cannot be had.
    pub fn new(
        features: &Features,
        labels: &[u16],
        classes: usize,
        k: usize,
        temperature: f64,
    ) -> Result<Self> {
        let usable = labels.len() == features.len() && !labels.is_empty();
        if !usable || labels.iter().any(|label| usize::from(*label) >= classes) {
            let expected = format!("one class below {classes} for each of {} pictures", features.len());
            return Err(Error::Shape { what: "labels".into(), expected, found: vec![labels.len()] });
        }
        let k = k.clamp(1, labels.len());
        Ok(Self { known: of_length_one(features)?, labels: labels.to_vec(), classes, k, temperature })
    }

    /// Shares of the votes, one answer a picture.
    pub(super) fn answers(&self, features: &Features) -> Result<Vec<Answer>> {
        let asked = of_length_one(features)?;
        let mut answers = Vec::with_capacity(features.len());
        let mut first = 0;
        while first < features.len() {
            let count = TOGETHER.min(features.len() - first);
            let cosines = in9_kernels::linear(&asked.narrow(0, first, count)?, &self.known, None)?;
            let cosines = cosines.to_vec2::<f32>()?;
            answers.par_extend(cosines.par_iter().map(|cosines| self.vote(cosines)));
            first += count;
        }
        Ok(answers)
    }

    fn vote(&self, cosines: &[f32]) -> Answer {
        // The nearest first, of equally near ones the first of the split.
        let nearer = |a: &(f32, u32), b: &(f32, u32)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
        let mut near: Vec<(f32, u32)> = cosines.iter().copied().zip(0..).collect();
        if self.k < near.len() {
            near.select_nth_unstable_by(self.k - 1, nearer);
            near.truncate(self.k);
        }
        near.sort_unstable_by(nearer);
        let nearest = near.first().map_or(0.0, |(cosine, _)| f64::from(*cosine));
        let mut votes = vec![0.0; self.classes];
        for (cosine, index) in near {
            // Shares stay the same when all votes are divided by the largest, which could be beyond all numbers.
            let vote = ((f64::from(cosine) - nearest) / self.temperature).exp();
            votes[usize::from(self.labels[index as usize])] += vote;
        }
        let all: f64 = votes.iter().sum();
        votes.iter_mut().for_each(|votes| *votes /= all);
        answer(&votes)
    }
}

/// Features divided by their length, `[n, width]`; nothing but zeros stays so.
fn of_length_one(features: &Features) -> Result<Tensor> {
    let mut values = Vec::with_capacity(features.len() * features.width());
    for row in features.rows() {
        let length = row.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
        let length = if length > 0.0 { length } else { 1.0 };
        values.extend(row.iter().map(|x| (f64::from(*x) / length) as f32));
    }
    Ok(Tensor::from_vec(values, (features.len(), features.width()), &Device::Cpu)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Six pictures on the unit circle, by their angle in degrees.
    fn on_a_circle(degrees: &[f32]) -> Features {
        let values = degrees.iter().flat_map(|d| [3.0 * d.to_radians().cos(), 3.0 * d.to_radians().sin()]);
        Features::new(values.collect(), 2).unwrap()
    }

    #[test]
    fn the_nearest_vote_by_their_cosine() {
        let known = on_a_circle(&[0.0, 10.0, 50.0, 60.0, 180.0, 190.0]);
        let nearest = Nearest::new(&known, &[0, 1, 1, 2, 2, 2], 3, 3, 0.07).unwrap();
        let answers = nearest.answers(&on_a_circle(&[0.0, 185.0])).unwrap();
        let cosine = |d: f64| (d.to_radians().cos() / 0.07).exp();
        let all = cosine(0.0) + cosine(10.0) + cosine(50.0);
        let expected = [cosine(0.0) / all, (cosine(10.0) + cosine(50.0)) / all, 0.0];
        for (score, expected) in answers[0].scores.iter().zip(expected) {
            assert!((f64::from(*score) - expected).abs() < 1e-5, "{answers:?}");
        }
        assert_eq!((answers[0].class, answers[1].class), (Some(0), Some(2)));
        // The first two outvote the third, although it is nearer than either.
        let two = Nearest::new(&on_a_circle(&[9.0, 11.0, 1.0]), &[1, 1, 0], 2, 3, 1.0).unwrap();
        assert_eq!(two.answers(&on_a_circle(&[0.0])).unwrap()[0].class, Some(1));
    }

    #[test]
    fn a_picture_is_answered_alike_in_any_company() {
        let values: Vec<f32> = (0..50 * 20).map(|i| ((i * 29 % 83) as f32 - 41.0) / 17.0).collect();
        let features = Features::new(values, 20).unwrap();
        let labels: Vec<u16> = (0..50).map(|i| i % 4).collect();
        let nearest = Nearest::new(&features, &labels, 4, 7, 0.07).unwrap();
        let together = nearest.answers(&features).unwrap();
        for (index, answer) in together.iter().enumerate() {
            let alone = nearest.answers(&features.only(|other| other == index)).unwrap();
            assert_eq!(alone.as_slice(), std::slice::from_ref(answer));
        }
        let with_more = Nearest::new(&features, &labels, 4, 999, 0.07).unwrap();
        assert!(with_more.answers(&features).is_ok());
        assert!(Nearest::new(&features, &labels[1..], 4, 7, 0.07).is_err());
        assert!(Nearest::new(&features, &[4; 50], 4, 7, 0.07).is_err());
    }
}
