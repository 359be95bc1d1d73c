//! The built program: what it answers, what it refuses, and that searches resume and merge.
#![cfg(all(feature = "cli", feature = "probes"))]

mod support;

use in9_analysis::paper_world::{World, draw};
use in9_data::View;
use std::fs;
use std::path::Path;
use std::process::Command;
use support::{finish, probe, program, trained};

/// Five mistakes, one of each kind, between rows that are right.
const MISTAKEN: &str = "\
model,trained_on,dataset,split,view,image,foreground,background,class,background_class,predicted,score_cat,score_dog
m,original,pets,test,original,1,1,,cat,,cat,0.9,0.1
m,original,pets,test,sideways,1,1,,cat,,cat,0.9,0.1
m,original,pets,test,original,1,1,,cat,,dog,0.4,0.6
m,original,pets,test,original,2,2,,dog,,horse,0.2,0.8
m,original,pets,test,original,3,3,,dog,,dog,0.2
m,original,pets,test,original,4,4,,dog,,dog,0.2,0.8
";

#[test]
fn every_mistake_of_a_table_is_named_with_its_line() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mistaken.csv");
    fs::write(&path, MISTAKEN).unwrap();
    let (printed, said) =
        finish(program().arg("score").arg(&path).arg("--out").arg(dir.path().join("out")), 1);
    assert!(printed.is_empty());
    for mistake in [
        "5 mistakes",
        "line 1: column arch is missing",
        "line 3: view \"sideways\" is unknown",
        "line 4: same model, dataset, split, view, image and background as line 2",
        "line 5: predicted \"horse\" is no class",
        "line 6: 12 fields instead of 13",
    ] {
        assert!(said.contains(mistake), "{mistake} is not in: {said}");
    }
    assert!(
        said.contains("mistaken.csv") && said.starts_with("error: ") && said.lines().count() == 1,
        "{said}"
    );
    assert!(!dir.path().join("out").exists(), "nothing may be written");
}

#[test]
fn a_table_is_scored_and_two_are_compared() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("p.csv");
    let world = World { dataset: "d", split: "test", per_class: 40, reliance: 1.0, seed: 0 };
    draw(&world, &["original", "mixed-rand"]).unwrap().write_atomic(&path).unwrap();
    let (printed, _) =
        finish(program().arg("score").arg(&path).arg("--out").arg(dir.path().join("scores")), 0);
    for word in ["BG-gap", "original", "mixed-rand", "BG Required"] {
        assert!(printed.contains(word), "{word} is not in: {printed}");
    }
    let results = fs::read(dir.path().join("scores/results.json")).unwrap();
    let results: serde_json::Value = serde_json::from_slice(&results).unwrap();
    let models = results["models"].as_array().unwrap();
    assert_eq!(models.len(), 2);
    assert!(models.iter().all(|m| m["gap"]["gap"]["low"].as_f64() < m["gap"]["gap"]["high"].as_f64()));
    let compare = |second: &str, code| {
        let mut command = program();
        command.arg("compare").args([&path, &path]).args(["--first", "d-original", "--second", second]);
        finish(&mut command, code)
    };
    let (printed, _) = compare("d-mixed-rand", 0);
    assert!(printed.contains("mixed-next") && printed.contains("BG-gap"), "{printed}");
    let (_, said) = compare("nobody", 1);
    assert!(said.contains("d-original, d-mixed-rand") || said.contains("d-mixed-rand, d-original"), "{said}");
}

/// A table of the drawn world with two networks at `path`.
fn drawn(path: &Path) {
    let world = World { dataset: "d", split: "test", per_class: 4, reliance: 1.0, seed: 0 };
    draw(&world, &["original", "mixed-rand"]).unwrap().write_atomic(path).unwrap();
}

#[test]
fn an_output_never_replaces_an_input_or_what_others_made() {
    let dir = tempfile::tempdir().unwrap();
    let (folder, table) = (dir.path().join("r"), dir.path().join("r/pred.csv"));
    fs::create_dir(&folder).unwrap();
    drawn(&table);
    let before = fs::read(&table).unwrap();
    let (_, said) = finish(program().arg("score").arg(&table).arg("--out").arg(&folder), 1);
    assert!(said.contains("pred.csv") && said.contains("is an input"), "{said}");
    assert_eq!(fs::read(&table).unwrap(), before);
    let (_, said) = finish(
        program()
            .arg("compare")
            .args([&table, &table])
            .args(["--first", "d-original"])
            .arg("--out")
            .arg(&folder),
        1,
    );
    assert!(said.contains("is an input"), "{said}");
    // Files of any of the kinds that we write are not ours for that.
    for name in ["notes.csv", "page.html", "data.json", "settings.toml", "weights.bin", "results.json"] {
        let folder = dir.path().join(format!("foreign-{name}"));
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join(name), "precious").unwrap();
        let (_, said) = finish(program().arg("score").arg(&table).arg("--out").arg(&folder), 1);
        assert!(said.contains(name) && said.contains("nothing was changed"), "{said}");
        assert_eq!(fs::read_to_string(folder.join(name)).unwrap(), "precious");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    }
    // Our own output is replaced, unless something strange has come to stand in it.
    let out = dir.path().join("scores");
    for _ in 0..2 {
        finish(program().arg("score").arg(&table).arg("--out").arg(&out), 0);
    }
    fs::write(out.join("thesis.csv"), "precious").unwrap();
    let (_, said) = finish(program().arg("score").arg(&table).arg("--out").arg(&out), 1);
    assert!(said.contains("thesis.csv"), "{said}");
    assert_eq!(fs::read_to_string(out.join("thesis.csv")).unwrap(), "precious");
}

#[test]
fn figures_that_cannot_be_computed_are_named_with_what_they_need() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("p.csv");
    let head = "model,arch,trained_on,dataset,split,view,image,foreground,background,class,background_class,predicted,score_a,score_b\n";
    let score = |rows: &[(&str, &str)]| {
        let row = |(view, image): &(&str, &str)| {
            format!("m,x,original,d,test,{view},{image},{image},,a,,a,0.9,0.1\n")
        };
        fs::write(&path, head.to_owned() + &rows.iter().map(row).collect::<String>()).unwrap();
        finish(program().arg("score").arg(&path), 0).0
    };
    let printed = score(&[("original", "1"), ("original", "2"), ("mixed-rand", "1"), ("mixed-rand", "2")]);
    assert!(printed.contains("BG-gap: needs predictions on mixed-same (trained on original)"), "{printed}");
    assert!(printed.contains("categories: needs predictions on only-bg-t"), "{printed}");
    let printed = score(&[("mixed-same", "1"), ("mixed-rand", "2")]);
    assert!(
        printed.contains("mixed-same, mixed-rand share no foreground")
            && !printed.contains("BG-gap in points"),
        "{printed}"
    );
    let printed = score(&[("mixed-same", "1"), ("mixed-rand", "1")]);
    assert!(printed.contains("one photograph gives none"), "{printed}");
    assert!(!printed.contains("0.0 [0.0, 0.0]"), "{printed}");
    fs::write(&path, head).unwrap();
    let (_, said) = finish(program().arg("score").arg(&path), 1);
    assert!(said.contains("holds a header and no prediction"), "{said}");
}

#[cfg(unix)]
#[test]
fn no_table_hangs_or_fills_the_memory() {
    let dir = tempfile::tempdir().unwrap();
    let pipe = dir.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for path in [pipe.as_path(), Path::new("/dev/zero")] {
        let (_, said) = finish(program().arg("score").arg(path), 1);
        assert!(said.contains("expected a regular file"), "{said}");
    }
    // Ten thousand classes on every view: a square of them for each would take over six gigabytes.
    let names: Vec<String> = (0..10_000).map(|c| format!("score_c{c}")).collect();
    let mut text = format!(
        "model,arch,trained_on,dataset,split,view,image,foreground,background,class,background_class,predicted,{}\n",
        names.join(",")
    );
    let scores = vec!["0"; 10_000].join(",");
    for view in View::ALL {
        text += &format!("m,x,original,d,test,{view},i,i,,c1,,c9999,{scores}\n");
    }
    let path = dir.path().join("many.csv");
    fs::write(&path, text).unwrap();
    let mut limited = Command::new("sh");
    limited.args([
        "-c",
        "ulimit -v 1000000; exec \"$@\"",
        "sh",
        env!("CARGO_BIN_EXE_in9-analysis"),
        "score",
        "--jobs",
        "2",
    ]);
    limited.arg(&path).arg("--out").arg(dir.path().join("out"));
    finish(&mut limited, 0);
    let confusion = fs::read_to_string(dir.path().join("out/confusion.csv")).unwrap();
    assert_eq!(confusion.lines().filter(|l| l.ends_with(",c1,c9999,1")).count(), View::ALL.len());
}

#[test]
fn hostile_names_reach_no_terminal_and_no_spreadsheet() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("p.csv");
    drawn(&path);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("d-original", "=cmd|' /C calc'!A0")).unwrap();
    let out = dir.path().join("out");
    finish(program().arg("score").arg(&path).arg("--out").arg(&out), 0);
    let csv = fs::read_to_string(out.join("gaps.csv")).unwrap();
    assert!(csv.contains(",'=cmd|") && !csv.contains(",=cmd"), "{csv}");
    fs::write(&path, text.replace("d-original", "\u{1b}[31md-original")).unwrap();
    let (printed, said) = finish(program().arg("score").arg(&path), 1);
    assert!(
        !printed.contains('\u{1b}') && !said.contains('\u{1b}') && said.contains("control character"),
        "{said}"
    );
}

/// The columns foreground, rule and vulnerable of foregrounds.csv.
fn verdicts(folder: &Path) -> Vec<String> {
    let text = fs::read_to_string(folder.join("foregrounds.csv")).unwrap();
    let verdict = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        format!("{} {} {}", cells[0], cells[2], cells[3])
    };
    text.lines().skip(1).map(verdict).collect()
}

/// Every file of a folder by its name, with its bytes.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let below = in9_base::files::below(folder).unwrap();
    let name = |path: &Path| path.strip_prefix(folder).unwrap().to_string_lossy().into_owned();
    let mut files: Vec<_> = below.iter().map(|path| (name(path), fs::read(path).unwrap())).collect();
    files.sort();
    files
}

#[track_caller]
fn assert_same_files(one: &Path, two: &Path) {
    let (one, two) = (files(one), files(two));
    let names = |files: &[(String, Vec<u8>)]| files.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&one), names(&two));
    for ((name, a), (_, b)) in one.iter().zip(&two) {
        assert!(a == b, "{name} differs: {} and {}", String::from_utf8_lossy(a), String::from_utf8_lossy(b));
    }
}

#[test]
fn saliency_and_counterfactuals_in_pieces_are_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    trained(dir);
    let of_saliency = [
        "--samples",
        "2",
        "--steps",
        "2",
        "--overlays",
        "4",
        "--limit",
        "13",
        "--layer",
        "layer2.1,layer1.0",
    ];
    for (kind, more) in
        [("saliency", &of_saliency[..]), ("counterfactual", &["--partners", "3", "--limit", "13"])]
    {
        let all = dir.join(kind).join("all");
        finish(&mut probe(dir, kind, &format!("{kind}/all"), more), 0);
        // By name, by Slurm and by SkyPilot, each in its own numbers.
        let (first, second, third) = (format!("{kind}/1"), format!("{kind}/2"), format!("{kind}/3"));
        let sharded = |out: &str, shard: &str| probe(dir, kind, out, &[more, &["--shard", shard]].concat());
        finish(sharded(&first, "1/3").args(["--batch-size", "2"]), 0);
        let slurm =
            [("SLURM_ARRAY_TASK_ID", "6"), ("SLURM_ARRAY_TASK_MIN", "5"), ("SLURM_ARRAY_TASK_MAX", "7")];
        finish(sharded(&second, "auto").envs(slurm).env("SLURM_ARRAY_TASK_COUNT", "3"), 0);
        let sky = [("SKYPILOT_JOB_RANK", "2"), ("SKYPILOT_NUM_JOBS", "3")];
        finish(sharded(&third, "auto").envs(sky), 0);
        let merge = |out: &str, pieces: &[&String], more: &[&str], code| {
            let mut command = probe(dir, kind, &format!("{kind}/{out}"), &[more, &["--merge"]].concat());
            finish(command.args(pieces.iter().map(|piece| dir.join(piece))), code).1
        };
        merge("merged", &[&third, &first, &second], more, 0);
        assert_same_files(&dir.join(kind).join("merged"), &all);
        assert!(files(&all).len() >= 3, "{kind}");
        for (pieces, more, said) in [
            (vec![&first, &third], more.to_vec(), "of 3 pieces 1 are missing: 2;"),
            (vec![&first, &second, &second, &third], more.to_vec(), "name each piece once"),
            (vec![&first, &second, &third], [more, &["--seed", "5"]].concat(), "other settings"),
        ] {
            let heard = merge("refused", &pieces, &more, 1);
            assert!(heard.contains(said), "{kind}: {heard}");
        }
        // Half of a table.
        let table = dir.join(&second).join("rows.csv");
        let text = fs::read_to_string(&table).unwrap();
        fs::write(&table, &text[..text.len() / 2]).unwrap();
        merge("refused", &[&first, &second, &third], more, 1);
        assert!(!dir.join(kind).join("refused").exists());
    }
    let (_, said) = finish(&mut probe(dir, "saliency", "x", &["--shard", "auto"]), 2);
    assert!(said.contains("no scheduler says which piece"), "{said}");
}

#[test]
fn a_search_has_the_exhaustive_verdicts_in_one_or_in_pieces() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    trained(dir);
    let (printed, _) = finish(&mut probe(dir, "adversarial", "all", &["--exhaustive"]), 0);
    assert!(printed.contains("18 foregrounds, 18 backgrounds, 342 forward passes"), "{printed}");
    assert!(printed.contains("in the official order"), "{printed}");
    finish(&mut probe(dir, "adversarial", "ordered", &["--jobs", "1"]), 0);
    assert_eq!(verdicts(&dir.join("ordered")), verdicts(&dir.join("all")));
    assert_eq!(verdicts(&dir.join("all")).len(), 3 * 18);

    for piece in ["1/3", "2/3", "3/3"] {
        let out = format!("piece-{}", &piece[..1]);
        finish(
            &mut probe(dir, "adversarial", &out, &["--exhaustive", "--shard", piece, "--batch-size", "5"]),
            0,
        );
    }
    let pieces = ["1", "2", "3"].map(|i| dir.join(format!("piece-{i}")));
    let merge = |out: &str, pieces: &[&Path]| {
        let mut command = probe(dir, "adversarial", out, &["--exhaustive", "--merge"]);
        command.args(pieces);
        command
    };
    finish(&mut merge("merged", &[&pieces[2], &pieces[0], &pieces[1]]), 0);
    assert_same_files(&dir.join("merged"), &dir.join("all"));
    // Counted from 1 everywhere.
    finish(&mut probe(dir, "adversarial", "none", &["--shard", "0/3"]), 2);
    let (_, said) = finish(&mut merge("torn", &[&pieces[0], &pieces[1]]), 1);
    assert!(said.contains("6 missing"), "{said}");
    let (_, said) = finish(&mut merge("torn", &[&pieces[0], &pieces[0], &pieces[1]]), 1);
    assert!(said.contains("name each piece once"), "{said}");
}

#[test]
fn probes_write_the_same_bytes_for_any_batch_and_threads() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    trained(dir);
    for (kind, more) in
        [("saliency", &["--samples", "2", "--steps", "2"][..]), ("counterfactual", &["--partners", "3"])]
    {
        finish(probe(dir, kind, "one", more).args(["--batch-size", "4", "--jobs", "1"]), 0);
        finish(probe(dir, kind, "two", more).args(["--batch-size", "64", "--jobs", "2"]), 0);
        let mut files = 0;
        for entry in fs::read_dir(dir.join("one")).unwrap() {
            let name = entry.unwrap().file_name();
            if dir.join("one").join(&name).is_file() {
                let read = |folder: &str| fs::read(dir.join(folder).join(&name)).unwrap();
                assert!(read("one") == read("two"), "{kind}: {name:?} differs");
                files += 1;
            }
        }
        assert!(files >= 3, "{kind}: {files} files");
        for folder in ["one", "two"] {
            fs::remove_dir_all(dir.join(folder)).unwrap();
        }
    }
}

/// The shares on the foreground by one method.
fn masses(folder: &Path, method: &str) -> Vec<String> {
    let text = fs::read_to_string(folder.join("maps.csv")).unwrap();
    let rows = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    rows.filter(|cells| cells[3] == method).map(|cells| cells[4].to_owned()).collect()
}

#[test]
fn an_inner_tap_can_be_chosen_and_an_unknown_one_is_answered_with_all() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    trained(dir);
    let looked = |out: &str, tap: &str, code| {
        let more = ["--tap", tap, "--methods", "grad-cam,hires-cam", "--steps", "0"];
        finish(&mut probe(dir, "saliency", out, &more), code)
    };
    let (_, said) = looked("none", "attention", 1);
    assert!(said.contains("attention") && said.contains("conv1, layer1.0, layer1.1"), "{said}");
    assert!(!dir.join("none").exists());
    // Several at once are each what it is alone.
    looked("both", "layer4.1,layer2.1", 0);
    let both = fs::read_to_string(dir.join("both/maps.csv")).unwrap();
    for (tap, one_map) in [("layer4.1", true), ("layer2.1", false)] {
        let (printed, _) = looked(tap, tap, 0);
        assert!(printed.contains(tap), "{printed}");
        let [grad_cam, hires_cam] = ["grad-cam", "hires-cam"].map(|method| masses(&dir.join(tap), method));
        assert_eq!((grad_cam.len(), hires_cam.len()), (18, 18));
        let alone = fs::read_to_string(dir.join(tap).join("maps.csv")).unwrap();
        let of_tap: Vec<&str> = both.lines().filter(|line| line.contains(&format!(",{tap},"))).collect();
        assert_eq!(of_tap, alone.lines().skip(1).collect::<Vec<_>>());
        // The mean before the classifier gives every place of layer4.1 the same gradient, up to rounding.
        let number = |text: &String| text.parse::<f64>().unwrap_or(-1.0);
        let apart = grad_cam.iter().zip(&hires_cam).map(|(a, b)| (number(a) - number(b)).abs());
        let worst = apart.fold(0.0, f64::max);
        assert!(if one_map { worst < 1e-3 } else { worst > 0.05 }, "{tap}: {worst}");
    }
}
