//! The guide: what its pages tell people to lay out, to write and to run is laid out, written and run.
#![allow(clippy::print_stdout, reason = "a skipped test says so")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use in9_tests::{expect, program, root};

/// The fenced blocks of a page whose first line has `key`, as (its value, their text).
fn blocks(page: &str, key: &str) -> Vec<(String, String)> {
    let text = fs::read_to_string(root().join("guide/src").join(page)).unwrap();
    let fences = text.split("```").skip(1).step_by(2);
    let found = fences.filter_map(|fence| {
        let (first, body) = fence.split_once('\n')?;
        let value = first.split(' ').find_map(|word| word.strip_prefix(&format!("{key}=")))?;
        Some((value.to_owned(), body.to_owned()))
    });
    found.collect()
}

/// Photographs of a toy world that no rule rejects, with their masks.
fn photographs(folder: &Path) -> Vec<(PathBuf, PathBuf)> {
    let (world, set) = (folder.join("world"), folder.join("set"));
    let mut toy = program("in9");
    toy.args(["toy", "--train-per-class", "3", "--test-per-class", "3", "--out"]).arg(&world);
    expect(&mut toy, 0);
    let mut build = program("in9");
    build.args(["build", "--masks", "exact", "--size", "32", "--root"]).arg(&world).arg("--out").arg(&set);
    let (_, said) = expect(&mut build, 0);
    assert!(said.contains("taken for source toy"), "{said}");
    let table = fs::read_to_string(set.join("samples.csv")).unwrap();
    let photographs = table.lines().filter_map(|line| {
        let source = line.split(',').find(|cell| cell.ends_with(".JPEG"))?;
        let stem = Path::new(source).file_stem()?.to_str()?;
        let of = |split: &str| world.join("masks").join(split).join(format!("{stem}.png"));
        let train = world.join("masks/train").join(stem.split('_').next()?).join(format!("{stem}.png"));
        let mask = [of("val"), train].into_iter().find(|mask| mask.is_file())?;
        let photo = [world.join(source), world.join("ILSVRC/Data/CLS-LOC").join(source)];
        Some((photo.into_iter().find(|photo| photo.is_file())?, mask))
    });
    photographs.collect()
}

/// Copies photographs and masks to the places of a layout.
fn lay_out(layout: &str, photographs: &[(PathBuf, PathBuf)], folder: &Path) -> usize {
    let is_mask = |line: &&str| line.contains("/masks/") || line.ends_with("_mask.png");
    let (masks, photos): (Vec<&str>, Vec<&str>) = layout.lines().filter(|l| !l.is_empty()).partition(is_mask);
    assert_eq!(masks.len(), photos.len(), "a mask for each photograph");
    let copy = |from: &Path, to: &str| {
        let to = folder.join(to);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(from, to).unwrap();
    };
    // Both lists are in the same order.
    for (i, (photo, mask)) in photos.iter().zip(&masks).enumerate() {
        let (photograph, its_mask) = &photographs[i % photographs.len()];
        copy(photograph, photo);
        copy(its_mask, mask);
    }
    photos.len()
}

#[test]
fn every_layout_of_the_guide_is_built_with_every_mask() {
    let folder = tempfile::tempdir().unwrap();
    let photographs = photographs(folder.path());
    assert!(photographs.len() >= 8, "{photographs:?}");
    let layouts = blocks("photographs.md", "layout");
    assert_eq!(layouts.len(), 4);
    for (name, layout) in layouts {
        let here = folder.path().join(&name);
        let count = lay_out(&layout, &photographs, &here);
        let mut build = program("in9");
        build.current_dir(&here);
        build.args(["build", "--root", "my-photos", "--masks", "exact", "--size", "32", "--out", "mine"]);
        let (printed, said) = expect(&mut build, 0);
        assert!(said.contains(&format!("{count} of {count} have a mask")), "{name}: {said}");
        let kept: usize = printed
            .lines()
            .filter_map(|line| line.split_once(": ")?.1.strip_suffix(" samples")?.parse::<usize>().ok())
            .sum();
        assert_eq!(kept, count, "{name}: {printed}");
        assert!(said.contains("(cat, dog)"), "{name}: {said}");
    }
}

#[test]
fn the_recipe_of_the_guide_runs_to_its_report() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let photographs = photographs(here);
    let layouts = blocks("photographs.md", "layout");
    let (_, layout) = layouts.iter().find(|(name, _)| name == "splits").unwrap();
    lay_out(layout, &photographs, here);
    let (name, text) = blocks("recipe.md", "file").remove(0);
    fs::write(here.join(&name), &text).unwrap();
    let mut run = program("in9");
    run.current_dir(here).args(["reproduce", "--recipe", &name, "--data", "my-photos", "--out", "out"]);
    expect(&mut run, 0);
    assert!(here.join("out/report/index.html").is_file());
    // A misspelt option is found before anything is built.
    fs::write(here.join("wrong.toml"), text.replace("epochs = 2", "epoch = 2")).unwrap();
    let mut wrong = program("in9");
    wrong.current_dir(here);
    wrong.args(["reproduce", "--recipe", "wrong.toml", "--data", "my-photos", "--out", "wrong"]);
    let (_, said) = expect(&mut wrong, 1);
    assert!(said.contains("--epoch"), "{said}");
    assert!(!here.join("wrong/data").exists(), "nothing is built for a recipe with a mistake");
}

#[test]
fn every_link_of_the_guide_leads_to_a_page() {
    let folder = root().join("guide/src");
    let mut linked = Vec::new();
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for link in links.filter(|link| !link.starts_with("https://")) {
            assert!(folder.join(link).is_file(), "{}: {link}", path.display());
            if path.ends_with("SUMMARY.md") {
                linked.push(link.to_owned());
            }
        }
    }
    assert_eq!(linked.len(), 7, "the summary lists the seven pages");
}

/// A Python that has torch and timm (`$IN9_PYTHON`, else `python3`), or `None` with one printed line.
fn torch() -> Option<PathBuf> {
    let python = std::env::var_os("IN9_PYTHON").map_or_else(|| PathBuf::from("python3"), PathBuf::from);
    let found = Command::new(&python).args(["-c", "import torch, timm, PIL, numpy"]).output();
    if found.is_ok_and(|found| found.status.success()) {
        return Some(python);
    }
    println!("skipped: {} has no torch and timm; name one that has in IN9_PYTHON", python.display());
    None
}

#[test]
fn the_scripts_of_the_guide_answer_alike_by_table_and_by_pipe() {
    let Some(python) = torch() else { return };
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    photographs(here);
    let scripts = blocks("pytorch.md", "file");
    for (name, text) in &scripts {
        // Without a download, and with the world's nine classes; one seed, so that both scripts have one network.
        let text = text
            .replace("pretrained=True", "pretrained=False, num_classes=9")
            .replace("\"outputs\": 1000", "\"outputs\": 9")
            .replace("\nmodel = ", "\ntorch.manual_seed(0)\nmodel = ")
            .replace(
                "timm.data.resolve_data_config(model=model)",
                "timm.data.resolve_data_config(model=model)\nconfig[\"input_size\"] = (3, 32, 32)",
            );
        fs::write(here.join(name), text).unwrap();
    }
    let lines = scripts.iter().find(|(name, _)| name == "answer.py").unwrap().1.lines();
    assert!(lines.filter(|line| !line.is_empty()).count() <= 15, "the script has grown");
    let run = |program: &mut Command, code| expect(program.current_dir(here), code);
    run(
        program("in9").args(["export", "set", "--view", "all", "--format", "folder", "--out", "pictures"]),
        0,
    );
    run(Command::new(&python).arg("answer.py"), 0);
    let (table, _) = run(program("in9").args(["score", "answers.csv", "--data", "set"]), 0);
    assert!(table.contains("BG-gap in points") && table.contains("| answers"), "{table}");
    let scorer = format!("{} scorer.py", python.display());
    let asked =
        ["predict", "--scorer", &scorer, "--data", "set", "--views", "all", "--out", "predictions.csv"];
    run(program("in9").args(asked), 0);
    let (piped, _) = run(program("in9").args(["score", "predictions.csv"]), 0);
    // The same pictures to the same network: the same accuracies, under the other name.
    let accuracies = |text: &str| {
        let row = text.lines().find(|l| l.starts_with("| answers") || l.starts_with("| resnet18")).unwrap();
        row.split('|').skip(3).map(|cell| cell.trim().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(accuracies(&table), accuracies(&piped));
    for probe in ["adversarial", "counterfactual", "saliency"] {
        let out = format!("probes/{probe}");
        run(
            program("in9").args([probe, "--scorer", &scorer, "--data", "set", "--limit", "2", "--out", &out]),
            0,
        );
    }
}
