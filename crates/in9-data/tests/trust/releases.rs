//! The official release: published variants that are cut, damaged or of another size.

use std::path::{Path, PathBuf};

use super::masks::release;
use super::run::{assert_informative, outcomes, program, run};

fn import(root: &Path, out: &Path) -> (i32, String, Vec<String>) {
    let mut command = program("");
    command.args(["import-release", "--taxonomy", "toy", "--size", "32", "--root"]).arg(root);
    let (code, text, stderr) = run(command.arg("--out").arg(out));
    (code, text, stderr.lines().filter(|line| line.starts_with("error: ")).map(str::to_string).collect())
}

/// Pictures of a view that were compared.
fn compared(text: &str, view: &str) -> usize {
    let line = text.lines().find(|line| line.starts_with(&format!("{view}: "))).unwrap();
    line.split(' ').nth(1).unwrap().parse().unwrap()
}

#[test]
fn every_published_picture_that_cannot_be_compared_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let root = release(dir.path());
    let (_, text, before) = import(&root, &dir.path().join("whole"));
    let kept = outcomes(&dir.path().join("whole"));
    let mut published: Vec<PathBuf> = Vec::new();
    for class in std::fs::read_dir(root.join("only_fg/val")).unwrap() {
        published.extend(std::fs::read_dir(class.unwrap().path()).unwrap().map(|file| file.unwrap().path()));
    }
    published.retain(|path| kept[path.file_name().unwrap().to_str().unwrap()] == "kept");
    published.sort();
    assert_eq!(compared(&text, "only-fg"), published.len());

    let whole = std::fs::read(&published[0]).unwrap();
    let mut table: Vec<Vec<u8>> = (0..16).map(|part| whole[..whole.len() * part / 16].to_vec()).collect();
    let mut small = Vec::new();
    let picture = image::RgbImage::from_pixel(31, 32, image::Rgb([9, 9, 9]));
    picture.write_to(&mut std::io::Cursor::new(&mut small), image::ImageFormat::Png).unwrap();
    table.extend([small, b"not a picture".to_vec()]);
    assert!(table.len() < published.len());
    for (path, bytes) in published.iter().zip(&table) {
        std::fs::write(path, bytes).unwrap();
    }
    let out = dir.path().join("out");
    let (code, text, errors) = import(&root, &out);
    assert_eq!((code, outcomes(&out)), (3, kept), "{errors:?}");
    assert_eq!(errors.len(), before.len() + table.len(), "{errors:?}");
    assert_eq!(compared(&text, "only-fg"), published.len() - table.len());
    for (case, path) in published[..table.len()].iter().enumerate() {
        let name = path.strip_prefix(&root).unwrap().to_str().unwrap();
        let lines: Vec<_> = errors.iter().filter(|line| line.contains(&format!("{name}: "))).collect();
        assert_eq!(lines.len(), 1, "case {case}: {errors:?}");
        assert_informative(lines[0], name);
    }
}

#[test]
fn a_class_that_the_taxonomy_lacks_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let root = release(dir.path());
    let originals = root.join("original/val");
    let class = std::fs::read_dir(&originals).unwrap().next().unwrap().unwrap().path();
    let (_, _, before) = import(&root, &dir.path().join("whole"));
    std::fs::rename(&class, originals.join("99_unknown")).unwrap();
    let (code, _, errors) = import(&root, &dir.path().join("out"));
    assert_eq!(code, 3);
    let line = errors.iter().find(|line| line.contains("99_unknown: not a class")).unwrap();
    assert_informative(line, "99_unknown");
    // The renamed class is empty now, which was not said before.
    assert_eq!(errors.len(), before.len() + 2, "{errors:?}");
}
