//! What is written and removed where: rows 1 to 5, 9, 10 and 13.

use std::fs;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;

use crate::world::{World, done, refused, seen};

#[test]
fn row_01_a_folder_that_only_looks_like_ours_is_not_replaced() {
    let world = World::new();
    fs::create_dir(world.at("r")).unwrap();
    fs::copy(world.at("pred.csv"), world.at("r/pred.csv")).unwrap();
    let mut score = world.call("in9-analysis", "score @r/pred.csv --out @r");
    refused("row 1, the input's own folder", &mut score, &["pred.csv"]);
    assert!(world.at("r/pred.csv").exists());
    fs::create_dir(world.at("d")).unwrap();
    fs::write(world.at("d/report.toml"), "title = \"t\"\n[[predictions]]\npath = \"../pred.csv\"\n").unwrap();
    refused(
        "row 1, a report over its list",
        &mut world.call("in9-report", "report --spec @d/report.toml --out @d"),
        &["report.toml"],
    );
    assert!(world.at("d/report.toml").exists());
    for name in ["a.csv", "a.html", "a.json", "a.toml", "a.bin"] {
        let folder = world.at(&format!("only-{name}"));
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join(name), "precious").unwrap();
        let mut score = world.call("in9-analysis", "score @pred.csv --out");
        refused("row 1, a stranger's folder", score.arg(&folder), &[name]);
        assert_eq!(fs::read_to_string(folder.join(name)).unwrap(), "precious");
    }
}

#[test]
fn row_02_a_run_removes_nothing_that_it_has_not_written() {
    let world = World::new();
    let (recipe, out) = (world.at("recipe.toml"), world.at("o"));
    fs::write(&recipe, world.recipe()).unwrap();
    done("row 2, a run", &mut world.reproduce(&recipe, &out));
    let thesis = out.join("report/thesis.tex");
    fs::write(&thesis, "precious").unwrap();
    fs::write(&recipe, world.recipe().replace("title = \"Smoke\"", "title = \"Other\"")).unwrap();
    refused(
        "row 2, a stranger in a stage's output",
        &mut world.reproduce(&recipe, &out),
        &["report/thesis.tex"],
    );
    assert_eq!(fs::read_to_string(thesis).unwrap(), "precious");
}

#[test]
fn row_03_no_name_of_a_recipe_leads_out_of_the_output() {
    let world = World::new();
    let (recipe, out) = (world.at("recipe.toml"), world.at("o"));
    fs::create_dir(world.at("victim")).unwrap();
    fs::write(world.at("victim/precious"), "").unwrap();
    for (from, to) in [
        ("kind = \"saliency\"", "kind = \"../../victim\""),
        ("name = \"world\"", "name = \"..\""),
        ("arch = \"resnet-tiny\"", "arch = \"../../victim\""),
        ("[\"original\"]", "[\"../../victim\"]"),
        ("tag = \"l2\"", "tag = \"../../victim\""),
    ] {
        fs::write(&recipe, world.recipe().replace(from, to)).unwrap();
        refused(&format!("row 3, {to}"), &mut world.reproduce(&recipe, &out), &[]);
        assert!(world.at("victim/precious").exists() && !out.join("photos").exists());
    }
}

#[test]
fn row_04_no_class_folder_leads_out_of_the_export() {
    let world = World::new();
    let manifest = world.at("data/manifest.json");
    let text = fs::read_to_string(&manifest).unwrap();
    let evil = world.at("evil");
    let from = text.find("\"folder\": \"").unwrap() + "\"folder\": \"".len();
    let end = from + text[from..].find('"').unwrap();
    fs::write(&manifest, format!("{}{}{}", &text[..from], evil.display(), &text[end..])).unwrap();
    refused("row 4, verify", &mut world.call("in9-data", "verify @data"), &["manifest.json"]);
    let export = "export @data --view original --format folder --out @exported";
    refused("row 4, export", &mut world.call("in9-data", export), &["manifest.json"]);
    assert!(!evil.exists());
}

#[test]
fn row_09_a_comma_in_a_name_is_read_and_a_newline_is_told() {
    let world = World::new();
    let photograph = world.at("photos/ILSVRC/Data/CLS-LOC/val/ILSVRC2012_val_00000001.JPEG");
    for class in ["cat", "dog"] {
        let folder = world.at("mine/test").join(class);
        fs::create_dir_all(&folder).unwrap();
        fs::copy(&photograph, folder.join(format!("{class}, sitting.jpg"))).unwrap();
        fs::copy(&photograph, folder.join(format!("{class}-plain.jpg"))).unwrap();
        fs::copy(&photograph, folder.join(format!("{class}\nlying.jpg"))).unwrap();
    }
    let build = "build --source folder --root @mine --photos-only --size 32 --out @made";
    let built = seen("row 9, build", &mut world.call("in9-data", build));
    assert_eq!(built.code, Some(3), "{}", built.said);
    assert_eq!(built.said.matches("bad-name").count(), 2, "{}", built.said);
    done("row 9, verify", &mut world.call("in9-data", "verify @made"));
    assert!(fs::read_to_string(world.at("made/samples.csv")).unwrap().contains("cat, sitting"));
}

#[test]
fn row_10_two_trainings_in_one_folder_do_not_both_end_well() {
    let world = World::new();
    let train = |lr: &str| {
        let words =
            "train --arch resnet-tiny --view original --preset small --epochs 3 --batch-size 4 --data @data";
        let mut command = world.call("in9-models", &format!("{words} --lr {lr} --out @both"));
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::piped());
        command
    };
    for _ in 0..3 {
        let both = [train("0.1").spawn().unwrap(), train("0.01").spawn().unwrap()];
        let ends = both.map(|child| child.wait_with_output().unwrap());
        let well: Vec<usize> = (0..2).filter(|at| ends[*at].status.success()).collect();
        println!("row 10: {} of 2 ended well", well.len());
        assert_eq!(well.len(), 1, "{ends:?}");
        // The settings are those of the training that wrote the network.
        let settings = fs::read_to_string(world.at("both/run.toml")).unwrap();
        let lr = ["lr = 0.1\n", "lr = 0.01\n"][well[0]];
        assert!(settings.contains(lr), "{settings}");
        fs::remove_dir_all(world.at("both")).unwrap();
    }
}

#[test]
fn row_13_names_that_are_not_utf_8_are_counted() {
    let world = World::new();
    let photograph = world.at("photos/ILSVRC/Data/CLS-LOC/val/ILSVRC2012_val_00000001.JPEG");
    let strange = |text: &[u8]| PathBuf::from(std::ffi::OsString::from_vec(text.to_vec()));
    for class in [strange(b"cat"), strange(b"dog"), strange(b"f\xffsh")] {
        let folder = world.at("mine/test").join(class);
        fs::create_dir_all(&folder).unwrap();
        fs::copy(&photograph, folder.join("plain.jpg")).unwrap();
        fs::copy(&photograph, folder.join(strange(b"str\xffnge.jpg"))).unwrap();
    }
    let build = "build --source folder --root @mine --photos-only --size 32 --out @made";
    let built = seen("row 13", &mut world.call("in9-data", build));
    assert_eq!(built.code, Some(3), "{}", built.said);
    assert!(built.said.matches("UTF-8").count() >= 3, "{}", built.said);
}

#[test]
fn unclear_dangling_links_among_photographs_end_no_run() {
    let world = World::new();
    let recipe = world.at("recipe.toml");
    symlink("/nowhere", world.at("photos/dangling")).unwrap();
    let text = world.recipe().replace("source = \"toy\"\nrho = 0.9", "source = \"ilsvrc\"");
    let text = text.replace("render = { train-per-class = 8, test-per-class = 4 }\n", "");
    fs::write(&recipe, format!("data = \"photographs\"\n{text}")).unwrap();
    let mut run = world.reproduce(&recipe, &world.at("o"));
    done("unclear, dangling links", run.arg("--data").arg(world.at("photos")));
}

#[test]
fn unclear_a_log_of_others_is_not_overwritten() {
    let world = World::new();
    fs::create_dir(world.at("mine")).unwrap();
    fs::write(world.at("mine/log.csv"), "precious").unwrap();
    let train =
        "train --arch resnet-tiny --view original --preset small --epochs 1 --batch-size 4 --data @data";
    refused("unclear, log.csv", &mut world.call("in9-models", &format!("{train} --out @mine")), &["log.csv"]);
    assert_eq!(fs::read_to_string(world.at("mine/log.csv")).unwrap(), "precious");
}

#[test]
fn unclear_everybody_may_read_converted_weights() {
    let world = World::new();
    let convert = "convert --in @run/model.safetensors --arch resnet-tiny --out @converted.safetensors";
    done("unclear, convert", &mut world.call("in9-models", convert));
    let mode = fs::metadata(world.at("converted.safetensors")).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o644, "{mode:o}");
}

#[test]
fn unclear_locks_and_logs_that_are_links_are_not_written_to() {
    let world = World::new();
    let (recipe, out) = (world.at("recipe.toml"), world.at("o"));
    fs::write(&recipe, world.recipe()).unwrap();
    done("unclear, a run", &mut world.reproduce(&recipe, &out));
    fs::write(world.at("victim"), "precious").unwrap();
    let log = out.join("logs/report.log");
    fs::remove_file(&log).unwrap();
    symlink(world.at("victim"), &log).unwrap();
    fs::remove_dir_all(out.join("report")).unwrap();
    refused("unclear, a log that is a link", &mut world.reproduce(&recipe, &out), &["is a link"]);
    fs::remove_file(&log).unwrap();
    let lock = out.join(".lock");
    fs::remove_file(&lock).unwrap();
    symlink(world.at("victim"), &lock).unwrap();
    refused("unclear, a lock that is a link", &mut world.reproduce(&recipe, &out), &["is a link"]);
    crate::world::pipe(&lock);
    refused("unclear, a lock that is a pipe", &mut world.reproduce(&recipe, &out), &["is a pipe"]);
    assert_eq!(fs::read_to_string(world.at("victim")).unwrap(), "precious");
}
