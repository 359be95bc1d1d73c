//! The loader's threads: whatever their number, the batches are those of no thread at all, two epochs may be read side
//! by side from the same maps, and one that is dropped in the middle leaves nothing behind. Small enough for the thread
//! sanitizer (`tests/sanitize.sh thread`).

mod common;

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use in9_data::{
    Augment, BuildConfig, Dataset, Loader, LoaderConfig, MaskSource, PairingMode, PairingPolicy, Share,
    SourceKind, View, build,
};

fn dataset(dir: &Path) -> Dataset {
    let root = common::world(dir, 3, 1);
    let mut config = BuildConfig::new(SourceKind::Toy, &root, &dir.join("out"));
    (config.size, config.masks) = (16, MaskSource::Exact);
    build(&config, &|_| ()).unwrap();
    Dataset::open(&dir.join("out")).unwrap()
}

fn loader(dataset: &Dataset, threads: usize, prefetch: usize) -> Loader {
    let mut config = LoaderConfig { view: View::MixedRand, batch_size: 4, ..LoaderConfig::default() };
    (config.threads, config.prefetch, config.shuffle) = (threads, prefetch, true);
    config.pairing = PairingMode::Fresh(PairingPolicy::default());
    config.augment = Augment::ShiftFlip { pixels: 2 };
    Loader::new(dataset, &dataset.split("train").unwrap(), config).unwrap()
}

/// Every bit of every batch.
fn bits(loader: &Loader, epoch: u64) -> Vec<u32> {
    let batches = loader.epoch(epoch).unwrap().map(Result::unwrap);
    batches.flat_map(|batch| batch.images.iter().map(|v| v.to_bits()).collect::<Vec<_>>()).collect()
}

/// Descriptors of this process that are open, where the system tells.
fn descriptors() -> Option<usize> {
    Some(std::fs::read_dir("/proc/self/fd").ok()?.count())
}

#[test]
fn any_number_of_threads_gives_the_same_batches_and_leaves_nothing_behind() {
    let _alone = alone();
    let dir = tempfile::tempdir().unwrap();
    let dataset = dataset(dir.path());
    let alone = loader(&dataset, 0, 0);
    let expected = [bits(&alone, 0), bits(&alone, 1)];
    assert!(!expected[0].is_empty() && expected[0] != expected[1]);
    let before = descriptors();
    for (threads, prefetch) in [(1, 1), (2, 3), (5, 8)] {
        let loader = loader(&dataset, threads, prefetch);
        // Two epochs at a time, read by two threads.
        let read = |epoch: u64| bits(&loader, epoch);
        let (first, second) = std::thread::scope(|scope| {
            let other = scope.spawn(|| read(1));
            (read(0), other.join().unwrap())
        });
        assert!(expected == [first, second], "{threads} threads");
        // Dropped in the middle, with threads that wait for room.
        let mut epoch = loader.epoch_bytes(0).unwrap();
        assert!(epoch.next().unwrap().is_ok());
        drop(epoch);
    }
    assert_eq!(descriptors(), before, "open descriptors");
}

/// One test at a time: one counts the descriptors of the process.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whoever composes elsewhere, by samples, backgrounds and places, gets the bits of an epoch.
#[test]
fn what_is_placed_is_what_an_epoch_composes() {
    let _alone = alone();
    let dir = tempfile::tempdir().unwrap();
    let dataset = dataset(dir.path());
    let (loader, split) = (loader(&dataset, 0, 0), dataset.split("train").unwrap());
    let (size, channels) = (split.size(), LoaderConfig::default().normalization.linear());
    assert!(loader.only_places());
    for (epoch, first) in [(0, 0), (1, 2)] {
        let composed: Vec<_> = loader.epoch_from(epoch, first).unwrap().map(Result::unwrap).collect();
        let placed: Vec<_> = loader.placed(epoch, first).unwrap().collect();
        assert_eq!(placed.len(), composed.len());
        for (placed, composed) in placed.iter().zip(&composed) {
            assert_eq!(placed.indices, composed.indices);
            assert_eq!(placed.backgrounds, composed.backgrounds);
            assert_eq!(placed.labels, composed.labels);
            for (at, picture) in composed.images.chunks_exact(3 * size * size).enumerate() {
                let (index, place) = (placed.indices[at] as usize, placed.placements[at]);
                let behind = split.layers(placed.backgrounds[at].unwrap() as usize).unwrap().tiled;
                let (layers, mut rgb) = (split.layers(index).unwrap(), vec![0; 3 * size * size]);
                let fg_box = split.sample(index).crop_box;
                in9_data::compose(View::MixedRand, &layers, fg_box, Some(behind), size, &mut rgb);
                for (i, found) in picture.iter().enumerate() {
                    let (c, y, x) = (i / (size * size), i / size % size, i % size);
                    let (sx, sy) = (x as i32 - place.dx, y as i32 - place.dy);
                    let inside = (0..size as i32).contains(&sx) && (0..size as i32).contains(&sy);
                    let sx = if place.mirrored { size as i32 - 1 - sx } else { sx };
                    let (factor, offset) = channels[c];
                    let expected = match inside {
                        true => f32::from(rgb[(sy as usize * size + sx as usize) * 3 + c]) * factor + offset,
                        false => 0.0,
                    };
                    assert_eq!(found.to_bits(), expected.to_bits(), "{index} {c} {y} {x}");
                }
            }
        }
    }
}

#[test]
fn shares_of_an_epoch_make_it_up() {
    let _alone = alone();
    let dir = tempfile::tempdir().unwrap();
    let dataset = dataset(dir.path());
    for (threads, prefetch) in [(0, 0), (2, 3)] {
        let loader = loader(&dataset, threads, prefetch);
        let indices = |share: Share| -> Vec<Vec<u32>> {
            loader.share::<u8>(1, share).unwrap().map(|batch| batch.unwrap().indices.clone()).collect()
        };
        let whole = indices(Share::from(0));
        assert!(whole.len() > 3);
        for every in 1..4 {
            let shares: Vec<_> = (0..every).map(|first| indices(Share { first, every })).collect();
            for (at, batch) in whole.iter().enumerate() {
                assert_eq!(&shares[at % every][at / every], batch, "batch {at} of every {every}");
            }
            assert_eq!(shares.iter().map(Vec::len).sum::<usize>(), whole.len());
        }
        assert!(indices(Share::from(whole.len() + 5)).is_empty());
        assert!(loader.share::<u8>(1, Share { first: 0, every: 0 }).is_err());
    }
}
