//! A dataset without its pixels, and the same dataset again.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::contents;
use in9_data::{
    BuildConfig, Dataset, Error, Limits, MaskSource, Profile, Rebuild, Rebuilt, SourceKind, build, rebuild,
    verify, write_outline,
};

fn dataset(root: &Path, out: &Path, change: impl FnOnce(&mut BuildConfig)) -> Dataset {
    let mut config = BuildConfig::new(SourceKind::Toy, root, out);
    (config.size, config.holdout, config.masks) = (32, 0.2, MaskSource::Exact);
    change(&mut config);
    build(&config, &|_| ()).unwrap();
    Dataset::open(out).unwrap()
}

fn again(outline: &Path, root: &Path, out: &Path) -> in9_data::Result<Rebuilt> {
    let (outline, root, out) = (outline.into(), root.into(), out.into());
    rebuild(&Rebuild { outline, root, out, limits: Limits::default() }, &|_| ())
}

/// Copies a folder with everything in it.
fn copy(from: &Path, to: &Path) {
    for (name, bytes) in contents(from) {
        let path = to.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

/// A photograph of the world, as its file and as a dataset's source names it.
fn a_photograph(dataset: &Dataset, root: &Path) -> (PathBuf, String) {
    let split = dataset.split("test").unwrap();
    let source = split.samples().nth(4).unwrap().source.clone();
    let path = root.join(&source);
    assert!(path.is_file(), "{}", path.display());
    (path, source)
}

#[test]
fn the_same_photographs_elsewhere_give_the_same_dataset() {
    let dir = tempfile::tempdir().unwrap();
    let root = common::world(dir.path(), 5, 3);
    let elsewhere = dir.path().join("elsewhere");
    copy(&root, &elsewhere);
    type Change = fn(&mut BuildConfig);
    let kinds: [(&str, Change); 5] = [
        ("exact", |_| ()),
        ("grabcut", |config| config.masks = MaskSource::Grabcut),
        // To the letter: the shorter side at 36, black pixels out of masks, boxes that may end at the width.
        ("paper", |config| (config.profile, config.masks) = (Profile::Paper, MaskSource::Grabcut)),
        ("photographs", |config| config.photos_only = true),
        ("larger training pictures", |config| config.train_size = Some(40)),
    ];
    for (kind, change) in kinds {
        let first = dir.path().join(kind);
        let made = dataset(&root, &first, change);
        let outline = dir.path().join(format!("{kind}.outline"));
        let written = write_outline(&made, &outline, &|_, _| ()).unwrap();
        assert_eq!((written.digest, written.bytes), (made.digest(), fs::metadata(&outline).unwrap().len()));
        assert!(written.bytes * 20 < written.dataset_bytes, "{kind}: {} bytes", written.bytes);
        let twice = dir.path().join("twice.outline");
        write_outline(&made, &twice, &|_, _| ()).unwrap();
        assert!(fs::read(&twice).unwrap() == fs::read(&outline).unwrap(), "{kind}: two outlines differ");
        fs::remove_file(&twice).unwrap();

        let second = dir.path().join(format!("{kind}-again"));
        let rebuilt = again(&outline, &elsewhere, &second).unwrap();
        assert_eq!((rebuilt.digest, rebuilt.differing), (made.digest(), vec![]), "{kind}");
        assert!(contents(&first) == contents(&second), "{kind}: other files");
        verify(&second, &Limits::default(), &|_, _| ()).unwrap();
        assert!(again(&outline, &elsewhere, &second).unwrap().already_complete);
        let left = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name());
        assert!(!left.into_iter().any(|name| name.to_string_lossy().contains("building")), "{kind}");
    }
}

#[test]
fn what_is_missing_or_other_is_named_and_nothing_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let root = common::world(dir.path(), 3, 3);
    let first = dir.path().join("first");
    let made = dataset(&root, &first, |_| ());
    let outline = dir.path().join("first.outline");
    write_outline(&made, &outline, &|_, _| ()).unwrap();
    let (photograph, source) = a_photograph(&made, &root);
    let whole = fs::read(&photograph).unwrap();

    let mut changed = whole.clone();
    let end = changed.len() - 5;
    changed[end] ^= 1;
    fs::write(&photograph, &changed).unwrap();
    let out = dir.path().join("again");
    let rebuilt = again(&outline, &root, &out).unwrap();
    let [one] = &rebuilt.differing[..] else { panic!("{:?}", rebuilt.differing) };
    assert_eq!((one.split.as_str(), &one.source), ("test", &source));
    assert!(one.what.contains("another file"), "{}", one.what);
    assert!(!out.exists());
    // The program says the same, and fails.
    let said = Command::new(env!("CARGO_BIN_EXE_in9-data"))
        .args(["rebuild", "--quiet"])
        .args([outline.as_os_str(), "--root".as_ref(), root.as_os_str(), "--out".as_ref(), out.as_os_str()])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&said.stderr).into_owned();
    assert_eq!(said.status.code(), Some(1), "{text}");
    assert!(text.contains(&source) && text.contains("1 of "), "{text}");

    fs::remove_file(&photograph).unwrap();
    let rebuilt = again(&outline, &root, &out).unwrap();
    assert!(matches!(&rebuilt.differing[..], [one] if one.what.contains("not there")), "{rebuilt:?}");

    // Mended, the same command ends with the same bytes.
    fs::write(&photograph, &whole).unwrap();
    assert!(again(&outline, &root, &out).unwrap().differing.is_empty());
    assert!(contents(&first) == contents(&out));
    // What is there is never replaced.
    let error = write_outline(&made, &outline, &|_, _| ()).unwrap_err();
    assert!(error.to_string().contains("the outline's place is taken"), "{error}");
    let other = dataset(&root, &dir.path().join("other"), |config| config.seed = 1);
    assert_ne!(other.digest(), made.digest());
    let error = again(&outline, &root, other.path()).unwrap_err();
    assert!(matches!(error, Error::OtherBuild { .. }), "{error}");
}

#[test]
fn a_photograph_is_found_by_its_id_in_another_layout() {
    let dir = tempfile::tempdir().unwrap();
    let root = common::world(dir.path(), 3, 2);
    let folders = dir.path().join("folders");
    // One folder a class, as people keep photographs of their own; then everything one level further down.
    let made = dataset(&root, &dir.path().join("toy"), |_| ());
    let split = made.split("test").unwrap();
    let mut boxes = String::from("image,x0,y0,x1,y1\n");
    for sample in split.samples() {
        let to = folders.join("test").join(&made.taxonomy().classes[usize::from(sample.class)].name);
        fs::create_dir_all(&to).unwrap();
        let name = format!("{}.JPEG", sample.id);
        fs::copy(root.join(&sample.source), to.join(&name)).unwrap();
        let [x0, y0, x1, y1] = sample.photo_box;
        let class = &made.taxonomy().classes[usize::from(sample.class)].name;
        boxes += &format!("test/{class}/{name},{x0},{y0},{x1},{y1}\n");
    }
    fs::write(folders.join("boxes.csv"), boxes).unwrap();
    let first = dir.path().join("first");
    let mut config = BuildConfig::new(SourceKind::Folder, &folders, &first);
    config.size = 32;
    build(&config, &|_| ()).unwrap();
    let outline = dir.path().join("first.outline");
    write_outline(&Dataset::open(&first).unwrap(), &outline, &|_, _| ()).unwrap();

    let moved = dir.path().join("moved");
    copy(&folders.join("test"), &moved);
    let second = dir.path().join("second");
    let rebuilt = again(&outline, &moved, &second).unwrap();
    assert_eq!(rebuilt.differing, []);
    assert!(contents(&first) == contents(&second));
}

#[test]
fn a_damaged_outline_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let root = common::world(dir.path(), 2, 2);
    let made = dataset(&root, &dir.path().join("first"), |_| ());
    let outline = dir.path().join("first.outline");
    write_outline(&made, &outline, &|_, _| ()).unwrap();
    let whole = fs::read(&outline).unwrap();
    let out = dir.path().join("again");
    for at in (20..whole.len()).step_by(whole.len() / 20) {
        let mut damaged = whole.clone();
        damaged[at] ^= 4;
        fs::write(&outline, &damaged).unwrap();
        match again(&outline, &root, &out) {
            Err(error) => assert_eq!(error.to_string().lines().count(), 1, "{error}"),
            // A checksum of a photograph that is another one.
            Ok(rebuilt) => assert!(!rebuilt.differing.is_empty(), "byte {at}"),
        }
        fs::write(&outline, &whole[..at]).unwrap();
        assert!(again(&outline, &root, &out).is_err(), "cut at {at}");
        assert!(!out.exists());
    }
    fs::write(&outline, &whole).unwrap();
    assert!(again(&outline, &root, &out).unwrap().differing.is_empty());
}
