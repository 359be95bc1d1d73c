//! Bare answers beside their dataset: what a stranger's script writes is scored as a whole prediction table is.
#![cfg(all(feature = "cli", feature = "probes"))]

mod support;

use in9_data::predictions::{Labels, Row, Table, Training, complete};
use in9_data::{Dataset, ExportFormat, Pairing, PictureCode, View, export};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use support::{finish, program, world, world_of_imagenet};

/// Views that are answered.
const VIEWS: [View; 3] = [View::Original, View::MixedSame, View::MixedRand];

/// What somebody answers to a picture: right but for every third, which goes to the next class.
fn answer(at: usize, class: u16) -> u16 {
    if at.is_multiple_of(3) { (class + 1) % 9 } else { class }
}

/// The whole table, made by hand.
fn whole(dataset: &Dataset) -> Table {
    let split = dataset.split("test").unwrap();
    let classes: Vec<String> = dataset.taxonomy().classes.iter().map(|class| class.name.clone()).collect();
    let mut rows = Vec::new();
    for view in VIEWS {
        let pairing = view.needs_background().then(|| Pairing::frozen(dataset, &split, view).unwrap());
        for (at, sample) in split.samples().enumerate() {
            let background = pairing.as_ref().map(|pairing| split.sample(pairing.0[at] as usize));
            rows.push(Row {
                model: "answers".into(),
                arch: String::new(),
                trained_on: String::new(),
                dataset: "toy".into(),
                split: "test".into(),
                view,
                image: sample.id.clone(),
                foreground: sample.id.clone(),
                background: background.map_or_else(String::new, |sample| sample.id.clone()),
                class: sample.class,
                background_class: background.map(|sample| sample.class),
                predicted: Some(answer(at, sample.class)),
                scores: Vec::new(),
                training: Training::default(),
            });
        }
    }
    Table { classes, rows }
}

/// The answers to the same pictures, each named as `name` says.
fn answers(dataset: &Dataset, header: &str, line: impl Fn(&Row, &str) -> String) -> String {
    let mut text = format!("{header}\n");
    for row in whole(dataset).rows {
        let class = &dataset.taxonomy().classes[usize::from(row.predicted.unwrap())];
        writeln!(text, "{}", line(&row, &class.name)).unwrap();
    }
    text
}

fn completed(dir: &Path, dataset: &Dataset, text: &str) -> Table {
    let path = dir.join("answers.csv");
    fs::write(&path, text).unwrap();
    let completed = complete(&path, dataset, Labels::Auto).unwrap();
    assert_eq!(completed.partial, []);
    completed.table
}

#[test]
fn ids_files_and_paths_of_an_export_complete_to_the_same_table() {
    let dir = tempfile::tempdir().unwrap();
    let dataset = world(dir.path());
    let split = dataset.split("test").unwrap();
    let expected = whole(&dataset);

    let by_id =
        answers(&dataset, "image,view,predicted", |row, class| format!("{},{},{class}", row.image, row.view));
    assert_eq!(completed(dir.path(), &dataset, &by_id), expected);
    let numbered = answers(&dataset, "image,view,predicted", |row, _| {
        format!("{},{},{}", row.image, row.view, row.predicted.unwrap())
    });
    assert_eq!(completed(dir.path(), &dataset, &numbered), expected);
    let by_file = answers(&dataset, "predicted,view,image", |row, class| {
        let at = split.find(&row.image).unwrap();
        format!("{class},{},{}", row.view.release_folder(), split.sample(at).source)
    });
    assert_eq!(completed(dir.path(), &dataset, &by_file), expected);

    // The files that `export` writes, as a script would walk through them.
    let out = dir.path().join("pictures");
    let mut by_path = String::from("image,predicted\n");
    for view in VIEWS {
        export(&dataset, &split, view, ExportFormat::Folder, PictureCode::Png, &out, &|_, _| {}).unwrap();
        let root = out.join(view.release_folder()).join("val");
        for (row, folder) in expected
            .rows
            .iter()
            .filter(|row| row.view == view)
            .map(|row| (row, &dataset.taxonomy().classes[usize::from(row.class)].folder))
        {
            let name = match view.needs_background() {
                true => format!("fg_{}_bg_{}.png", row.image, row.background),
                false => format!("{}.png", row.image),
            };
            assert!(root.join(folder).join(&name).is_file(), "{name}");
            let predicted = &dataset.taxonomy().classes[usize::from(row.predicted.unwrap())].folder;
            writeln!(by_path, "{}/val/{folder}/{name},{predicted}", view.release_folder()).unwrap();
        }
    }
    assert_eq!(completed(dir.path(), &dataset, &by_path), expected);
}

#[test]
fn scoring_answers_prints_what_scoring_the_whole_table_does() {
    let dir = tempfile::tempdir().unwrap();
    let dataset = world(dir.path());
    let (short, long) = (dir.path().join("answers.csv"), dir.path().join("whole.csv"));
    let text =
        answers(&dataset, "image,view,predicted", |row, class| format!("{},{},{class}", row.image, row.view));
    fs::write(&short, text).unwrap();
    whole(&dataset).write_atomic(&long).unwrap();
    let data = dir.path().join("toy");
    let (expected, _) = finish(program().arg("score").arg(&long), 0);
    let (printed, said) = finish(program().arg("score").arg(&short).arg("--data").arg(&data), 0);
    assert_eq!(printed, expected);
    assert!(printed.contains("BG-gap") && !said.contains("numbers"), "{said}");
    // And by the file that `complete` writes.
    let made = dir.path().join("made.csv");
    complete(&short, &dataset, Labels::Auto).unwrap().table.write_atomic(&made).unwrap();
    assert_eq!(fs::read(&made).unwrap(), fs::read(&long).unwrap());
    assert_eq!(Table::read(&made).unwrap(), whole(&dataset));
    let (compared, _) = finish(program().arg("compare").arg(&short).arg(&short).arg("--data").arg(&data), 0);
    assert!(compared.contains("only first right"), "{compared}");
}

#[test]
fn numbers_of_imagenet_are_told_from_the_datasets_own() {
    let dir = tempfile::tempdir().unwrap();
    let dataset = world_of_imagenet(dir.path());
    let numbers = |labels: &str, offset: u32| {
        let text = answers(&dataset, "image,view,predicted", |row, _| {
            let class = &dataset.taxonomy().classes[usize::from(row.predicted.unwrap())];
            let number = if offset == 0 { u32::from(row.predicted.unwrap()) } else { class.indices[0] };
            format!("{},{},{number}", row.image, row.view)
        });
        let path = dir.path().join("numbers.csv");
        fs::write(&path, text).unwrap();
        let data = dir.path().join("toy");
        finish(program().arg("score").arg(&path).arg("--data").arg(data).args(["--labels", labels]), 0)
    };
    let (own, told) = numbers("auto", 0);
    assert!(told.contains("taken for classes of dataset (else give --labels imagenet)"), "{told}");
    let (imagenet, told) = numbers("auto", 1);
    assert!(told.contains("taken for classes of imagenet"), "{told}");
    assert_eq!(own, imagenet);
    // Asked for, the small numbers are ImageNet's: fish, sharks and hens, of which this world has one class.
    assert_ne!(numbers("imagenet", 0).0, own);
}

#[test]
fn mistakes_are_named_by_line_and_what_is_missing_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let dataset = world(dir.path());
    let split = dataset.split("test").unwrap();
    let (first, second) = (split.sample(0), split.sample(1));
    let other = split.samples().find(|sample| sample.class != first.class).unwrap();
    let class = &dataset.taxonomy().classes[0].name;
    let mixed = format!("fg_{}_bg_{}", first.id, other.id);
    let text = format!(
        "image,view,predicted\n{0},original,{class}\nnobody,original,{class}\n{0},upside-down,{class}\n\
         {0},original,{class}\n{1},original,toaster\n{mixed},mixed-same,{class}\n{1},original,9\n",
        first.id, second.id
    );
    let path = dir.path().join("answers.csv");
    fs::write(&path, text).unwrap();
    let data = dir.path().join("toy");
    let (_, said) = finish(program().arg("score").arg(&path).arg("--data").arg(&data), 1);
    for mistake in [
        "line 3: image \"nobody\" is no photograph of the dataset",
        "line 4: view \"upside-down\" is unknown",
        "line 5: same model, dataset, split, view, image and background as line 2",
        "line 6: predicted \"toaster\" is no class",
        "line 7: background",
        "line 8: predicted 9 is no class (0 to 8)",
    ] {
        assert!(said.contains(mistake), "{mistake} is not in: {said}");
    }
    fs::write(&path, format!("image,view,predicted\n{},original,{class}\n", first.id)).unwrap();
    let (_, said) = finish(program().arg("score").arg(&path).arg("--data").arg(&data), 0);
    assert!(said.contains("answered 1 of 18 photographs of test on original"), "{said}");
    fs::write(&path, "image,view\n").unwrap();
    let (_, said) = finish(program().arg("score").arg(&path).arg("--data").arg(&data), 1);
    assert!(said.contains("column predicted is missing"), "{said}");
}
