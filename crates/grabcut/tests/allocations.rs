//! A workspace that has seen an image of a size allocates nothing for the next.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use grabcut::{Init, Params, Rect, RgbView, Workspace, segment};

struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is handed to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promises are those that `System` asks for.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn a_warm_workspace_allocates_nothing() {
    let data: Vec<u8> = (0..150 * 120 * 3_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 25) as u8).collect();
    let image = RgbView::new(&data, 150, 120).expect("sizes match");
    let init = Init::Box(Rect { x0: 9, y0: 8, x1: 140, y1: 111 });
    let mut workspace = Workspace::new();
    let mut count = || {
        let before = ALLOCATIONS.load(Ordering::Relaxed);
        let result = segment(image, init, &Params::default(), &mut workspace).expect("valid input");
        assert!(!result.energies().is_empty());
        ALLOCATIONS.load(Ordering::Relaxed) - before
    };
    assert!(count() > 0);
    assert_eq!(count(), 0);
}
