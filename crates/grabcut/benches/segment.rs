//! Whole segmentations of synthetic photographs of several sizes.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use grabcut::{Init, Params, Rect, RgbView, Workspace, segment};

/// A textured disc on a textured ground; sides of `side` pixels.
fn photograph(side: u32) -> Vec<u8> {
    (0..side * side)
        .flat_map(|i| {
            let (u, v) = (f64::from(i % side) / f64::from(side), f64::from(i / side) / f64::from(side));
            let noise = f64::from(i.wrapping_mul(2_654_435_761) >> 27);
            let disc = (u - 0.5).powi(2) + (v - 0.5).powi(2) < 0.08;
            let wave = 40.0 * (20.0 * u + 9.0 * v).sin();
            let base = if disc { [180.0 + wave, 110.0, 60.0] } else { [90.0, 120.0 + wave, 100.0 - wave] };
            base.map(|c| (c + noise) as u8)
        })
        .collect()
}

fn segmentation(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("segment");
    group.sample_size(10);
    for side in [64, 256, 512] {
        let data = photograph(side);
        let image = RgbView::new(&data, side as usize, side as usize).expect("sizes match");
        let init = Init::Box(Rect { x0: side / 8, y0: side / 8, x1: side - side / 8, y1: side - side / 8 });
        let mut workspace = Workspace::new();
        group.throughput(Throughput::Elements(u64::from(side * side)));
        group.bench_function(BenchmarkId::from_parameter(side), |bencher| {
            bencher.iter(|| {
                let result = segment(black_box(image), init, &Params::default(), &mut workspace);
                result.map(|r| r.foreground_pixels())
            });
        });
    }
    group.finish();
}

criterion_group!(benches, segmentation);
criterion_main!(benches);
