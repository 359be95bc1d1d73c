//! Settings of a build for training and rehearsing the paper: training pictures that are stored larger than the others,
//! a share of the photographs, backgrounds of other classes; and loaders whose pictures are smaller than what is stored.

mod common;

use std::path::Path;

use in9_data::{
    Augment, BuildConfig, Dataset, Loader, LoaderConfig, MaskSource, Pairing, PairingPolicy, Profile,
    SourceKind, View, build, verify,
};

fn made(dir: &Path, name: &str, change: impl Fn(&mut BuildConfig)) -> Dataset {
    let (root, out) = (dir.join("world"), dir.join(name));
    if !root.exists() {
        common::world(dir, 6, 3);
    }
    let mut config = BuildConfig::new(SourceKind::Toy, &root, &out);
    (config.size, config.masks, config.profile) = (24, MaskSource::Exact, Profile::Paper);
    change(&mut config);
    build(&config, &|_| ()).unwrap();
    Dataset::open(&out).unwrap()
}

fn pixels(loader: &Loader) -> Vec<u8> {
    loader.epoch_bytes(0).unwrap().flat_map(|batch| batch.unwrap().images.to_vec()).collect()
}

#[test]
fn training_pictures_are_stored_larger_and_seen_at_any_size() {
    let dir = tempfile::tempdir().unwrap();
    let plain = made(dir.path(), "plain", |_| ());
    let large = made(dir.path(), "large", |config| (config.train_size, config.holdout) = (Some(27), 0.3));
    let size = |dataset: &Dataset, split: &str| dataset.split(split).unwrap().size();
    assert_eq!(["train", "val", "test"].map(|split| size(&large, split)), [27, 27, 24]);
    verify(large.path(), &in9_data::Limits::default(), &|_, _| ()).unwrap();
    assert_ne!(plain.digest(), large.digest());
    // The paper's 256 of which 224 are the centre: the same pixels, whichever of the two is stored.
    let train = large.split("train").unwrap();
    let of = |dataset: &Dataset, split: &str, view, size| {
        let config = LoaderConfig { view, size, ..LoaderConfig::default() };
        Loader::new(dataset, &dataset.split(split).unwrap(), config)
    };
    let test = pixels(&of(&large, "test", View::NoFg, None).unwrap());
    assert!(test == pixels(&of(&plain, "test", View::NoFg, None).unwrap()), "test pictures are as without");
    for view in [View::Original, View::OnlyBgT, View::MixedSame] {
        let whole = pixels(&of(&large, "train", view, None).unwrap());
        let centre = pixels(&of(&large, "train", view, Some(24)).unwrap());
        for (whole, centre) in whole.chunks_exact(27 * 27 * 3).zip(centre.chunks_exact(24 * 24 * 3)) {
            for (y, row) in centre.chunks_exact(24 * 3).enumerate() {
                assert!(row == &whole[((y + 1) * 27 + 1) * 3..][..24 * 3], "{view}, row {y}");
            }
        }
    }
    assert!(of(&large, "train", View::Original, Some(28)).is_err(), "larger than what is stored");
    let config = LoaderConfig {
        augment: Augment::paper(),
        size: Some(40),
        batch_size: 5,
        shuffle: true,
        ..LoaderConfig::default()
    };
    let loader = Loader::new(&large, &train, config).unwrap();
    assert_eq!((loader.size(), loader.only_places()), (40, false));
    let batch = loader.epoch(0).unwrap().next().unwrap().unwrap();
    assert_eq!(batch.images.len(), 5 * 3 * 40 * 40);
}

#[test]
fn a_rehearsal_looks_at_a_share_of_each_class() {
    let dir = tempfile::tempdir().unwrap();
    let whole = made(dir.path(), "whole", |_| ());
    let half = made(dir.path(), "half", |config| config.scale = 0.5);
    let ids = |dataset: &Dataset| -> Vec<String> {
        dataset.split("train").unwrap().samples().map(|sample| sample.id.clone()).collect()
    };
    let (all, some) = (ids(&whole), ids(&half));
    assert!(some.len() <= 27 && some.len() > 18 && some.iter().all(|id| all.contains(id)), "{}", some.len());
    let seen = |split: &in9_data::SplitInfo| {
        split.samples + split.rejected.iter().map(|rejected| rejected.count).sum::<u64>()
    };
    let train = half.manifest().splits.iter().find(|split| split.name == "train").unwrap();
    assert_eq!(seen(train), 27, "three of six of each class");
    assert_eq!(half.manifest().settings.scale, 0.5);
    for wrong in [0.0, 1.5, f64::NAN] {
        let mut config = BuildConfig::new(SourceKind::Toy, &dir.path().join("world"), &dir.path().join("no"));
        config.scale = wrong;
        assert!(build(&config, &|_| ()).unwrap_err().to_string().contains("scale"));
    }
}

#[test]
fn backgrounds_may_be_of_other_classes_only_and_of_a_share_only() {
    let dir = tempfile::tempdir().unwrap();
    let other = made(dir.path(), "other", |config| config.own_class = false);
    let split = other.split("train").unwrap();
    let class = |at: usize| split.sample(at).class;
    let frozen = Pairing::frozen(&other, &split, View::MixedRand).unwrap();
    assert!(frozen.0.iter().enumerate().all(|(own, &behind)| class(own) != class(behind as usize)));
    let keep: Vec<bool> = (0..split.len()).map(|at| at % 2 == 0).collect();
    let policy = PairingPolicy::of_settings(&other.manifest().settings);
    let pairs = Pairing::draw_among(&split, &keep, View::MixedRand, 3, policy).unwrap().0;
    for (own, &behind) in pairs.iter().enumerate() {
        match keep[own] {
            true => assert!(keep[behind as usize] && class(own) != class(behind as usize)),
            false => assert_eq!(behind as usize, own),
        }
    }
}
