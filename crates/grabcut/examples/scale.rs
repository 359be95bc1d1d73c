//! Time and memory a pixel of one photograph at growing sizes.
//!
//! ```text
//! cargo run --release -p grabcut --example scale -- PHOTO X0 Y0 X1 Y1
//! ```
//!
//! Prints a table: pixels, milliseconds (least of three), nanoseconds a pixel, bytes a pixel that
//! the workspace holds.
#![allow(clippy::print_stdout)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::Context;
use grabcut::{Init, Params, Rect, RgbView, Workspace, segment};
use image::imageops::{FilterType, resize};

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
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (photo, corners) = args.split_first().context("usage: scale PHOTO X0 Y0 X1 Y1")?;
    let corners: Vec<f64> = corners.iter().map(|c| c.parse()).collect::<Result<_, _>>()?;
    let &[x0, y0, x1, y1] = corners.as_slice() else { anyhow::bail!("a box has four numbers") };
    let photo = image::open(photo).with_context(|| photo.clone())?.into_rgb8();
    let area = f64::from(photo.width()) * f64::from(photo.height());
    println!("size | pixels | ms | ns a pixel | bytes a pixel");
    for pixels in [64.0 * 64.0, 256.0 * 256.0, 200e3, 1e6, 3e6, 12e6] {
        let factor = (pixels / area).sqrt();
        let side = |v: u32| (f64::from(v) * factor).round() as u32;
        let (width, height) = (side(photo.width()), side(photo.height()));
        let scaled = resize(&photo, width, height, FilterType::Triangle);
        let view = RgbView::new(scaled.as_raw(), width as usize, height as usize)?;
        let [x0, y0, x1, y1] = [x0, y0, x1, y1].map(|v| (v * factor).round() as u32);
        let before = HELD.load(Ordering::Relaxed);
        let mut workspace = Workspace::new();
        let mut least = f64::INFINITY;
        for _ in 0..3 {
            let start = Instant::now();
            segment(view, Init::Box(Rect { x0, y0, x1, y1 }), &Params::default(), &mut workspace)?;
            least = least.min(start.elapsed().as_secs_f64());
        }
        let held = HELD.load(Ordering::Relaxed) - before;
        let n = view.pixels() as f64;
        println!(
            "{width}x{height} | {n} | {:.1} | {:.0} | {:.0}",
            least * 1e3,
            least * 1e9 / n,
            held as f64 / n
        );
    }
    Ok(())
}
