//! Trainings set against one another: curves, attacks, progress, pre-training.

use super::{inputs, section};
use in9_analysis::paper_world::{World, draw};
use in9_report::make;
use std::fmt::Write;
use std::fs;

/// A training as its `run.toml` tells it.
#[derive(Clone, Copy)]
struct Trained {
    name: &'static str,
    seed: u32,
    classes: usize,
    fraction: f64,
    epochs: u32,
    arch: &'static str,
    robust: bool,
    /// Photographs that it is wrong on beside, by the last digit of their names.
    errors: &'static [char],
}

const PLAIN: Trained = Trained {
    name: "whole-0",
    seed: 0,
    classes: 9,
    fraction: 1.0,
    epochs: 8,
    arch: "resnet-50",
    robust: false,
    errors: &[],
};

/// Original-trained networks with predictions and runs; returns the page and claims.csv.
fn report_of(trainings: &[Trained]) -> (String, String) {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let mut spec = "title = \"t\"\n[[dataset]]\nname = \"d\"\npath = \"d\"\n".to_owned();
    for (i, t) in trainings.iter().enumerate() {
        let world = World { dataset: "d", split: "test", per_class: 20, reliance: 1.0, seed: 3 };
        let mut table = draw(&world, &["original"]).unwrap();
        for row in &mut table.rows {
            row.model = t.name.into();
            row.arch = t.arch.into();
            if t.fraction < 1.0 {
                row.trained_on = format!("original ({} %)", 100.0 * t.fraction);
            } else if t.classes != 9 {
                row.trained_on = format!("original ({} classes)", t.classes);
            } else if t.robust {
                row.trained_on = "original (against L2 0.5)".into();
            }
            // Backgrounds help an adversarially trained one where they fit.
            if t.robust && row.view == in9_data::View::MixedSame {
                row.predicted = Some(row.class);
            }
            // Networks that learned less are wrong on some images more.
            let lost: &[char] = match (t.classes, t.fraction) {
                (9, 1.0) => &[],
                (_, 1.0) => &['2'],
                (_, 0.5) => &['0', '4', '8'],
                _ => &['0', '2', '4', '6', '8'],
            };
            if row.image.ends_with(lost) || row.image.ends_with(t.errors) {
                row.predicted = Some((row.class + 1) % 9);
            }
        }
        let name = t.name;
        table.write_atomic(&dir.join(format!("{name}.csv"))).unwrap();
        fs::create_dir(dir.join(name)).unwrap();
        let classes: Vec<String> = (0..t.classes).map(|c| format!("c{c}")).collect();
        let run = format!(
            "name = {name:?}\nseed = {}\n[model]\narch = {:?}\nclasses = {classes:?}\n[data]\ndataset = \"d\"\n\
             view = \"original\"\nsamples = {}\nfraction = {:?}\ngroup = {}\n[training]\nepochs = {}\n{}",
            t.seed,
            t.arch,
            i + 1,
            t.fraction,
            u8::from(t.classes != 9),
            t.epochs,
            if t.robust { "[training.attack]\nnorm = \"l2\"\nepsilon = 0.5\n" } else { "" }
        );
        fs::write(dir.join(name).join("run.toml"), run).unwrap();
        write!(spec, "[[run]]\nname = {name:?}\npath = {name:?}\n[[predictions]]\npath = \"{name}.csv\"\n")
            .unwrap();
    }
    fs::write(dir.join("report.toml"), spec).unwrap();
    make(&dir.join("report.toml"), &dir.join("report")).unwrap();
    let read = |name: &str| fs::read_to_string(dir.join("report").join(name)).unwrap();
    (read("index.html"), read("claims.csv"))
}

#[test]
fn curves_join_trainings_that_differ_in_one_thing_only() {
    let trainings = [
        Trained { name: "quarter", fraction: 0.25, ..PLAIN },
        Trained { name: "half", fraction: 0.5, ..PLAIN },
        PLAIN,
        Trained { name: "whole-1", seed: 1, ..PLAIN },
        Trained { name: "longer", epochs: 15, ..PLAIN },
        Trained { name: "longer-half", epochs: 15, fraction: 0.5, ..PLAIN },
        Trained { name: "larger", arch: "resnet-152", ..PLAIN },
        Trained { name: "pairs", classes: 18, ..PLAIN },
        Trained { name: "fours", classes: 36, ..PLAIN },
        Trained { name: "fine", classes: 144, ..PLAIN },
    ];
    let (page, claims) = report_of(&trainings);
    let curves = section(&page, "curves");
    // Any number of points, each with its network; seeds alone and together.
    for cell in
        ["quarter", "half", "whole-0", "whole-1", "mean of 2 seeds", "pairs", "fours", "fine", "longer"]
    {
        assert!(curves.contains(&format!(">{cell}<")) == (cell != "longer"), "{cell}");
    }
    for axis in ["9", "18", "36", "144", "0.25", "0.5", "1"] {
        assert!(curves.contains(&format!("text-anchor=\"middle\">{axis}</text>")), "no tick at {axis}");
    }
    // What was trained otherwise is named with the reason, and joined with nothing.
    assert!(curves.contains("Not on the curve: longer (training.epochs = 15 instead of 8)."), "{curves}");
    assert!(curves.contains("Not on the curve: longer-half (training.epochs = 15 instead of 8)."));
    assert!(curves.contains("resnet-152"), "{curves}");
    // Nor do means over seeds mix them: only the two whole ones are one training twice.
    let gaps = section(&page, "gaps");
    let means = &gaps[gaps.find("Means over training seeds").unwrap()..];
    assert_eq!(means.matches("<tr>").count(), 2, "{means}");
    assert!(means.contains("<td class=\"n\">2</td>"), "{means}");
    assert!(curves.contains("IN-9LB") && curves.contains("+13.3"), "the paper's gaps are missing");
    let line =
        |id: &str| claims.lines().find(|l| l.starts_with(id)).unwrap_or_else(|| panic!("{id}:\n{claims}"));
    assert!(line("size-raises-accuracy").contains("(means of 2 and 1 seeds)"), "{claims}");
    assert!(line("size-raises-accuracy").contains(",supported,"), "{claims}");
    assert!(line("finer-labels-shrink-gap").contains("BG-gap with 144 classes"), "{claims}");
    for id in ["size-keeps-gap", "size-teaches-outline", "finer-labels-cost-accuracy"] {
        line(id);
    }
}

#[test]
fn a_single_training_makes_no_curve_and_its_claims_are_named_as_not_judged() {
    let (page, claims) = report_of(&[PLAIN, Trained { name: "longer", epochs: 15, fraction: 0.5, ..PLAIN }]);
    assert!(!page.contains("<section id=\"curves\""));
    assert!(!claims.contains("size-"), "{claims}");
    let judged = section(&page, "claims");
    assert!(judged.contains("More training photographs raise all accuracies."), "{judged}");
    assert!(judged.contains("networks trained alike on shares of the photographs"), "{judged}");
}

#[test]
fn an_adversarial_training_is_set_against_the_same_one_without_the_attack() {
    let trainings = [
        PLAIN,
        Trained { name: "half", fraction: 0.5, ..PLAIN },
        Trained { name: "hard", robust: true, ..PLAIN },
        // Nothing was trained for as long without the attack.
        Trained { name: "hard-longer", robust: true, epochs: 15, ..PLAIN },
    ];
    let (page, claims) = report_of(&trainings);
    let lines: Vec<&str> =
        claims.lines().filter(|l| l.starts_with("robust-training-does-not-help")).collect();
    assert_eq!(lines.len(), 1, "{claims}");
    let fields: Vec<&str> = lines[0].split(',').collect();
    assert_eq!(fields[3], "BG-gap of hard − BG-gap of whole-0");
    // Right on every mixed-same image: its gap is larger by what the plain one lacks there.
    assert!(fields[4].parse::<f64>().unwrap() > 20.0 && fields[8] == "supported", "{}", lines[0]);
    // It is in Figure 12, and on no curve.
    let curves = section(&page, "curves");
    assert!(curves.contains("Not on the curve: hard (training.attack.epsilon"), "{curves}");
    assert!(curves.contains("against L2 0.5"), "{curves}");
}

#[test]
fn progress_is_judged_by_accuracy_on_original_where_nothing_was_tested_on_imagenet() {
    let half = Trained { name: "half", fraction: 0.5, ..PLAIN };
    let others = [
        Trained { name: "fine", classes: 18, ..PLAIN },
        Trained { name: "hard", robust: true, ..PLAIN },
        Trained { name: "quarter", fraction: 0.25, ..PLAIN },
    ];
    let (page, claims) = report_of(&[PLAIN, half, others[0], others[1]]);
    let lines: Vec<&str> = claims.lines().filter(|l| l.starts_with("progress-rises")).collect();
    assert_eq!(lines.len(), 5, "{claims}");
    for line in lines {
        assert!(line.contains("against accuracy on original (3 networks)"), "{line}");
    }
    let progress = section(&page, "progress");
    assert!(progress.contains("(whole-0, half, fine)"), "{progress}");
    // Two places are no line, however many networks stand at them.
    let twin = Trained { name: "whole-1", seed: 1, ..PLAIN };
    let (page, claims) = report_of(&[PLAIN, twin, half, others[1]]);
    assert!(
        !claims.contains("progress-") && section(&page, "claims").contains("networks of different quality")
    );
}

#[test]
fn trainings_of_one_network_are_one_point_of_progress() {
    let one = Trained { name: "whole-1", seed: 1, errors: &['3'], ..PLAIN };
    let two = Trained { name: "whole-2", seed: 2, errors: &['3', '7'], ..PLAIN };
    let (_, claims) = report_of(&[PLAIN, one, two]);
    assert!(!claims.contains("progress-"), "what seeds differ by is no progress: {claims}");
    let half = Trained { name: "half", fraction: 0.5, ..PLAIN };
    let fine = Trained { name: "fine", classes: 18, ..PLAIN };
    let (page, claims) = report_of(&[PLAIN, one, two, half, fine]);
    assert!(claims.contains("against accuracy on original (3 networks)"), "{claims}");
    let progress = section(&page, "progress");
    assert!(progress.contains("(whole-0 (3 trainings), half, fine)"), "{progress}");
}

#[test]
fn a_published_classifier_is_set_against_the_network_trained_from_scratch() {
    let dir = tempfile::tempdir().unwrap();
    inputs(dir.path());
    let world = World { dataset: "d", split: "test", per_class: 60, reliance: 0.0, seed: 0 };
    let mut table = draw(&world, &["original"]).unwrap();
    for row in &mut table.rows {
        (row.model, row.trained_on) = ("resnet50-imagenet1k-v1".into(), "imagenet".into());
    }
    table.write_atomic(&dir.path().join("published.csv")).unwrap();
    let (spec, out) = (dir.path().join("report.toml"), dir.path().join("report"));
    make(&spec, &out).unwrap();
    let read = |name: &str| fs::read_to_string(out.join(name)).unwrap();
    assert!(!read("claims.csv").contains("pre-training-shrinks-gap"));
    assert!(section(&read("index.html"), "claims").contains("--model ARCH=WEIGHTS"));
    let text = fs::read_to_string(&spec).unwrap() + "[[predictions]]\npath = \"published.csv\"\n";
    fs::write(&spec, text).unwrap();
    make(&spec, &out).unwrap();
    let claims = read("claims.csv");
    let line = claims.lines().find(|l| l.starts_with("pre-training-shrinks-gap")).expect("a judged claim");
    assert!(line.contains("BG-gap of resnet50-imagenet1k-v1 − BG-gap of d-original"), "{line}");
    assert!(line.split(',').nth(2) == Some("supported"), "{line}");
    assert!(!read("index.html").contains("--model ARCH=WEIGHTS"));
}
