//! The controls on real photographs with real weights, where they are.
#![cfg(all(feature = "cli", feature = "probes"))]

mod support;

use in9_analysis::Frame;
use in9_analysis::metrics::{LADDER, ladder};
use in9_analysis::stats::Bootstrap;
use in9_base::Piece;
use in9_data::predictions::Table;
use in9_data::{BuildConfig, Dataset, SourceKind, build};
use in9_models::Classifier;
use in9_models::mapping::Mapping;
use in9_models::open::{Options, open};
use in9_models::predict::Predictor;
use support::lite0;

/// Every control can be had, and the ladder stands on all photographs.
#[test]
fn the_ladder_of_a_published_network_stands_on_every_real_photograph() {
    let Some(file) = lite0() else { return };
    let root = file.parent().unwrap().with_file_name("ilsvrc-val-slice");
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("slice");
    let config = BuildConfig { size: 224, scale: 0.1, ..BuildConfig::new(SourceKind::Ilsvrc, &root, &out) };
    build(&config, &|_| ()).unwrap();
    let dataset = Dataset::open(&out).unwrap();
    let split = dataset.split_or_usual(None).unwrap();
    let network = Classifier::new(
        open(file.to_str().unwrap(), &Options::default()).unwrap(),
        dataset.taxonomy(),
        Mapping::A,
    )
    .unwrap();
    let predictor = Predictor { classifier: &network, batch_size: 8, size: None, piece: Piece::WHOLE };
    let rows = |view| predictor.predict(&dataset, "slice", &split, view, &mut |_| {}).unwrap();
    let table = Table {
        classes: dataset.taxonomy().classes.iter().map(|class| class.name.clone()).collect(),
        rows: LADDER.into_iter().flat_map(rows).collect(),
    };
    let frame = Frame::new(&[table]).unwrap();
    let found = ladder(&frame.models[0], &Bootstrap::default()).unwrap();
    assert_eq!((found.photographs, found.accuracy.len()), (split.len(), LADDER.len()));
    // A trained network knows photographs, and what the margin around an object is filled with changes little of that.
    assert!(found.accuracy[0].1.value > 0.7 && found.accuracy[1].1.value > 0.5, "{found:?}");
}
