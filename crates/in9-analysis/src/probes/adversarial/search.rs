//! The ordered search.

use super::answers;
use super::matrix::Matrix;
use super::order::Promise;
use super::pairs::{Pair, PairLog};
use super::rules::Rule;
use crate::error::{Error, Result};
use crate::probes::classifier::{Classifier, Pictures};
use crate::probes::scenes::{Scenes, composite};
use std::collections::VecDeque;

/// Batches that a classifier which composes its own pictures gets at a time.
const AT_ONCE: usize = 64;

/// Settings of a search.
#[derive(Debug, Clone)]
pub struct SearchSettings {
    /// Verdicts wanted.
    pub rules: Vec<Rule>,
    /// Photographs whose foregrounds are searched.
    pub foregrounds: Vec<u32>,
    /// Photographs whose backgrounds are tried.
    pub backgrounds: Vec<u32>,
    /// Pairs tried between two updates of the order; part of the result, unlike the batch size.
    pub wave: usize,
    /// Pictures a forward pass; changes nothing but speed and memory.
    pub batch: usize,
    /// Tries every pair instead of stopping at success.
    pub exhaustive: bool,
}

/// What a search found.
#[derive(Debug, Clone, PartialEq)]
pub struct Search {
    /// Every tried pair, in order.
    pub pairs: Vec<Pair>,
    /// Forward passes: the pairs, and one for each background alone.
    pub passes: u64,
    /// Class scores on each background alone, `[background, class]`.
    pub background_scores: Vec<f32>,
    /// Answers on foregrounds before their own backgrounds, for those that have no such pair among `pairs`
    /// ([`own_answers`]).
    pub own: Vec<Pair>,
}

/// Answers on each foreground before its own tiled background, where that is none of the backgrounds that were searched:
/// a foreground that is wrong even there is an ordinary error.
///
/// # Errors
/// If the classifier fails.
pub fn own_answers(
    scenes: &dyn Scenes,
    classifier: &dyn Classifier,
    settings: &SearchSettings,
) -> Result<Vec<Pair>> {
    let missing = settings.foregrounds.iter().copied().filter(|f| !settings.backgrounds.contains(f));
    let missing: Vec<u32> = missing.collect();
    let (size, mut own) = (scenes.size(), Vec::with_capacity(missing.len()));
    let mut rgb = vec![0; 3 * size * size];
    for chunk in missing.chunks(settings.batch.max(1)) {
        let mut pictures = Pictures::empty(size);
        for &f in chunk {
            composite(scenes, f as usize, f as usize, &mut rgb);
            pictures.push_rgb(&rgb);
        }
        let answers = classifier.predict(&pictures)?;
        own.extend(chunk.iter().zip(answers).map(|(&f, predicted)| Pair {
            foreground: f,
            background: f,
            predicted,
        }));
    }
    Ok(own)
}

/// Runs a search, continuing from `log`; `progress` hears (decided foregrounds, all, pairs tried).
///
/// Foregrounds are worked on side by side: each wave takes the next ones in turn, each with the
/// background that the successes so far promise most, and drops those that are decided.
///
/// # Errors
/// If the classifier fails or the log does not fit the settings.
pub fn search(
    scenes: &dyn Scenes,
    classifier: &dyn Classifier,
    settings: &SearchSettings,
    log: &mut PairLog,
    progress: &mut dyn FnMut(usize, usize, u64),
) -> Result<Search> {
    let scores = answers::on_backgrounds(scenes, classifier, settings)?;
    let mut state = State::new(scenes, classifier.classes(), &scores, settings);
    let mut replay = VecDeque::from(log.take_done());
    let mut pairs = Vec::new();
    // Of all pairs the order is fixed, so a classifier that composes them itself gets many waves at a time, and a GPU is
    // seldom waited for.
    let alone = settings.exhaustive && classifier.predict_pairs(&[], settings.batch)?.is_some();
    let at_once = if alone { AT_ONCE * settings.batch } else { 0 };
    while let Some(mut wave) = state.next_wave() {
        while wave.len() < at_once {
            let Some(more) = state.next_wave() else { break };
            wave.extend(more);
        }
        // The pairs up to an interruption are known; a wave that it cut short is finished.
        let known = replay.len().min(wave.len());
        let mut tried = replayed(&wave[..known], &mut replay)?;
        let fresh = answers::on_pairs(scenes, classifier, &wave[known..], settings.batch)?;
        log.append(&fresh)?;
        tried.extend(fresh);
        tried.iter().for_each(|pair| state.note(pair));
        pairs.extend(tried);
        progress(state.decided, settings.foregrounds.len(), pairs.len() as u64);
    }
    let passes = pairs.len() as u64 + settings.backgrounds.len() as u64;
    Ok(Search { pairs, passes, background_scores: scores, own: Vec::new() })
}

/// Searches again, with other rules or in another order, on the answers of an exhaustive search:
/// what it would have cost, without a classifier.
///
/// # Errors
/// If a pair is asked for that the earlier search did not try.
pub fn search_known(
    scenes: &dyn Scenes,
    classes: usize,
    settings: &SearchSettings,
    known: &Search,
) -> Result<Search> {
    let answers = Matrix::new(&known.pairs);
    let mut state = State::new(scenes, classes, &known.background_scores, settings);
    let mut pairs = Vec::new();
    while let Some(wave) = state.next_wave() {
        for (foreground, background) in wave {
            let Some(predicted) = answers.get(foreground, background) else {
                return Err(Error::PairNotTried { foreground, background });
            };
            let pair = Pair { foreground, background, predicted };
            state.note(&pair);
            pairs.push(pair);
        }
    }
    let passes = pairs.len() as u64 + settings.backgrounds.len() as u64;
    Ok(Search { pairs, passes, background_scores: known.background_scores.clone(), own: Vec::new() })
}

fn replayed(wave: &[(u32, u32)], log: &mut VecDeque<Pair>) -> Result<Vec<Pair>> {
    let pairs: Vec<Pair> = log.drain(..wave.len()).collect();
    let same = wave.iter().zip(&pairs).all(|(w, p)| *w == (p.foreground, p.background));
    if same { Ok(pairs) } else { Err(Error::OtherPairs) }
}

struct State<'a> {
    settings: &'a SearchSettings,
    foreground_classes: Vec<u16>,
    background_classes: Vec<u16>,
    /// One order for each wanted rule.
    promises: Vec<Promise>,
    /// Rules not yet decided for each foreground (positions in `settings.rules`).
    open: Vec<Vec<usize>>,
    /// Backgrounds tried on each foreground.
    tried: Vec<Vec<bool>>,
    queue: VecDeque<usize>,
    position: std::collections::HashMap<u32, usize>,
    background_position: std::collections::HashMap<u32, usize>,
    decided: usize,
}

impl<'a> State<'a> {
    fn new(scenes: &dyn Scenes, classes: usize, scores: &[f32], settings: &'a SearchSettings) -> Self {
        let class = |list: &[u32]| list.iter().map(|&i| scenes.class(i as usize)).collect();
        let background_classes: Vec<u16> = class(&settings.backgrounds);
        let promise = |rule: &Rule| Promise::new(*rule, scores, &background_classes, classes);
        let promises = settings.rules.iter().map(promise).collect();
        let place = |list: &[u32]| list.iter().enumerate().map(|(position, &i)| (i, position)).collect();
        let n = settings.foregrounds.len();
        Self {
            foreground_classes: class(&settings.foregrounds),
            background_classes,
            promises,
            open: vec![(0..settings.rules.len()).collect(); n],
            tried: vec![vec![false; settings.backgrounds.len()]; n],
            queue: (0..n).collect(),
            position: place(&settings.foregrounds),
            background_position: place(&settings.backgrounds),
            decided: 0,
            settings,
        }
    }

    /// The next pairs to try; `None` when everything is decided.
    fn next_wave(&mut self) -> Option<Vec<(u32, u32)>> {
        let mut wave = Vec::new();
        for _ in 0..self.queue.len() {
            if wave.len() == self.settings.wave.max(1) {
                break;
            }
            let Some(f) = self.queue.pop_front() else { break };
            match self.best(f) {
                Some(b) => {
                    self.tried[f][b] = true;
                    wave.push((self.settings.foregrounds[f], self.settings.backgrounds[b]));
                    self.queue.push_back(f);
                }
                None => self.decided += 1,
            }
        }
        (!wave.is_empty()).then_some(wave)
    }

    /// The most promising background not yet tried that some undecided rule allows.
    fn best(&self, f: usize) -> Option<usize> {
        let class = self.foreground_classes[f];
        if self.settings.exhaustive {
            // Order does not matter when every pair is tried.
            return self.tried[f].iter().position(|tried| !tried);
        }
        let rules = &self.open[f];
        let mut best: Option<(f32, usize)> = None;
        for (b, &behind) in self.background_classes.iter().enumerate() {
            if self.tried[f][b] {
                continue;
            }
            let promise = rules
                .iter()
                .filter(|&&r| self.settings.rules[r].allows(class, behind))
                .map(|&r| self.promises[r].of(b, class))
                .fold(f32::NEG_INFINITY, f32::max);
            if promise > best.map_or(f32::NEG_INFINITY, |(p, _)| p) {
                best = Some((promise, b));
            }
        }
        best.map(|(_, b)| b)
    }

    fn note(&mut self, pair: &Pair) {
        let (f, b) = (self.position[&pair.foreground], self.background_position[&pair.background]);
        let (class, behind) = (self.foreground_classes[f], self.background_classes[b]);
        for (r, rule) in self.settings.rules.iter().enumerate() {
            if rule.allows(class, behind) {
                let success = rule.success(class, behind, pair.predicted);
                self.promises[r].note(b, class, success);
                if success {
                    self.open[f].retain(|o| *o != r);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probes::classifier::Predictions;
    use crate::probes::scenes::tests::{ByPixel, Grey};

    fn settings(scenes: &Grey, exhaustive: bool) -> SearchSettings {
        let all: Vec<u32> = (0..scenes.len() as u32).collect();
        SearchSettings {
            rules: Rule::ALL.to_vec(),
            foregrounds: all.clone(),
            backgrounds: all,
            wave: 7,
            batch: 3,
            exhaustive,
        }
    }

    fn verdicts(scenes: &Grey, settings: &SearchSettings, found: &Search) -> Vec<[bool; 3]> {
        let won = |f: u32, rule: Rule| {
            found.pairs.iter().filter(|p| p.foreground == f).any(|p| {
                rule.success(scenes.class(f as usize), scenes.class(p.background as usize), p.predicted)
            })
        };
        settings.foregrounds.iter().map(|&f| Rule::ALL.map(|r| won(f, r))).collect()
    }

    #[test]
    fn ordered_search_gives_the_exhaustive_verdicts_with_fewer_passes() {
        let scenes = Grey::new(60, 3);
        let network = ByPixel { classes: 3, lean: 0.3 };
        let (few, all) = (settings(&scenes, false), settings(&scenes, true));
        let quiet = &mut |_, _, _| {};
        let a = search(&scenes, &network, &few, &mut PairLog::none(), quiet).unwrap();
        let b = search(&scenes, &network, &all, &mut PairLog::none(), quiet).unwrap();
        assert_eq!(b.pairs.len(), 60 * 60);
        assert_eq!(verdicts(&scenes, &few, &a), verdicts(&scenes, &all, &b));
        let some = verdicts(&scenes, &few, &a);
        assert!(some.iter().any(|v| v[2]) && some.iter().any(|v| !v[2]), "the case is trivial");
        assert!(a.passes * 2 < b.passes, "{} of {}", a.passes, b.passes);
        // The ordered search costs the same when it is replayed on the exhaustive one's answers.
        assert_eq!(search_known(&scenes, 3, &few, &b).unwrap(), a);
        assert!(search_known(&scenes, 3, &all, &a).is_err());
    }

    /// A classifier that composes pairs itself, and counts how often it is asked for some.
    struct Composing<'a> {
        scenes: &'a Grey,
        network: ByPixel,
        asked: std::cell::Cell<usize>,
    }

    impl Classifier for Composing<'_> {
        fn classes(&self) -> usize {
            self.network.classes()
        }

        fn scores(&self, pictures: &Pictures) -> Result<Vec<f32>> {
            self.network.scores(pictures)
        }

        fn predict_pairs(&self, pairs: &[(u32, u32)], _batch: usize) -> Result<Option<Predictions>> {
            self.asked.set(self.asked.get() + usize::from(!pairs.is_empty()));
            let size = self.scenes.size();
            let (mut pictures, mut rgb) = (Pictures::empty(size), vec![0; 3 * size * size]);
            for &(f, b) in pairs {
                composite(self.scenes, f as usize, b as usize, &mut rgb);
                pictures.push_rgb(&rgb);
            }
            if pairs.is_empty() { Ok(Some(Vec::new())) } else { Ok(Some(self.network.predict(&pictures)?)) }
        }
    }

    #[test]
    fn a_classifier_that_composes_gets_many_waves_at_once_and_the_same_pairs() {
        let scenes = Grey::new(40, 3);
        let network = || ByPixel { classes: 3, lean: 0.3 };
        for exhaustive in [true, false] {
            let settings = settings(&scenes, exhaustive);
            let quiet = &mut |_, _, _| {};
            let expected = search(&scenes, &network(), &settings, &mut PairLog::none(), quiet).unwrap();
            let own = Composing { scenes: &scenes, network: network(), asked: 0.into() };
            let found = search(&scenes, &own, &settings, &mut PairLog::none(), quiet).unwrap();
            assert_eq!(found, expected);
            if exhaustive {
                assert_eq!(own.asked.get(), (40usize * 40).div_ceil(AT_ONCE * settings.batch));
            }
        }
    }

    #[test]
    fn batches_and_interruptions_change_nothing() {
        let scenes = Grey::new(30, 3);
        let network = ByPixel { classes: 3, lean: 0.3 };
        let quiet = &mut |_, _, _| {};
        let whole = settings(&scenes, false);
        let expected = search(&scenes, &network, &whole, &mut PairLog::none(), quiet).unwrap();
        let batched = SearchSettings { batch: 64, ..whole.clone() };
        let other = search(&scenes, &network, &batched, &mut PairLog::none(), quiet).unwrap();
        assert_eq!(other, expected);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pairs.bin");
        for kept in [0, 1, 5, 11, expected.pairs.len()] {
            let mut log = PairLog::open(&path, [1; 32]).unwrap();
            log.append(&expected.pairs[..kept]).unwrap();
            drop(log);
            let mut log = PairLog::open(&path, [1; 32]).unwrap();
            let resumed = search(&scenes, &network, &whole, &mut log, quiet).unwrap();
            assert_eq!(resumed, expected, "after {kept} pairs");
            std::fs::remove_file(&path).unwrap();
        }
    }
}
