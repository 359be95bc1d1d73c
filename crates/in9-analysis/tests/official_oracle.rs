//! The official evaluation rules, from `tests/oracles/analysis_official.py`: the same accuracies and
//! the same vulnerable foregrounds on the same predictions.

use in9_analysis::metrics::accuracy;
use in9_analysis::probes::adversarial::summary::Names;
use in9_analysis::probes::adversarial::{PairLog, Rule, Search, SearchSettings, search, summarise};
use in9_analysis::probes::{Classifier, Pictures, Scenes};
use in9_analysis::{Frame, Result};
use in9_data::predictions::{Row, Table, Training};
use in9_data::{MaskBits, Paste, View};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Oracle {
    label: Vec<u16>,
    views: BTreeMap<View, OracleView>,
    matrix: Vec<Vec<i32>>,
    vulnerable: Vec<u8>,
    challenge_accuracy: f64,
    passes: u64,
}

#[derive(Deserialize)]
struct OracleView {
    predicted: Vec<i32>,
    accuracy: f64,
}

fn oracle() -> Oracle {
    serde_json::from_str(include_str!("fixtures/official.json")).unwrap()
}

/// A prediction outside the taxonomy is −1 in the oracle.
fn class(predicted: i32) -> Option<u16> {
    u16::try_from(predicted).ok()
}

#[test]
fn accuracies_agree() {
    let oracle = oracle();
    let mut rows = Vec::new();
    for (&view, answers) in &oracle.views {
        for (i, (&label, &predicted)) in oracle.label.iter().zip(&answers.predicted).enumerate() {
            rows.push(Row {
                model: "m".into(),
                arch: String::new(),
                trained_on: String::new(),
                dataset: "d".into(),
                split: "test".into(),
                view,
                image: format!("{i:03}"),
                foreground: format!("{i:03}"),
                background: String::new(),
                class: label,
                background_class: None,
                predicted: class(predicted),
                scores: vec![0.0; 9],
                training: Training::default(),
            });
        }
    }
    let table = Table { classes: (0..9).map(|c| format!("c{c}")).collect(), rows };
    let frame = Frame::new(&[table]).unwrap();
    for (&view, expected) in &oracle.views {
        let found = accuracy(frame.models[0].view(view), 9, 0.95).unwrap();
        assert_eq!(found.accuracy.value, expected.accuracy, "{view}");
        let outside = expected.predicted.iter().filter(|p| **p < 0).count() as u64;
        assert!(outside > 0, "the oracle never leaves the taxonomy");
        assert_eq!(found.confusion.outside(), outside);
    }
}

/// Pictures of two pixels a side whose first bytes name foreground and background, and a classifier
/// that looks the oracle's answer up.
impl Scenes for Oracle {
    fn len(&self) -> usize {
        self.label.len()
    }
    fn size(&self) -> usize {
        2
    }
    fn class(&self, i: usize) -> u16 {
        self.label[i]
    }
    fn id(&self, i: usize) -> &str {
        // Ids only have to sort like the indices.
        const IDS: &str = "000102030405060708091011121314151617181920212223242526272829303132333435363738394041424344454647484950515253545556575859606162636465666768697071727374757677787980818283848586878889";
        &IDS[2 * i..2 * i + 2]
    }
    fn compose(&self, view: View, i: usize, background: usize, out: &mut [u8]) {
        out.fill(0);
        // A background alone is shown as a foreground that does not exist.
        out[0] = if view == View::OnlyBgT { 255 } else { i as u8 };
        out[1] = background as u8;
    }
    fn mask(&self, _: usize) -> Vec<bool> {
        vec![true; 4]
    }
    fn stored_mask(&self, _: usize) -> (usize, Vec<u8>) {
        (2, vec![0b1111])
    }
    fn compose_with(&self, _: MaskBits<'_>, view: View, i: usize, background: usize, out: &mut [u8]) {
        self.compose(view, i, background, out);
    }
    fn paste(&self, _: &Paste, i: usize, background: usize, out: &mut [u8]) {
        self.compose(View::MixedRand, i, background, out);
    }
}

impl Classifier for Oracle {
    fn classes(&self) -> usize {
        9
    }
    fn scores(&self, pictures: &Pictures) -> Result<Vec<f32>> {
        Ok(vec![1.0 / 9.0; 9 * pictures.count])
    }
    fn predict(&self, pictures: &Pictures) -> Result<Vec<Option<u16>>> {
        let byte = |v: f32| (v * 255.0).round() as usize;
        let pictures = pictures.pixels.chunks(pictures.values());
        Ok(pictures.map(|p| class(self.matrix[byte(p[0])][byte(p[4])])).collect())
    }
}

fn settings(exhaustive: bool) -> SearchSettings {
    SearchSettings {
        rules: vec![Rule::Untargeted],
        foregrounds: (0..90).collect(),
        backgrounds: (0..90).collect(),
        wave: 16,
        batch: 7,
        exhaustive,
    }
}

fn fallen(oracle: &Oracle, found: &Search) -> Vec<u8> {
    let fell = |f: u32| {
        found.pairs.iter().any(|p| p.foreground == f && p.predicted != Some(oracle.label[f as usize]))
    };
    (0..90).map(|f| u8::from(fell(f))).collect()
}

#[test]
fn the_same_foregrounds_are_vulnerable() {
    let oracle = oracle();
    let quiet = &mut |_, _, _| {};
    for exhaustive in [false, true] {
        let settings = settings(exhaustive);
        let found = search(&oracle, &oracle, &settings, &mut PairLog::none(), quiet).unwrap();
        assert_eq!(fallen(&oracle, &found), oracle.vulnerable);
        let summary = summarise(&oracle, &settings, &found, &Names::default(), 0.95);
        let challenge = summary.challenge_accuracy.unwrap().value;
        assert!((challenge - oracle.challenge_accuracy).abs() < 1e-12);
        if exhaustive {
            assert_eq!(summary.official_passes, Some(oracle.passes));
            assert_eq!(found.pairs.len(), 90 * 90);
        } else {
            assert!(found.passes < oracle.passes, "{} of {}", found.passes, oracle.passes);
        }
    }
}
