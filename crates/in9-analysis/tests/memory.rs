//! What reading prediction tables takes of memory, counted by an allocator: a program of its own, because the
//! allocator counts for all that run in it.
#![allow(clippy::print_stdout, reason = "a test says what it measured")]

use std::fmt::Write as _;
use std::path::Path;

use in9_analysis::Frame;
use in9_base::counting::{self, Counting};
use in9_data::predictions::{COLUMNS, LIMITS, MOST_NAMES};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Most bytes that reading the table held at a time.
fn peak(path: &Path) -> u64 {
    counting::peak(|| assert!(!Frame::read(&[path]).unwrap().models.is_empty()))
}

/// A table of `models` models, each with the same `images` photographs, and `classes` classes.
fn table(path: &Path, models: usize, images: usize, classes: usize) {
    let mut text = COLUMNS.join(",");
    (0..classes).for_each(|class| write!(text, ",score_{class}").unwrap());
    let scores = ",0.125".repeat(classes);
    for model in 0..models {
        for image in 0..images {
            write!(text, "\nmodel-{model},arch,original,world,test,mixed-rand,n01440764_{image},n01440764_{image},,0,,0{scores}").unwrap();
        }
    }
    std::fs::write(path, text + "\n").unwrap();
}

/// One test, so that nothing else is counted.
#[test]
fn ten_million_rows_take_less_than_a_gigabyte_and_scores_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("p.csv");
    // A power of two and one more: tables of hashes have just grown, which is when they hold the most.
    table(&path, 60, 1000, 2);
    let few = peak(&path);
    let a_row = few.div_ceil(60_000);
    // A name takes what one more of as many rows takes, beyond a row of the same name.
    table(&path, 1, 60_000, 2);
    let a_name = peak(&path).saturating_sub(few).div_ceil(59_000);
    println!("{a_row} bytes a row, {a_name} bytes a name");
    let most = a_row * LIMITS.rows + a_name * MOST_NAMES as u64;
    assert!(most < 1 << 30, "{a_row} bytes a row, {a_name} bytes a name: {most} in all");
    // With 500 times the scores, a table of a thousand rows takes no more but for the names of its classes.
    table(&path, 1, 1000, 1);
    let without = peak(&path);
    table(&path, 1, 1000, 500);
    let with = peak(&path);
    println!("{without} bytes with one class, {with} with 500");
    assert!(with < without + 500 * 300, "{without} bytes with one class, {with} with 500");
}
