//! Cards beside prediction tables, and the page made of them: what was measured alike is ranked, and nothing else is.
#![cfg(unix)]

use std::fs;
use std::path::Path;

use in9_data::Dataset;
use in9_data::predictions::{Card, FoundCard};
use in9_tests::{expect, ground, program};

/// Answers of both probes on the features of the network in `run` of `folder`.
fn probe(folder: &Path, out: &str, name: &str) {
    let mut command = program("in9");
    command.args([
        "probe",
        "--l2",
        "0.01",
        "--name",
        name,
        "--views",
        "original,mixed-same,mixed-rand",
        "--weights",
    ]);
    command.arg(folder.join("run")).arg("--data").arg(folder.join("data"));
    expect(command.arg("--out").arg(folder.join(out)), 0);
}

/// Answers of the network in `run` of `folder`.
fn predict(folder: &Path, out: &str, name: &str, more: &[&str]) {
    let mut command = program("in9");
    command.args(["predict", "--name", name, "--views", "original,mixed-same,mixed-rand", "--weights"]);
    command.arg(folder.join("run")).arg("--data").arg(folder.join("data")).args(more);
    expect(command.arg("--out").arg(folder.join(out)), 0);
}

#[test]
fn networks_are_ranked_where_they_were_measured_alike_and_stand_apart_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut toy = program("in9-data");
    toy.args(["toy", "--seed", "1", "--train-per-class", "2", "--test-per-class", "6", "--out"]);
    expect(toy.arg(folder.join("photos")), 0);
    expect(&mut ground::build(folder, folder, "data"), 0);
    expect(&mut ground::train(folder, folder, 1), 0);
    predict(folder, "a.csv", "first", &[]);
    predict(folder, "b.csv", "second", &["--normalization", "half"]);
    predict(folder, "c.csv", "thrice", &["--pairings", "3"]);
    predict(folder, "d.csv", "large", &["--size", "48"]);
    predict(folder, "e.csv", "stranger", &[]);
    fs::remove_file(Card::beside(&folder.join("e.csv"))).unwrap();
    let board = |out: &str, inputs: &[&str], more: &[&str]| {
        let mut command = program("in9");
        command.arg("leaderboard").args(inputs.iter().map(|name| folder.join(name))).args(more);
        let printed = expect(command.arg("--out").arg(folder.join(out)), 0).0;
        let results = fs::read(folder.join(out).join("results.json")).unwrap();
        (printed, serde_json::from_slice::<serde_json::Value>(&results).unwrap())
    };
    let all = ["a.csv.card.toml", "b.csv", "c.csv", "d.csv", "e.csv"];
    let (printed, results) = board("board", &all, &[]);
    let groups = results["protocols"].as_array().unwrap();
    let names = |group: &serde_json::Value| -> Vec<String> {
        let networks = group["networks"].as_array().unwrap().iter();
        let mut names: Vec<String> =
            networks.map(|one| one["summary"]["key"]["model"].as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    };
    assert_eq!(names(&groups[0]), ["first", "second"]);
    let fields = |group: &serde_json::Value| -> Vec<String> {
        let all = group["differs"].as_array().unwrap().iter();
        all.map(|one| one["field"].as_str().unwrap().to_owned()).collect()
    };
    for group in &groups[1..] {
        match names(group)[0].as_str() {
            "thrice" => assert_eq!(fields(group), ["pairings"]),
            "large" => assert_eq!(fields(group), ["picture side"]),
            "stranger" => {
                assert_eq!((group["known"].as_bool(), fields(group).len()), (Some(false), 0));
                assert!(group["networks"][0]["rank"].is_null());
            }
            other => panic!("{other}"),
        }
    }
    for words in
        ["Measured differently: pairings 3 and not 1", "Unknown protocol · stranger", "rank | network"]
    {
        assert!(printed.contains(words), "{words} is not in:\n{printed}");
    }
    // Whatever the order, and a table beside its card, the same bytes.
    let again = ["e.csv", "d.csv", "b.csv.card.toml", "b.csv", "c.csv", "a.csv"];
    board("again", &again, &[]);
    for name in ["index.html", "leaderboard.csv", "leaderboard.md", "results.json", "settings.toml"] {
        let of = |out: &str| fs::read(folder.join(out).join(name)).unwrap();
        assert!(of("board") == of("again"), "{name}");
    }
    let page = fs::read_to_string(folder.join("board/index.html")).unwrap();
    assert!(!page.contains(folder.to_str().unwrap()) && !page.contains("https://"));

    // Across sides and trusted, four of five are ranked; another number of pairings is other pictures.
    let (_, results) = board("across", &all, &["--across", "side", "--trust", "--by", "gap"]);
    let groups = results["protocols"].as_array().unwrap();
    assert_eq!(names(&groups[0]), ["first", "large", "second", "stranger"]);
    assert_eq!((groups.len(), names(&groups[1])[0].as_str()), (2, "thrice"));
    let mut wrong = program("in9");
    wrong
        .args(["leaderboard", "--across", "digest", "--out"])
        .arg(folder.join("x"))
        .arg(folder.join("a.csv"));
    assert!(expect(&mut wrong, 2).1.contains("mapping or side"));
    let mut inside = program("in9");
    inside
        .arg("leaderboard")
        .arg(folder.join("board/leaderboard.csv"))
        .arg("--out")
        .arg(folder.join("board"));
    assert!(expect(&mut inside, 1).1.contains("is an input"));
}

#[test]
fn a_table_has_a_card_that_says_what_was_measured_with_what() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    expect(&mut ground::render(folder), 0);
    expect(&mut ground::build(folder, folder, "data"), 0);
    expect(&mut ground::train(folder, folder, 1), 0);
    let at = |name: &str| folder.join(name);
    let settings = ["--split", "test,train", "--size", "48", "--pairings", "2"];
    predict(folder, "p.csv", "net", &settings);
    let FoundCard::Own(card) = Card::of(&at("p.csv")).unwrap() else { panic!("no card") };
    let dataset = Dataset::open(&at("data")).unwrap();
    assert_eq!((card.test.digest.as_str(), card.test.pairings), (dataset.digest().as_str(), 2));
    let splits: Vec<_> = card.test.split.iter().map(|s| (s.name.as_str(), s.stored, s.side)).collect();
    assert_eq!(splits, [("test", 32, 48), ("train", 32, 48)]);
    assert_eq!(card.test.split[0].views, ["original", "mixed-same", "mixed-rand"]);
    let weights = in9_base::digest::file(&at("run/model.safetensors")).unwrap();
    let network = &card.networks[0];
    assert_eq!((card.networks.len(), &network.weights), (1, &weights.to_hex().to_string()));
    assert_eq!((network.mapping.as_str(), card.device.as_str()), ("identity", "cpu"));
    assert!(network.prompts.is_none() && network.probe.is_none());

    // The same again is the same, with whatever batches, and in pieces.
    let text = |table: &str| fs::read_to_string(Card::beside(&at(table))).unwrap();
    let before = text("p.csv");
    predict(folder, "p.csv", "net", &[&settings[..], &["--batch-size", "5"]].concat());
    assert_eq!(text("p.csv"), before);
    for piece in ["1", "2", "3"] {
        let shard = format!("{piece}/3");
        predict(folder, piece, "net", &[&settings[..], &["--shard", &shard]].concat());
    }
    let pieces = ["3", "1", "2"].map(|piece| at(piece).to_str().unwrap().to_owned());
    let merge = ["--merge", &pieces[0], &pieces[1], &pieces[2]];
    predict(folder, "merged.csv", "net", &[&settings[..], &merge].concat());
    assert_eq!(text("merged.csv"), before);

    // What somebody else put in its place is told before anything is done, and stays.
    fs::write(Card::beside(&at("q.csv")), "precious").unwrap();
    let mut refused = program("in9");
    refused.args(["predict", "--views", "original", "--weights"]).arg(at("run"));
    let (_, said) = expect(refused.arg("--data").arg(at("data")).arg("--out").arg(at("q.csv")), 1);
    assert!(said.contains("q.csv.card.toml"), "{said}");
    assert_eq!(text("q.csv"), "precious");
    assert!(!at("q.csv").exists());
}

#[test]
fn a_probes_table_has_a_card_and_is_ranked_with_networks() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    expect(&mut ground::render(folder), 0);
    expect(&mut ground::build(folder, folder, "data"), 0);
    expect(&mut ground::train(folder, folder, 1), 0);
    let at = |name: &str| folder.join(name);
    predict(folder, "net.csv", "net", &[]);
    probe(folder, "p.csv", "net");
    let FoundCard::Own(card) = Card::of(&at("p.csv")).unwrap() else { panic!("no card") };
    let names: Vec<&str> = card.networks.iter().map(|network| network.model.as_str()).collect();
    assert_eq!(names, ["net linear", "net knn"]);
    let weights = in9_base::digest::file(&at("run/model.safetensors")).unwrap().to_hex().to_string();
    let dataset = Dataset::open(&at("data")).unwrap();
    for (network, method) in card.networks.iter().zip(["linear", "knn"]) {
        let probe = network.probe.as_ref().unwrap();
        assert_eq!((network.weights.as_str(), network.mapping.as_str()), (weights.as_str(), "identity"));
        assert_eq!((probe.method.as_str(), probe.features.as_str()), (method, "input of fc"));
        assert_eq!((&probe.digest, probe.split.as_str(), probe.side), (&dataset.digest(), "train", 32));
    }
    assert_eq!(card.networks[1].probe.as_ref().unwrap().settings, "k 20, temperature 0.07");

    let mut board = program("in9");
    board.arg("leaderboard").arg(at("net.csv")).arg(at("p.csv")).arg("--out").arg(at("board"));
    let (printed, said) = expect(&mut board, 0);
    assert!(!said.contains("unknown"), "{said}");
    for network in ["net", "net linear", "net knn"] {
        let row = |line: &&str| line.split('|').nth(2).is_some_and(|cell| cell.trim() == network);
        let row = printed.lines().find(row).unwrap_or_else(|| panic!("{network}: {printed}"));
        assert!(row.trim_start_matches('|').trim_start().starts_with(['1', '2', '3']), "{row}");
    }
    let results: serde_json::Value =
        serde_json::from_slice(&fs::read(at("board/results.json")).unwrap()).unwrap();
    assert_eq!(results["protocols"].as_array().unwrap().len(), 1, "{results}");
    let csv = fs::read_to_string(at("board/leaderboard.csv")).unwrap();
    assert!(csv.contains("knn (k 20, temperature 0.07), from data train original at 32 px"), "{csv}");
    let page = fs::read_to_string(at("board/index.html")).unwrap();
    assert!(page.contains("learnt on its features"));

    // Scores and the report take it as predict's.
    let mut score = program("in9");
    expect(score.arg("score").arg(at("p.csv")).arg("--out").arg(at("scores")), 0);
    let results: serde_json::Value =
        serde_json::from_slice(&fs::read(at("scores/results.json")).unwrap()).unwrap();
    assert_eq!(results["cards"][0]["network"][1]["probe"]["method"], "knn");

    // Somebody's file in its place is told before anything is done.
    fs::write(Card::beside(&at("q.csv")), "precious").unwrap();
    let mut refused = program("in9");
    refused.args(["probe", "--views", "original", "--weights"]).arg(at("run"));
    let (_, said) = expect(refused.arg("--data").arg(at("data")).arg("--out").arg(at("q.csv")), 1);
    assert!(said.contains("q.csv.card.toml") && !at("q.csv").exists(), "{said}");
}
