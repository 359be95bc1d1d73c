//! How much memory readers take of the worst that a file within its limits can hold: counted, on small files, as a
//! multiple of the file's length. With the limit on that length it must stay below a gigabyte.
//!
//! A program of its own, because its allocator counts for all that run in it.
#![allow(clippy::print_stdout, reason = "a test says what it measured")]

use std::path::Path;

use in9_base::counting::{Counting, alone, peak};
use in9_data::predictions::{COLUMNS, LIMITS, Table};
use in9_data::{BuildConfig, Dataset, Error, Limits, SourceKind, Taxonomy, build};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const GIGABYTE: u64 = 1 << 30;

/// Fails if a file of `limit` bytes that goes on as `text` does could take a gigabyte.
fn assert_bounded(what: &str, text: &str, limit: u64, read: impl Fn(&Path)) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    std::fs::write(&path, text).unwrap();
    let taken = peak(|| read(&path));
    let times = taken as f64 / text.len() as f64;
    println!("{what}: {times:.1} times its length");
    assert!(
        times * (limit as f64) < GIGABYTE as f64,
        "{what}: {times:.1} times a file of up to {limit} bytes"
    );
}

/// Bytes of each file: enough that what does not grow with it does not count.
const LENGTH: usize = 1 << 20;

fn repeated(start: &str, part: impl Fn(usize) -> String, end: &str) -> String {
    let mut text = start.to_owned();
    for at in 0.. {
        if text.len() > LENGTH {
            break;
        }
        text.push_str(&part(at));
    }
    text.truncate(text.trim_end_matches(',').len());
    text + end
}

#[test]
fn a_taxonomy_takes_less_than_a_gigabyte() {
    alone(|| {
        let read = |path: &Path| drop(Taxonomy::load(path));
        let limit = 8 << 20;
        let list =
            repeated("name = \"t\"\n[[class]]\nname = \"a\"\nsynsets = [", |at| format!("\"{at}\","), "]\n");
        assert_bounded("a taxonomy of labels", &list, limit, read);
        let empty = repeated("name = \"t\"\n[[class]]\nname = \"a\"\nsynsets = [", |_| "\"\",".into(), "]\n");
        assert_bounded("a taxonomy of empty labels", &empty, limit, read);
        let classes = repeated("name = \"t\"\n", |at| format!("[[class]]\nname=\"{at}\"\nsynsets=[]\n"), "");
        assert_bounded("a taxonomy of classes", &classes, limit, read);
        assert_bounded("a taxonomy of tables", &repeated("", |at| format!("[a{at}]\n"), ""), limit, read);
    });
}

#[test]
fn a_manifest_takes_less_than_a_gigabyte() {
    alone(|| {
        let dir = tempfile::tempdir().unwrap();
        let read = |path: &Path| {
            std::fs::rename(path, dir.path().join("manifest.json")).unwrap();
            assert!(Dataset::open(dir.path()).is_err());
        };
        let settings = r#""settings":{"source":"toy","profile":"clean","size":32,"short_side":32,"masks":"exact","photos_only":false,"seed":3,"holdout":0.1,"per_class":null,"test_per_class":7,"balance":false,"fine_per_class":null,"excluded":null}"#;
        let head = format!(r#"{{"format":2,"program":"",{settings},"#);
        let limit = 32 << 20;
        let pairings = repeated(&format!(r#"{head}"pairings":{{"#), |at| format!(r#""{at:x}":"","#), "}}");
        assert_bounded("a manifest of pairings", &pairings, limit, read);
        let shards =
            format!(r#"{head}"splits":[{{"name":"a","samples":0,"kept":[],"rejected":[],"shards":["#);
        let shards = repeated(&shards, |_| r#"{"file":"","samples":0,"blake3":""},"#.into(), "]}]}");
        assert_bounded("a manifest of shards", &shards, limit, read);
        let labels = format!(r#"{head}"taxonomy":{{"name":"","class":[{{"name":"","synsets":["#);
        assert_bounded("a manifest of labels", &repeated(&labels, |_| "\"\",".into(), "]}]}}"), limit, read);
    });
}

#[test]
fn a_table_of_boxes_takes_less_than_a_gigabyte() {
    alone(|| {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("train/disc")).unwrap();
        let photo = include_bytes!("fixtures/photographs/progressive.jpg");
        std::fs::write(root.path().join("train/disc/a.jpg"), photo).unwrap();
        let read = |path: &Path| {
            let out = tempfile::tempdir().unwrap();
            std::fs::rename(path, root.path().join("boxes.csv")).unwrap();
            let mut config = BuildConfig::new(SourceKind::Folder, root.path(), &out.path().join("out"));
            config.size = 8;
            let faults = match build(&config, &|_| ()) {
                Err(Error::NothingKept { faults, .. }) => faults,
                report => report.unwrap().faults,
            };
            assert!(faults.len() < 1100, "{} faults", faults.len());
        };
        let limit = Limits::default().table_bytes;
        let head = "image,x0,y0,x1,y1\n";
        assert_bounded("boxes of one photograph", &repeated(head, |_| "a,1,1,2,2\n".into(), ""), limit, read);
        assert_bounded("lines without sense", &repeated(head, |_| "a\n".into(), ""), limit, read);
        // A row of a million fields would take 24 times its length: it is refused before it is taken apart.
        let commas = format!("{head}{}", ",".repeat(LENGTH));
        std::fs::write(root.path().join("boxes.csv"), &commas).unwrap();
        let out = tempfile::tempdir().unwrap();
        let config = BuildConfig::new(SourceKind::Folder, root.path(), &out.path().join("out"));
        let mut refused = None;
        let taken = peak(|| refused = build(&config, &|_| ()).err());
        assert!(refused.is_some_and(|error| error.to_string().contains("line 2 is too long")));
        assert!(taken < 4 * LENGTH as u64, "{taken} bytes");
    });
}

#[test]
fn a_prediction_table_is_read_row_by_row() {
    alone(|| {
        // As many classes as can be, and one row.
        let head = repeated(&COLUMNS.join(","), |at| format!(",score_{at:x}"), "\n");
        assert_bounded("a header of classes", &head, LIMITS.row_bytes as u64, |path| drop(Table::read(path)));
        // Rows with mistakes are told by the first twenty, and none is kept.
        let head = COLUMNS.join(",") + ",score_a\n";
        let wrong = repeated(&head, |at| format!("m,,,d,s,original,{at:x},,,?,,,1\n"), "");
        // A line for each: where it stood is kept to name what repeats it.
        let taken = peak(|| drop(Table::parse(wrong.as_bytes(), Path::new("t"))));
        let rows = wrong.lines().count() as u64;
        println!("rows with mistakes: {} bytes each", taken / rows);
        assert!(taken / rows * LIMITS.rows < GIGABYTE, "{} bytes a row", taken / rows);
    });
}
