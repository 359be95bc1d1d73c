//! Times the loader on one split, for `cargo xtask bench data`.
//!
//! `bench_loader DATASET SPLIT WORK BATCH THREADS EPOCHS` prints one JSON line: pictures a second (median of
//! the epochs, after one to warm up), the bytes that had to be touched a second, and the same of memcpy on
//! as many threads. WORK is VIEW-f32 or VIEW-u8. `bench_loader arrays DATASET SPLIT OUT` writes the layers as
//! NumPy arrays for the peer.
#![allow(clippy::print_stdout, reason = "a program that reports on standard output")]

use std::hint::black_box;
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use in9_data::{Dataset, Loader, LoaderConfig, PairingMode, PairingPolicy, Pixel, Split, View};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["arrays", dataset, split, out] => {
            arrays(&Dataset::open(dataset.as_ref())?.split(split)?, out.as_ref())
        }
        [dataset, split, work, batch, threads, epochs] => {
            let dataset = Dataset::open(dataset.as_ref())?;
            let split = dataset.split(split)?;
            let (view, kind) = work.rsplit_once('-').ok_or("WORK is VIEW-f32 or VIEW-u8")?;
            let (view, threads): (View, usize) = (view.parse()?, threads.parse()?);
            let config = LoaderConfig {
                view,
                batch_size: batch.parse()?,
                shuffle: true,
                pairing: PairingMode::Fresh(PairingPolicy::default()),
                threads,
                prefetch: 2 * threads,
                ..LoaderConfig::default()
            };
            let loader = Loader::new(&dataset, &split, config)?;
            let pixels = split.size() * split.size();
            // What has to be read (each pixel of either layer once, and the mask), and written.
            let read = pixels * 3 + if view.needs_background() { pixels / 8 } else { 0 };
            let epochs = epochs.parse()?;
            let (rates, written) = match kind {
                "f32" => (time(&loader, threads, epochs, Loader::epoch)?, pixels * 12),
                _ => (time(&loader, threads, epochs, Loader::epoch_bytes)?, pixels * 3),
            };
            let rate = median(rates.iter().map(|(ours, _)| *ours).collect()) * split.len() as f64;
            let copied = median(rates.iter().map(|(_, copied)| *copied).collect());
            let line = serde_json::json!({
                "pictures_per_s": rate, "touched_gb_per_s": rate * (read + written) as f64 / 1e9,
                "memcpy_gb_per_s": copied / 1e9,
            });
            println!("{line}");
            Ok(())
        }
        _ => {
            Err("usage: bench_loader DATASET SPLIT WORK BATCH THREADS EPOCHS | arrays DATASET SPLIT OUT"
                .into())
        }
    }
}

/// Epochs a second, and memcpy's bytes a second right after each.
fn time<P: Pixel>(
    loader: &Loader,
    threads: usize,
    epochs: u64,
    start: impl Fn(&Loader, u64) -> in9_data::Result<in9_data::Epoch<P>>,
) -> Result<Vec<(f64, f64)>, Failure> {
    let mut rates = Vec::new();
    for epoch in 0..=epochs {
        let begun = Instant::now();
        for batch in start(loader, epoch)? {
            black_box(&batch?.images);
        }
        let rate = begun.elapsed().as_secs_f64().recip();
        if epoch > 0 {
            rates.push((rate, memcpy(threads)));
        }
    }
    Ok(rates)
}

/// Bytes that memcpy reads and writes a second, on `threads` threads, in pieces of a picture's size or in
/// one, whichever is faster; none of it fits in a cache.
fn memcpy(threads: usize) -> f64 {
    const LENGTH: usize = 128 << 20;
    let mut buffers: Vec<_> = (0..threads).map(|i| (vec![i as u8; LENGTH], vec![1u8; LENGTH])).collect();
    let mut best = 0f64;
    for piece in [600 << 10, LENGTH] {
        for _ in 0..3 {
            let begun = Instant::now();
            std::thread::scope(|scope| {
                for (from, to) in &mut buffers {
                    scope.spawn(move || {
                        for (to, from) in to.chunks_mut(piece).zip(from.chunks(piece)) {
                            to.copy_from_slice(from);
                        }
                        black_box(to);
                    });
                }
            });
            best = best.max((2 * threads * LENGTH) as f64 / begun.elapsed().as_secs_f64());
        }
    }
    best
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// photo.npy and tiled.npy, u8 [n, size, size, 3]; mask.npy, bool [n, size, size]; label.npy, i64 [n].
fn arrays(split: &Split, out: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(out)?;
    let (n, size) = (split.len(), split.size());
    let create = |name: &str, kind: &str, shape: String| -> Result<_, Failure> {
        let mut text = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({shape}), }}");
        text.push_str(&" ".repeat(63 - (text.len() + 10) % 64));
        let mut file = std::io::BufWriter::new(std::fs::File::create(out.join(name))?);
        file.write_all(b"\x93NUMPY\x01\x00")?;
        file.write_all(&(text.len() as u16 + 1).to_le_bytes())?;
        file.write_all(text.as_bytes())?;
        file.write_all(b"\n")?;
        Ok(file)
    };
    let mut photo = create("photo.npy", "|u1", format!("{n}, {size}, {size}, 3"))?;
    let mut tiled = create("tiled.npy", "|u1", format!("{n}, {size}, {size}, 3"))?;
    let mut mask = create("mask.npy", "|b1", format!("{n}, {size}, {size}"))?;
    let mut label = create("label.npy", "<i8", format!("{n},"))?;
    let mut expanded = vec![0; size * size];
    for index in 0..n {
        let layers = split.layers(index)?;
        photo.write_all(layers.photo)?;
        tiled.write_all(layers.tiled)?;
        layers.mask.expand_into(&mut expanded);
        mask.write_all(&expanded)?;
        label.write_all(&i64::from(split.sample(index).class).to_le_bytes())?;
    }
    for mut file in [photo, tiled, mask, label] {
        file.flush()?;
    }
    Ok(())
}
