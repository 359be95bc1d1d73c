//! What a model answered to every picture of one view.

/// A predicted class outside the taxonomy.
pub(crate) const NO_CLASS: u16 = u16::MAX;
/// No background, or one that is no photograph of the test set.
pub(crate) const NOBODY: u32 = u32::MAX;
/// Best scores that are kept of each answer.
const BEST: usize = 5;

/// Answers by photograph, those of one photograph by the id of its background: flat arrays, about 40 bytes an answer.
#[derive(Debug)]
pub(crate) struct Answers {
    /// First answer of each photograph, and the number of all answers at the end.
    starts: Vec<u32>,
    backgrounds: Vec<u32>,
    predicted: Vec<u16>,
    /// Scores kept of each answer.
    best: usize,
    best_classes: Vec<u16>,
    best_scores: Vec<f32>,
}

impl Answers {
    /// Numbers of the answers to a photograph.
    pub(crate) fn of(&self, photograph: usize) -> std::ops::Range<usize> {
        self.starts[photograph] as usize..self.starts[photograph + 1] as usize
    }

    /// The first answer to a photograph: the one that stands for it wherever a photograph has one answer.
    pub(crate) fn first(&self, photograph: usize) -> Option<usize> {
        self.of(photograph).next()
    }

    /// Predicted class, [`NO_CLASS`] outside the taxonomy.
    pub(crate) fn predicted(&self, answer: usize) -> u16 {
        self.predicted[answer]
    }

    /// The background's photograph, or [`NOBODY`].
    pub(crate) fn background(&self, answer: usize) -> u32 {
        self.backgrounds[answer]
    }

    /// The best scores with their classes, highest first; nothing if the model told no scores.
    pub(crate) fn best(&self, answer: usize) -> impl Iterator<Item = (u16, f32)> {
        let at = answer * self.best..(answer + 1) * self.best;
        let best = self.best_classes[at.clone()].iter().copied().zip(self.best_scores[at].iter().copied());
        best.filter(|(_, score)| !score.is_nan())
    }
}

/// Answers in the order in which they are read.
#[derive(Debug, Default)]
pub(super) struct Builder {
    photographs: Vec<u32>,
    backgrounds: Vec<u32>,
    predicted: Vec<u16>,
    best: usize,
    best_classes: Vec<u16>,
    best_scores: Vec<f32>,
}

impl Builder {
    pub(super) fn is_empty(&self) -> bool {
        self.photographs.is_empty()
    }

    /// Adds an answer; `scores` are those of the test set's classes, not numbers if they are unknown.
    pub(super) fn add(&mut self, photograph: u32, background: u32, predicted: Option<u16>, scores: &[f32]) {
        self.photographs.push(photograph);
        self.backgrounds.push(background);
        self.predicted.push(predicted.unwrap_or(NO_CLASS));
        self.best = scores.len().min(BEST);
        let start = self.best_scores.len();
        for (class, &score) in (0u16..).zip(scores) {
            let kept = &self.best_scores[start..];
            // The first among equals comes first.
            let place = kept.iter().position(|&k| score > k).unwrap_or(kept.len());
            if place < self.best {
                self.best_scores.insert(start + place, score);
                self.best_classes.insert(start + place, class);
                self.best_scores.truncate(start + self.best);
                self.best_classes.truncate(start + self.best);
            }
        }
    }

    /// Adds the answers of another builder over the same classes.
    pub(super) fn append(&mut self, mut other: Self) {
        if self.is_empty() {
            *self = other;
            return;
        }
        self.photographs.append(&mut other.photographs);
        self.backgrounds.append(&mut other.backgrounds);
        self.predicted.append(&mut other.predicted);
        self.best_classes.append(&mut other.best_classes);
        self.best_scores.append(&mut other.best_scores);
    }

    /// Sorts the answers by photograph and by the id of the background, as the metrics do. `id` names a background. Of
    /// several answers to the same picture, as when a table is given twice, the first is kept; `mixed` says whether
    /// pictures without a known background may differ all the same.
    pub(super) fn finish<'a>(self, photographs: usize, mixed: bool, id: impl Fn(u32) -> &'a str) -> Answers {
        let mut order: Vec<u32> = (0..self.photographs.len() as u32).collect();
        let key = |i: u32| {
            let background = self.backgrounds[i as usize];
            (self.photographs[i as usize], if background == NOBODY { "" } else { id(background) })
        };
        order.sort_by(|&a, &b| key(a).cmp(&key(b)));
        order.dedup_by(|a, b| {
            let (a, b) = (*a as usize, *b as usize);
            let known = !mixed || self.backgrounds[a] != NOBODY;
            known && self.photographs[a] == self.photographs[b] && self.backgrounds[a] == self.backgrounds[b]
        });
        let mut starts = vec![0u32; photographs + 1];
        for &i in &order {
            starts[self.photographs[i as usize] as usize + 1] += 1;
        }
        for i in 0..photographs {
            starts[i + 1] += starts[i];
        }
        let best = self.best;
        let mut sorted = Answers {
            starts,
            backgrounds: Vec::with_capacity(order.len()),
            predicted: Vec::with_capacity(order.len()),
            best,
            best_classes: Vec::with_capacity(order.len() * best),
            best_scores: Vec::with_capacity(order.len() * best),
        };
        for i in order {
            let i = i as usize;
            sorted.backgrounds.push(self.backgrounds[i]);
            sorted.predicted.push(self.predicted[i]);
            sorted.best_classes.extend(&self.best_classes[i * best..(i + 1) * best]);
            sorted.best_scores.extend(&self.best_scores[i * best..(i + 1) * best]);
        }
        sorted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_sorted_by_photograph_and_background_and_keep_their_best_scores() {
        let ids = ["x", "b", "a"];
        let mut builder = Builder::default();
        builder.add(1, NOBODY, Some(2), &[f32::NAN; 6]);
        builder.add(2, NOBODY, None, &[0.5, 0.5, 0.0, 0.0, 0.0, 0.0]);
        builder.add(0, 1, Some(3), &[0.0, 0.1, 0.2, 0.6, 0.05, 0.05]);
        builder.add(0, 2, Some(1), &[0.0, 0.9, 0.1, 0.0, 0.0, 0.0]);
        let mut twice = Builder::default();
        twice.add(2, NOBODY, Some(1), &[0.5, 0.5, 0.0, 0.0, 0.0, 0.0]);
        builder.append(twice);
        let answers = builder.finish(3, false, |b| ids[b as usize]);
        assert_eq!([answers.of(0), answers.of(1), answers.of(2)], [0..2, 2..3, 3..4]);
        assert_eq!((answers.background(0), answers.predicted(0)), (2, 1));
        assert_eq!((answers.background(1), answers.predicted(1)), (1, 3));
        assert_eq!((answers.predicted(2), answers.best(2).count()), (2, 0));
        assert_eq!(answers.predicted(3), NO_CLASS);
        assert_eq!(answers.first(1), Some(2));
        let best: Vec<_> = answers.best(1).collect();
        assert_eq!(best, [(3, 0.6), (2, 0.2), (1, 0.1), (4, 0.05), (5, 0.05)]);
        assert_eq!(answers.best(3).next(), Some((0, 0.5)));
    }
}
