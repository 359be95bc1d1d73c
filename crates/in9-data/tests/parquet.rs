//! Prediction tables as Parquet: those that PyArrow writes, our own, and damaged ones.
//!
//! `tests/oracles/data_parquet.py` made what is in `fixtures/parquet`.

use std::fs;
use std::path::{Path, PathBuf};

use in9_base::Error;
use in9_data::predictions::{Labels, Table, complete};
use in9_data::{BuildConfig, Dataset, MaskSource, SourceKind, build};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/parquet").join(name)
}

#[test]
fn a_table_is_the_same_in_either_form() {
    let (parquet, csv) = (fixture("whole.parquet"), fixture("whole.csv"));
    let table = Table::read(&parquet).unwrap();
    assert_eq!(table, Table::read(&csv).unwrap());
    assert_eq!((table.classes.len(), table.rows.len()), (3, 40));
    assert!(table.rows[0].training.seed.unwrap() >= 1 << 63 && table.rows[39].training.seed.is_none());
    assert!(table.rows[7].predicted.is_none() && table.rows[4].scores.is_empty());
    // The first bytes tell the form, not the name.
    let dir = tempfile::tempdir().unwrap();
    let renamed = dir.path().join("table.csv");
    fs::copy(&parquet, &renamed).unwrap();
    assert_eq!(Table::read(&renamed).unwrap(), table);
}

#[test]
fn written_tables_read_back_equal_and_the_same_table_is_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (dir.path().join("a.parquet"), dir.path().join("b.PARQUET"));
    let mut table = Table::read(&fixture("whole.csv")).unwrap();
    table.write_atomic(&one).unwrap();
    assert_eq!(Table::read(&one).unwrap(), table);
    table.write_atomic(&two).unwrap();
    assert!(fs::read(&one).unwrap() == fs::read(&two).unwrap());
    // Nothing known of the training, no row at all.
    table.rows.iter_mut().for_each(|row| row.training = Default::default());
    table.write_atomic(&one).unwrap();
    assert_eq!(Table::read(&one).unwrap(), table);
    table.rows.clear();
    table.write_atomic(&one).unwrap();
    assert_eq!(Table::read(&one).unwrap(), table);
}

#[test]
fn bare_answers_complete_as_those_of_a_csv_file_do() {
    let dir = tempfile::tempdir().unwrap();
    let (world, out) = (dir.path().join("world"), dir.path().join("toy"));
    let config = in9_toy::WorldConfig { train_per_class: 2, test_per_class: 2, ..Default::default() };
    in9_toy::render(&config, &world, &|_, _| {}).unwrap();
    let source = BuildConfig::new(SourceKind::Toy, &world, &out);
    build(&BuildConfig { size: 32, masks: MaskSource::Exact, ..source }, &|_| {}).unwrap();
    let dataset = Dataset::open(&out).unwrap();
    let completed = complete(&fixture("short.parquet"), &dataset, Labels::Auto).unwrap();
    assert_eq!((completed.numbers, completed.partial.len()), (Some(Labels::Dataset), 0));
    let rows = completed.table.rows;
    assert_eq!(rows.len(), 18);
    for (at, row) in rows.iter().enumerate() {
        assert_eq!((row.model.as_str(), usize::from(row.class)), ("short", at % 9));
        let expected = (at != 3).then_some(((at + at / 9) % 9) as u16);
        assert_eq!(row.predicted, expected, "{at}");
    }
}

#[test]
fn mistakes_are_named_by_row() {
    let error = Table::read(&fixture("wrong.parquet")).unwrap_err();
    assert!(matches!(error, Error::Table { .. }));
    let error = error.to_string();
    for part in [
        "4 mistakes: column arch is missing",
        "row 2: view \"sideways\"",
        "row 3: score \"NaN\"",
        "row 4: same model",
        "as row 1",
        "(of 4 rows); mend these rows",
    ] {
        assert!(error.contains(part), "{part} not in {error}");
    }
}

#[test]
fn what_cannot_be_read_is_refused_by_what_it_is() {
    let said = |name: &str| match Table::read(&fixture(name)).unwrap_err() {
        error @ Error::TableForm { .. } => error.to_string(),
        other => panic!("{name}: {other}"),
    };
    assert!(said("zstd.parquet").contains("found ZSTD"), "{}", said("zstd.parquet"));
    assert!(said("lists.parquet").contains("columns of texts and numbers"), "{}", said("lists.parquet"));
}

#[test]
fn damage_ends_in_an_error_of_one_line() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.parquet");
    let bytes = fs::read(fixture("whole.parquet")).unwrap();
    for end in (4..bytes.len()).step_by(97) {
        fs::write(&path, &bytes[..end]).unwrap();
        let error = Table::read(&path).unwrap_err().to_string();
        assert_eq!(error.lines().count(), 1, "{error}");
    }
    let whole = Table::read(&fixture("whole.parquet")).unwrap();
    let mut other = 0;
    for at in (4..bytes.len()).step_by(29) {
        let mut changed = bytes.clone();
        changed[at] ^= 0x55;
        fs::write(&path, &changed).unwrap();
        // Parquet has no checksums of its own here: a changed letter may stay a letter.
        match Table::read(&path) {
            Ok(table) => other += usize::from(table != whole),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
    println!("{other} changes gave another table");
}
