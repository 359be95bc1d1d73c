//! Time and memory a pixel of one drawn scene at growing sizes.
//!
//! ```text
//! cargo run --release -p grabcut --example scale
//! ```
//!
//! Prints a table: size, pixels, milliseconds (least of three), nanoseconds a pixel, and the bytes a
//! pixel that the workspace holds: as asked of the allocator, spare room of growing lists included.
#![allow(clippy::print_stdout)]

mod scene;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use grabcut::{Init, Params, RgbView, Workspace, segment};

struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is handed to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.fetch_add(layout.size(), Ordering::Relaxed);
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

fn main() -> anyhow::Result<()> {
    println!("| size | pixels | ms | ns a pixel | bytes a pixel |");
    println!("| --- | --- | --- | --- | --- |");
    for width in [74, 148, 296, 516, 1156, 2000, 4000] {
        let (photo, rect) = scene::scene(width);
        let (width, height) = photo.dimensions();
        let view = RgbView::new(photo.as_raw(), width as usize, height as usize)?;
        let before = HELD.load(Ordering::Relaxed);
        let mut workspace = Workspace::new();
        let mut least = f64::INFINITY;
        for _ in 0..3 {
            let start = Instant::now();
            segment(view, Init::Box(rect), &Params::default(), &mut workspace)?;
            least = least.min(start.elapsed().as_secs_f64());
        }
        let held = HELD.load(Ordering::Relaxed) - before;
        let n = view.pixels() as f64;
        println!(
            "| {width} × {height} | {n} | {:.1} | {:.0} | {:.0} |",
            least * 1e3,
            least * 1e9 / n,
            held as f64 / n
        );
    }
    Ok(())
}
