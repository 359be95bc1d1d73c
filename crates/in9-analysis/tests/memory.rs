//! What reading prediction tables takes of memory, counted by an allocator: a program of its own, because the
//! allocator counts for all that run in it.
#![allow(clippy::print_stdout, reason = "a test says what it measured")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use in9_analysis::Frame;
use in9_data::predictions::{COLUMNS, LIMITS, MOST_NAMES};

/// Counts the bytes that are held, and the most that were at a time.
struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is handed to the system's allocator unchanged. (`realloc` is the trait's own, which allocates,
// copies and frees: what is held meanwhile is counted twice, as it is by an allocator that cannot grow in place.)
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let held = HELD.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        MOST.fetch_max(held, Ordering::Relaxed);
        // SAFETY: the caller's promises are those that `System` asks for.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Most bytes that reading the table held at a time.
fn peak(path: &Path) -> u64 {
    let before = HELD.load(Ordering::Relaxed);
    MOST.store(before, Ordering::Relaxed);
    let frame = Frame::read(&[path]).unwrap();
    assert!(!frame.models.is_empty());
    MOST.load(Ordering::Relaxed).saturating_sub(before) as u64
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
