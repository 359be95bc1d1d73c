//! `score` says in its results what was measured with what, by the cards beside its tables.
#![cfg(all(feature = "cli", feature = "probes"))]

mod support;

use in9_analysis::paper_world::{World, draw};
use in9_data::predictions::{Card, CardNetwork, CardPictures, CardSplit, CardTest};
use std::fs;
use std::path::Path;
use support::{finish, program};

/// A card of the table at `path` for the network `model`.
fn card(path: &Path, model: &str) -> Card {
    let text = |text: &str| text.to_owned();
    Card {
        card: text(Card::KIND),
        made_by: String::new(),
        table: Card::digest_of(path).unwrap(),
        device: text("cpu"),
        networks: vec![CardNetwork {
            model: text(model),
            arch: String::new(),
            trained_on: String::new(),
            weights: text("00ff"),
            origin: String::new(),
            mean: [0.5; 3],
            std: [0.5; 3],
            normalization: String::new(),
            mapping: text("a"),
            prompts: None,
            probe: None,
        }],
        test: CardTest {
            dataset: text("d"),
            digest: text("aa"),
            pictures: CardPictures::Recomposed,
            pairings: 1,
            split: vec![CardSplit { name: text("test"), stored: 64, side: 64, views: Vec::new() }],
        },
    }
}

#[test]
fn results_say_what_was_measured_with_what() {
    let dir = tempfile::tempdir().unwrap();
    let (path, out) = (dir.path().join("p.csv"), dir.path().join("scores"));
    let world = World { dataset: "d", split: "test", per_class: 4, reliance: 1.0, seed: 0 };
    draw(&world, &["original", "mixed-rand"]).unwrap().write_atomic(&path).unwrap();
    card(&path, "d-original").write(&path, "test").unwrap();
    let score = |code| finish(program().arg("score").arg(&path).arg("--out").arg(&out), code);
    let results = || -> serde_json::Value {
        serde_json::from_slice(&fs::read(out.join("results.json")).unwrap()).unwrap()
    };
    score(0);
    assert_eq!(results()["cards"][0]["network"]["weights"], "00ff");
    // A table that was changed since has no card, and one that is damaged is an error.
    fs::write(&path, fs::read_to_string(&path).unwrap().replace(",0\n", ",1\n") + "\n").unwrap();
    let (_, said) = score(0);
    assert!(said.contains("p.csv.card.toml") && said.contains("changed since"), "{said}");
    assert!(results().get("cards").is_none());
    fs::write(Card::beside(&path), "card = 3").unwrap();
    let (_, said) = score(1);
    assert!(said.contains("p.csv.card.toml") && said.lines().count() == 1, "{said}");
}
