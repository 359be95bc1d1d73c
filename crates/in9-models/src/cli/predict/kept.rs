//! Answers of an unfinished prediction, in a journal beside its output, so that one that was killed goes on.

use std::path::Path;

use in9_base::files::Journal;

use super::Source;
use super::pieces::Settings;
use crate::error::Result;
use crate::predict::Answered;

/// A split, one of its views, and the number of a pairing: what is answered from one end to the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) source: u32,
    pub(super) view: u32,
    pub(super) draw: u32,
}

/// The journal, and what it held when it was opened.
pub(super) struct Kept {
    journal: Journal,
    /// In the order in which parts are answered.
    found: Vec<(Part, Vec<Answered>)>,
}

/// No class, and no background.
const NONE: u32 = u32::MAX;

impl Kept {
    /// Opens or begins the journal beside `out` of the prediction that `settings` describe.
    pub(super) fn open(out: &Path, settings: &Settings, sources: &[Source<'_>]) -> anyhow::Result<Self> {
        // Answers of other code may be others, and are written in another way.
        let identity = format!("{} {}", crate::IDENTITY, toml::to_string(settings)?);
        let mut found: Vec<(Part, Vec<Answered>)> = Vec::new();
        let journal = Journal::open(&Journal::beside(out), blake3::hash(identity.as_bytes()), |record| {
            let Some((part, answers)) = decode(record) else { return false };
            let Some(source) = sources.get(part.source as usize) else { return false };
            if found.last().is_none_or(|(last, _)| *last != part) {
                found.push((part, Vec::new()));
            }
            let Some((_, before)) = found.last_mut() else { return false };
            let first = settings.shard.range(source.split.len()).start + before.len();
            let fits = |(place, answer): (usize, &Answered)| {
                answer.place as usize == place
                    && place < source.split.len()
                    && answer.background.is_none_or(|other| (other as usize) < source.split.len())
            };
            let follows = (first..).zip(&answers).all(fits);
            if follows {
                before.extend(answers);
            }
            follows
        })?;
        Ok(Self { journal, found })
    }

    /// How many answers an earlier run gave.
    pub(super) fn count(&self) -> u64 {
        self.found.iter().map(|(_, answers)| answers.len() as u64).sum()
    }

    /// The answers on `part` that an earlier run gave, from its beginning on.
    pub(super) fn take(&mut self, part: Part) -> Vec<Answered> {
        let found = self.found.iter_mut().find(|(of, _)| *of == part);
        found.map(|(_, answers)| std::mem::take(answers)).unwrap_or_default()
    }

    /// Keeps further answers on `part`.
    pub(super) fn add(&mut self, part: Part, answers: &[Answered]) -> Result<()> {
        Ok(self.journal.append(&encode(part, answers))?)
    }

    /// Removes the journal: the output stands.
    pub(super) fn remove(self) -> Result<()> {
        Ok(self.journal.remove()?)
    }
}

/// Little-endian u32: the part; then of each answer place, background, class, number of scores, and these as f32.
fn encode(part: Part, answers: &[Answered]) -> Vec<u8> {
    let mut numbers = vec![part.source, part.view, part.draw];
    for answer in answers {
        let predicted = answer.predicted.map_or(NONE, u32::from);
        let scores = answer.scores.len() as u32;
        numbers.extend([answer.place, answer.background.unwrap_or(NONE), predicted, scores]);
        numbers.extend(answer.scores.iter().map(|score| score.to_bits()));
    }
    numbers.into_iter().flat_map(u32::to_le_bytes).collect()
}

/// What [`encode`] wrote; `None` for anything else.
fn decode(record: &[u8]) -> Option<(Part, Vec<Answered>)> {
    let (numbers, []) = record.as_chunks::<4>() else { return None };
    let mut numbers = numbers.iter().map(|bytes| u32::from_le_bytes(*bytes));
    let part = Part { source: numbers.next()?, view: numbers.next()?, draw: numbers.next()? };
    let mut answers = Vec::new();
    while let Some(place) = numbers.next() {
        let (background, predicted, scores) = (numbers.next()?, numbers.next()?, numbers.next()? as usize);
        let scores: Vec<f32> = numbers.by_ref().take(scores).map(f32::from_bits).collect();
        answers.push(Answered {
            place,
            background: Some(background).filter(|background| *background != NONE),
            predicted: u16::try_from(predicted).ok(),
            scores,
        });
    }
    Some((part, answers))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_come_back_bit_for_bit() {
        let part = Part { source: 1, view: 7, draw: 3 };
        let answers = [
            Answered { place: 9, background: Some(4), predicted: Some(8), scores: vec![0.1 + 0.2, 5e-45] },
            Answered { place: 10, background: None, predicted: None, scores: Vec::new() },
        ];
        let record = encode(part, &answers);
        assert_eq!(decode(&record).unwrap(), (part, answers.to_vec()));
        assert_eq!(decode(&encode(part, &[])).unwrap(), (part, Vec::new()));
        for end in (0..record.len()).filter(|end| end % 4 != 0 || *end < 12) {
            assert!(decode(&record[..end]).is_none(), "{end} bytes");
        }
    }
}
