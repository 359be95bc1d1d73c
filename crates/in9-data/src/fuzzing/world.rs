//! A split of six photographs in three classes, for what is read beside a dataset.

use std::sync::OnceLock;

use crate::dataset::{Dataset, FORMAT, MANIFEST, Manifest, Settings, ShardInfo, Split, SplitInfo};
use crate::profile::{MaskSource, Profile};
use crate::shard::{Planes, Record, Sample, write};
use crate::taxonomy::Taxonomy;

const SIDE: u32 = 4;

/// The split: `a0`, `a1`, `b0`, `b1`, `c0`, `c1`, two of each class.
pub(super) fn split() -> &'static Split {
    static SPLIT: OnceLock<Split> = OnceLock::new();
    SPLIT.get_or_init(|| {
        // The folder may go: a shard that is open stays.
        let dir = tempfile::tempdir().expect("a folder for temporary files");
        let names = ["a", "b", "c"].map(str::to_owned);
        let taxonomy = Taxonomy::from_names("letters", &names).expect("plain names");
        let settings = settings();
        let samples: Vec<Sample> = (0..6).map(|at| sample(&names[at / 2], at)).collect();
        let digest = *settings.digest(&taxonomy).as_bytes();
        let (rgb, mask) = ([9; (SIDE * SIDE * 3) as usize], [0; (SIDE * SIDE / 8) as usize]);
        let record = |_| Ok(Record { photo: &rgb, tiled: &rgb, mask: &mask });
        let file = "test-00000.in9";
        std::fs::create_dir(dir.path().join("shards")).expect("a new folder");
        let path = dir.path().join("shards").join(file);
        let hash = write(&path, SIDE, 3, Planes { layers: true }, digest, &samples, record).expect("room");
        let shard = ShardInfo { file: file.into(), samples: 6, blake3: hash.to_hex().to_string() };
        let manifest = Manifest {
            format: FORMAT,
            program: String::new(),
            settings,
            splits: vec![SplitInfo {
                name: "test".into(),
                samples: 6,
                kept: Vec::new(),
                rejected: Vec::new(),
                shards: vec![shard],
            }],
            pairings: Default::default(),
            tables: Default::default(),
            taxonomy,
            seal: String::new(),
        };
        manifest.write(&dir.path().join(MANIFEST)).expect("room");
        Dataset::open(dir.path()).and_then(|dataset| dataset.split("test")).expect("what was just written")
    })
}

fn settings() -> Settings {
    Settings {
        source: "toy".into(),
        profile: Profile::Clean,
        size: SIDE,
        short_side: SIDE,
        masks: MaskSource::Exact,
        mask_network: None,
        photos_only: false,
        seed: 0,
        holdout: 0.0,
        per_class: None,
        test_per_class: None,
        balance: false,
        fine_per_class: None,
        excluded: None,
        train_size: None,
        scale: 1.0,
        own_class: true,
    }
}

fn sample(class: &str, at: usize) -> Sample {
    Sample {
        id: format!("{class}{}", at % 2),
        fine: class.into(),
        source: format!("test/{class}/{at}.png"),
        class: (at / 2) as u16,
        blake3: [0; 32],
        width: SIDE,
        height: SIDE,
        photo_box: [0, 0, 1, 1],
        crop_box: [0, 0, 1, 1],
        mask_area: 0,
        box_area: 4,
    }
}
