//! The leaderboard of drawn predictions.

use in9_analysis::leaderboard::{Across, Measure, Rules};
use in9_analysis::paper_world::{World, draw};
use in9_analysis::stats::Bootstrap;
use in9_data::View;
use in9_data::predictions::{Card, CardNetwork, CardPictures, CardSplit, CardTest};
use in9_report::make_leaderboard;
use std::fs;
use std::path::{Path, PathBuf};

/// A table of the network that was trained on `view`, called `name`, and its card.
fn measured(dir: &Path, name: &str, view: &str, digest: &str, mapping: &str) -> PathBuf {
    let world = World { dataset: "d", split: "test", per_class: 40, reliance: 1.0, seed: 0 };
    let mut table = draw(&world, &[view]).unwrap();
    table.rows.iter_mut().for_each(|row| row.model = name.to_owned());
    let path = dir.join(format!("{}.csv", view.replace('-', "_")));
    table.write_atomic(&path).unwrap();
    let text = |text: &str| text.to_owned();
    let card = Card {
        card: text(Card::KIND),
        made_by: String::new(),
        table: Card::digest_of(&path).unwrap(),
        device: text("cpu"),
        networks: vec![CardNetwork {
            model: text(name),
            arch: String::new(),
            trained_on: String::new(),
            weights: format!("{view:0<64}"),
            origin: String::new(),
            mean: [0.485, 0.456, 0.406],
            std: [0.5; 3],
            normalization: String::new(),
            mapping: text(mapping),
            prompts: None,
            probe: None,
        }],
        test: CardTest {
            dataset: text("d"),
            digest: text(digest),
            pictures: CardPictures::Recomposed,
            pairings: 1,
            split: vec![CardSplit {
                name: text("test"),
                stored: 64,
                side: 64,
                views: vec![text("original")],
            }],
        },
    };
    card.write(&path, "test").unwrap();
    path
}

fn rules(by: Measure) -> Rules {
    Rules { by, across: Vec::new(), trust: false, bootstrap: Bootstrap::default() }
}

/// Four networks: two measured alike, one by another mapping, one on another dataset, and one without a card.
fn tables(dir: &Path) -> Vec<PathBuf> {
    let tables = vec![
        measured(dir, "plain <b>", "original", "aa", "identity"),
        measured(dir, "mixed", "mixed-rand", "aa", "identity"),
        measured(dir, "thousand", "mixed-same", "aa", "a"),
        measured(dir, "elsewhere", "mixed-next", "bb", "identity"),
        measured(dir, "stranger", "only-fg", "aa", "identity"),
    ];
    fs::remove_file(Card::beside(&tables[4])).unwrap();
    tables
}

fn section<'a>(page: &'a str, id: &str) -> &'a str {
    let start = page.find(&format!("<section id=\"{id}\"")).unwrap_or_else(|| panic!("no section {id}"));
    &page[start..start + page[start..].find("</section>").unwrap()]
}

#[test]
fn what_was_measured_alike_is_ranked_and_the_rest_stands_apart() {
    let dir = tempfile::tempdir().unwrap();
    let (tables, out) = (tables(dir.path()), dir.path().join("board"));
    let made = make_leaderboard("Best", &tables, rules(Measure::Accuracy(View::MixedRand)), &out).unwrap();
    assert!(made.notes.is_empty());
    let page = fs::read_to_string(out.join("index.html")).unwrap();
    let ranked = section(&page, "ranked");
    // The paper's network that was trained on mixed-rand is the better one on it, beyond any doubt.
    let (mixed, plain) = (ranked.find("mixed</td>").unwrap(), ranked.find("plain &#60;b&#62;</td>").unwrap());
    assert!(mixed < plain && !ranked.contains("thousand"), "{ranked}");
    let apart = section(&page, "apart");
    for words in ["mapping a and not identity", "dataset digest bb and not aa", "thousand", "elsewhere"] {
        assert!(apart.contains(words), "{words} is not in {apart}");
    }
    assert!(section(&page, "unknown").contains("stranger"));
    assert!(section(&page, "measured").contains("0.485 0.456 0.406"));
    assert!(!page.contains("https://") && !page.contains(dir.path().to_str().unwrap()));
    assert!(page.match_indices("http://").all(|(i, _)| page[i..].starts_with("http://www.w3.org")));

    let csv = fs::read_to_string(out.join("leaderboard.csv")).unwrap();
    let line = |name: &str| -> Vec<String> {
        let mut lines = csv.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
        lines.find(|cells| cells[7] == name).unwrap_or_else(|| panic!("no {name} in {csv}"))
    };
    assert_eq!(line("mixed")[..5], ["1", "yes", "1", "1", "1"].map(str::to_owned));
    assert_eq!(line("plain <b>")[..5], ["1", "yes", "2", "2", "2"].map(str::to_owned));
    assert_eq!(line("stranger")[1..5], ["no", "", "", ""].map(str::to_owned));
    let results: serde_json::Value =
        serde_json::from_slice(&fs::read(out.join("results.json")).unwrap()).unwrap();
    assert_eq!(results["protocols"].as_array().unwrap().len(), 4);
    assert_eq!(made.markdown, fs::read_to_string(out.join("leaderboard.md")).unwrap());
}

#[test]
fn asked_for_networks_are_ranked_across_mappings_and_without_cards_which_the_page_says() {
    let dir = tempfile::tempdir().unwrap();
    let (tables, out) = (tables(dir.path()), dir.path().join("board"));
    let rules = Rules { across: vec![Across::Mapping], trust: true, ..rules(Measure::Gap) };
    // Whether the stranger belongs to one dataset of the name or to another, nobody can say.
    let made = make_leaderboard("Best", &tables, rules.clone(), &out).unwrap();
    assert!(made.notes.len() == 1 && made.notes[0].contains("fit several protocols"), "{:?}", made.notes);
    let page = fs::read_to_string(out.join("index.html")).unwrap();
    assert!(section(&page, "unknown").contains("stranger") && section(&page, "apart").contains("elsewhere"));
    let tables = [&tables[..3], &tables[4..]].concat();
    make_leaderboard("Best", &tables, rules.clone(), &out).unwrap();
    let page = fs::read_to_string(out.join("index.html")).unwrap();
    let ranked = section(&page, "ranked");
    for name in ["mixed</td>", "thousand</td>", "stranger (no card, trusted)"] {
        assert!(ranked.contains(name), "{name} is not in {ranked}");
    }
    assert!(page.contains("Ranked across differences of mapping") && page.contains("1 without a card"));
    assert!(!page.contains("<section id=\"unknown\""));

    // One thread, another order of tables: the same bytes.
    let again = dir.path().join("again");
    let turned: Vec<PathBuf> = tables.iter().rev().cloned().collect();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    pool.install(|| make_leaderboard("Best", &turned, rules, &again).unwrap());
    for name in ["index.html", "leaderboard.csv", "leaderboard.md", "results.json"] {
        assert!(fs::read(out.join(name)).unwrap() == fs::read(again.join(name)).unwrap(), "{name}");
    }
}

#[test]
fn a_measure_that_nobody_was_tested_on_ranks_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let (tables, out) = (tables(dir.path()), dir.path().join("board"));
    make_leaderboard("Best", &tables[..2], rules(Measure::Accuracy(View::OnlyMask)), &out).unwrap();
    let page = fs::read_to_string(out.join("index.html")).unwrap();
    assert!(section(&page, "ranked").contains("Not ranked"), "{page}");
}
