//! What the program does beside building: exports, exclusions, other sources and selections.

mod common;

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use in9_data::{Dataset, Pairing, PublishedPictures, Split, View, compose};

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_in9-data"));
    command.arg("--quiet").args(arguments);
    command
}

#[track_caller]
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn toy(dir: &Path, more: &[&str]) -> PathBuf {
    let world = dir.join("world");
    if !world.exists() {
        common::world(dir, 3, 3);
    }
    let out = dir.join(format!("toy{}", more.join("")).replace('/', "_"));
    let mut build = program(&["build", "--source", "toy", "--masks", "exact", "--size", "32", "--root"]);
    run(build.arg(world).arg("--out").arg(&out).args(more));
    out
}

fn picture(split: &Split, index: usize, view: View, pairing: Option<&Pairing>) -> Vec<u8> {
    let mut out = vec![0; split.size() * split.size() * 3];
    let background = pairing.map(|p| split.layers(p.0[index] as usize).unwrap().tiled);
    compose(
        view,
        &split.layers(index).unwrap(),
        split.sample(index).crop_box,
        background,
        split.size(),
        &mut out,
    );
    out
}

#[test]
fn a_webdataset_holds_the_view_the_class_and_where_it_comes_from() {
    let dir = tempfile::tempdir().unwrap();
    let toy = toy(dir.path(), &[]);
    let out = dir.path().join("train.tar");
    let mut export =
        program(&["export", "--view", "mixed-next", "--format", "webdataset", "--split", "train"]);
    run(export.arg("--out").arg(&out).arg(&toy));
    let dataset = Dataset::open(&toy).unwrap();
    let split = dataset.split("train").unwrap();
    let pairing = Pairing::frozen(&dataset, &split, View::MixedNext).unwrap();
    let mut archive = tar::Archive::new(std::fs::File::open(&out).unwrap());
    let mut files = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().display().to_string();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        (name, bytes)
    });
    for index in 0..split.len() {
        let mut next = |extension: &str| {
            let (name, bytes) = files.next().unwrap();
            assert_eq!(name, format!("{index:08}.{extension}"));
            bytes
        };
        let image = image::load_from_memory(&next("png")).unwrap().into_rgb8().into_raw();
        assert!(image == picture(&split, index, View::MixedNext, Some(&pairing)));
        let sample = split.sample(index);
        assert_eq!(next("cls"), sample.class.to_string().into_bytes());
        let about: serde_json::Value = serde_json::from_slice(&next("json")).unwrap();
        let background = &split.sample(pairing.0[index] as usize).id;
        assert_eq!(about["id"], sample.id.as_str());
        assert_eq!(
            (about["view"].as_str(), about["background"].as_str()),
            (Some("mixed-next"), Some(&background[..]))
        );
    }
    assert!(files.next().is_none());
}

#[test]
fn folders_and_arrays_are_named_and_shaped_as_the_release() {
    let dir = tempfile::tempdir().unwrap();
    let toy = toy(dir.path(), &[]);
    let dataset = Dataset::open(&toy).unwrap();
    let split = dataset.split("test").unwrap();
    let out = dir.path().join("bg_challenge");
    run(program(&["export", "--view", "all", "--format", "folder", "--out"]).arg(&out).arg(&toy));
    for view in View::PAPER {
        let pairing = view.needs_background().then(|| Pairing::frozen(&dataset, &split, view).unwrap());
        for (index, sample) in split.samples().enumerate() {
            let class = &dataset.taxonomy().classes[usize::from(sample.class)].folder;
            let name = match &pairing {
                Some(pairing) => {
                    format!("fg_{}_bg_{}", sample.id, split.sample(pairing.0[index] as usize).id)
                }
                None => sample.id.clone(),
            };
            let file = out.join(view.release_folder()).join("val").join(class).join(format!("{name}.png"));
            let found = image::open(&file).unwrap().into_rgb8().into_raw();
            assert!(found == picture(&split, index, view, pairing.as_ref()), "{view} of {}", sample.id);
            let mask = std::fs::read(out.join("fg_mask/val").join(class).join(format!("{}.npy", sample.id)));
            let mask = npyz::NpyFile::new(&mask.unwrap()[..]).unwrap().into_vec::<bool>().unwrap();
            assert_eq!(mask.iter().filter(|&&m| m).count(), split.layers(index).unwrap().mask.area());
        }
    }
    // What was exported is a release: imported, it gives the same layers and pairings again.
    let imported = dir.path().join("imported");
    let mut import = program(&["import-release", "--taxonomy", "toy", "--size", "32", "--root"]);
    let report = import.arg(&out).arg("--out").arg(&imported).output().unwrap();
    let text = String::from_utf8(report.stdout).unwrap();
    for view in ["original", "only-bg-t", "no-fg", "only-fg", "mixed-same", "mixed-next"] {
        let line = text.lines().find(|line| line.starts_with(&format!("{view}: "))).unwrap();
        assert!(line.contains("mean difference 0.000, 0.000 % beyond 32"), "{line}");
    }
    // The background of mixed-rand is not in the release's names, so it is not compared.
    assert!(text.contains("mixed-rand: 0 pictures"), "{text}");
    // Its own pictures can be had as they are; whose background mixed-rand shows is not told.
    let again = Dataset::open(&imported).unwrap();
    let ours = again.split("test").unwrap();
    let published = PublishedPictures::open(&out, &ours).unwrap();
    assert_eq!(published.views(), View::ALL);
    for view in View::PAPER {
        let pairing = view.needs_background().then(|| Pairing::frozen(&dataset, &split, view).unwrap());
        for (index, sample) in split.samples().enumerate() {
            let at = ours.find(&sample.id).unwrap();
            let found = published.picture(view, at).unwrap();
            assert!(
                found == picture(&split, index, view, pairing.as_ref()),
                "published {view} of {}",
                sample.id
            );
            let told = pairing.as_ref().filter(|_| view != View::MixedRand);
            let told = told.map(|pairing| split.sample(pairing.0[index] as usize).id.as_str());
            let known = published.background(view, at).map(|behind| ours.sample(behind as usize).id.as_str());
            assert_eq!(known, told, "{view} of {}", sample.id);
        }
    }
    let lost = out.join("no_fg/val").join(&dataset.taxonomy().classes[0].folder);
    std::fs::remove_dir_all(&lost).unwrap();
    let error = PublishedPictures::open(&out, &ours).unwrap_err().to_string();
    assert!(error.contains("no picture of no-fg"), "{error}");
    let arrays = dir.path().join("arrays");
    run(program(&["export", "--view", "bg-blurred", "--format", "npy", "--out"]).arg(&arrays).arg(&toy));
    let bytes = std::fs::read(arrays.join("images.npy")).unwrap();
    let images = npyz::NpyFile::new(&bytes[..]).unwrap();
    assert_eq!(images.shape(), [split.len() as u64, 32, 32, 3]);
    let images = images.into_vec::<u8>().unwrap();
    for (index, found) in images.chunks_exact(32 * 32 * 3).enumerate() {
        assert!(found == picture(&split, index, View::BgBlurred, None));
    }
}

#[test]
fn a_contact_sheet_has_a_row_a_sample_and_a_column_a_view() {
    let dir = tempfile::tempdir().unwrap();
    let toy = toy(dir.path(), &[]);
    let sheet = dir.path().join("sheet.png");
    run(program(&["show", "--count", "2", "--png"]).arg(&sheet).arg(&toy));
    let sheet = image::open(sheet).unwrap().into_rgb8();
    // Titles: names of 15 letters of 8 pixels before the rows, and of at most 12 over the columns.
    let (left, head, column_width) = (15 * 8 + 8, 15, 12 * 8 + 4);
    assert_eq!(sheet.dimensions(), (left + View::ALL.len() as u32 * column_width, head + 2 * 36));
    let split = Dataset::open(&toy).unwrap().split("test").unwrap();
    for (column, view) in [(0, View::Original), (4, View::OnlyFg), (8, View::BgBlurred), (12, View::BgNoise)]
    {
        let expected = picture(&split, 0, view, None);
        for (x, y) in [(0, 0), (15, 16), (31, 31)] {
            let at = (y * 32 + x) * 3;
            assert_eq!(
                sheet.get_pixel(left + column * column_width + x as u32, head + y as u32).0,
                expected[at..at + 3]
            );
        }
    }
}

#[test]
fn test_photographs_are_left_out_by_hand_or_by_the_release() {
    let dir = tempfile::tempdir().unwrap();
    let whole = toy(dir.path(), &[]);
    let dataset = Dataset::open(&whole).unwrap();
    let ids: Vec<String> = dataset.split("test").unwrap().samples().map(|s| s.id.clone()).collect();
    let train = dataset.split("train").unwrap().len();
    let list = dir.path().join("bad.txt");
    std::fs::write(&list, format!("id,why\n{},the mask keeps the sea\n", ids[0])).unwrap();
    let release = dir.path().join("release/original/val/00");
    std::fs::create_dir_all(&release).unwrap();
    let last = &ids[ids.len() - 1];
    std::fs::write(release.join(format!("{last}.JPEG")), "only its name counts").unwrap();
    let root = dir.path().join("release");
    let (list, root) = (list.to_str().unwrap(), root.to_str().unwrap());
    let out = toy(dir.path(), &["--exclude", list, "--exclude-release", root]);
    let dataset = Dataset::open(&out).unwrap();
    let split = dataset.split("test").unwrap();
    assert_eq!((split.len(), dataset.split("train").unwrap().len()), (ids.len() - 2, train));
    assert!(split.find(&ids[0]).is_none() && split.find(last).is_none());
    let rejected = std::fs::read_to_string(out.join("rejected.csv")).unwrap();
    for (id, rule) in [(&ids[0], "by-hand"), (last, "official-test")] {
        assert!(rejected.lines().any(|line| line.contains(rule) && line.contains(id)), "{rule}: {rejected}");
    }
}

#[test]
fn archives_and_folders_give_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let world = common::world(dir.path(), 1, 3);
    let (folders, archives) = (dir.path().join("folders"), dir.path().join("archives"));
    std::fs::create_dir_all(folders.join("val")).unwrap();
    std::fs::create_dir_all(folders.join("bbox/val")).unwrap();
    std::fs::create_dir_all(&archives).unwrap();
    let mut photos =
        tar::Builder::new(std::fs::File::create(archives.join("ILSVRC2012_img_val.tar")).unwrap());
    let notes = std::fs::File::create(archives.join("ILSVRC2012_bbox_val_v3.tgz")).unwrap();
    let mut notes = tar::Builder::new(flate2::write::GzEncoder::new(notes, flate2::Compression::fast()));
    for (below, to) in [("Data", "val"), ("Annotations", "bbox/val")] {
        let place = world.join("ILSVRC").join(below).join("CLS-LOC/val");
        let mut found: Vec<PathBuf> = Vec::new();
        for (path, _) in common::contents(&place) {
            found.push(path);
        }
        for path in found {
            let name = path.file_name().unwrap().to_str().unwrap();
            std::fs::copy(place.join(&path), folders.join(to).join(name)).unwrap();
            match below {
                "Data" => photos.append_path_with_name(place.join(&path), name).unwrap(),
                _ => notes.append_path_with_name(place.join(&path), format!("val/{name}")).unwrap(),
            }
        }
    }
    photos.finish().unwrap();
    notes.into_inner().unwrap().finish().unwrap();
    let build = |root: &Path, out: &str| {
        let out = dir.path().join(out);
        let mut command =
            program(&["build", "--source", "ilsvrc", "--taxonomy", "toy", "--size", "32", "--root"]);
        run(command.arg(root).arg("--out").arg(&out));
        common::contents(&out)
    };
    assert!(build(&folders, "from-folders") == build(&archives, "from-archives"));
}

/// COCO's compressed text, written from its definition.
fn compressed(counts: &[i64]) -> String {
    let mut text = String::new();
    for (at, &count) in counts.iter().enumerate() {
        let mut value = if at > 2 { count - counts[at - 2] } else { count };
        loop {
            let group = value & 31;
            value >>= 5;
            let done = if group & 16 != 0 { value == -1 } else { value == 0 };
            text.push(char::from((group + if done { 0 } else { 32 } + 48) as u8));
            if done {
                break;
            }
        }
    }
    text
}

#[test]
fn cocos_three_forms_of_a_shape_give_the_same_layers() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    std::fs::create_dir_all(root.join("test/disc")).unwrap();
    // Columns 20 to 39 of rows 10 to 29 in a photograph of 60×40; runs go down the columns.
    let mut runs = vec![20 * 40 + 10];
    for _ in 0..19 {
        runs.extend([20, 20]);
    }
    runs.extend([20, 10 + 20 * 40]);
    let plain = runs.iter().map(i64::to_string).collect::<Vec<_>>().join(",");
    let forms = [
        "[[20,10,40,10,40,30,20,30]]".to_string(),
        format!(r#"{{"size":[40,60],"counts":[{plain}]}}"#),
        format!(r#"{{"size":[40,60],"counts":"{}"}}"#, compressed(&runs)),
    ];
    let photo = include_bytes!("fixtures/photographs/progressive.jpg");
    let (mut images, mut objects) = (Vec::new(), Vec::new());
    for (id, form) in forms.iter().enumerate() {
        std::fs::write(root.join(format!("test/disc/{id}.jpg")), photo).unwrap();
        images.push(format!(r#"{{"id":{id},"file_name":"test/disc/{id}.jpg","width":60,"height":40}}"#));
        objects.push(format!(r#"{{"image_id":{id},"segmentation":{form}}}"#));
    }
    let text = format!(r#"{{"images":[{}],"annotations":[{}]}}"#, images.join(","), objects.join(","));
    std::fs::write(root.join("annotations.json"), text).unwrap();
    let out = dir.path().join("out");
    let mut build = program(&["build", "--source", "folder", "--masks", "exact", "--size", "40", "--root"]);
    run(build.arg(&root).arg("--out").arg(&out));
    let split = Dataset::open(&out).unwrap().split("test").unwrap();
    assert_eq!(split.len(), 3);
    for index in 0..3 {
        // The central square of 40 begins at column 10.
        let (sample, mask) = (split.sample(index), split.layers(index).unwrap().mask);
        assert_eq!(sample.photo_box, [20, 10, 39, 29], "form {index}");
        assert_eq!((mask.area(), mask.get(10, 10), mask.get(29, 29)), (400, true, true), "form {index}");
    }
}

#[test]
fn in_9lb_keeps_some_fine_labels_as_photographs_only() {
    let dir = tempfile::tempdir().unwrap();
    let groups = dir.path().join("groups.toml");
    let mut taxonomy = program(&["taxonomy", "imagenet-9", "--fine-per-class", "16", "--group", "1"]);
    std::fs::write(&groups, run(&mut taxonomy)).unwrap();
    let text = run(program(&["taxonomy"]).arg(&groups));
    assert_eq!(text.matches("[[class]]").count(), 144);
    let out = toy(dir.path(), &["--fine-per-class", "1", "--photos-only"]);
    let dataset = Dataset::open(&out).unwrap();
    let split = dataset.split("train").unwrap();
    let mut fine: Vec<_> = split.samples().map(|sample| (sample.class, sample.fine.clone())).collect();
    fine.sort();
    fine.dedup();
    assert!(!split.has_layers() && fine.len() == 9, "{fine:?}");
    assert!(split.check_view(View::MixedRand).is_err());
}

#[test]
fn pieces_are_counted_from_1() {
    let dir = tempfile::tempdir().unwrap();
    let world = common::world(dir.path(), 1, 1);
    let build = |piece: &str| {
        let mut build =
            program(&["build", "--source", "toy", "--masks", "exact", "--size", "32", "--shard", piece]);
        build.arg("--root").arg(&world).arg("--out").arg(dir.path().join("piece"));
        build.output().unwrap().status.code()
    };
    for wrong in ["0/2", "3/2", "0/0", "2", "a/b"] {
        assert_eq!(build(wrong), Some(2), "{wrong}");
    }
    assert_eq!(build("2/2"), Some(0));
}

#[test]
fn a_pipe_that_is_closed_is_no_failure() {
    let dir = tempfile::tempdir().unwrap();
    let toy = toy(dir.path(), &[]);
    let mut child = program(&["show"]).arg(&toy).stdout(std::process::Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
}

#[test]
fn an_export_does_not_write_among_what_is_not_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let toy = toy(dir.path(), &[]);
    for format in ["folder", "npy"] {
        let out = dir.path().join(format);
        std::fs::create_dir_all(out.join("original/val/fish")).unwrap();
        std::fs::write(out.join("original/val/fish/official.JPEG"), "precious").unwrap();
        let mut export = program(&["export", "--view", "original", "--format", format, "--out"]);
        assert_eq!(export.arg(&out).arg(&toy).output().unwrap().status.code(), Some(1));
        assert_eq!(common::contents(&out).len(), 1);
    }
    let out = dir.path().join("new");
    for _ in 0..2 {
        run(program(&["export", "--view", "original", "--format", "folder", "--out"]).arg(&out).arg(&toy));
    }
}
