//! A small world and a network trained on it, for tests of the probes.
#![allow(dead_code, reason = "each test file uses a part")]

pub(crate) mod composing;

use in9_data::{BuildConfig, Dataset, MaskSource, Normalization, SourceKind, Taxonomy, View, build};
use in9_models::train::{Plan, Settings, Silent};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// No constants of anybody else.
pub(crate) const ODD: Normalization = Normalization { mean: [0.5; 3], std: [0.25; 3] };

pub(crate) fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_in9-analysis"))
}

/// What a program says that ends with `code`: on standard output and on standard error.
pub(crate) fn finish(command: &mut Command, code: i32) -> (String, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let (out, err) = (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap());
    assert_eq!(status.code(), Some(code), "{command:?}\n{out}\n{err}");
    (out, err)
}

/// A toy data set of 18 test photographs in `dir/toy`.
pub(crate) fn world(dir: &Path) -> Dataset {
    built(dir, None, [6, 2], 0.0)
}

/// A toy data set of so many photographs of each class in its two splits, whose boxes tell the class so often.
pub(crate) fn world_of(dir: &Path, train_per_class: u32, test_per_class: u32, leak: f64) -> Dataset {
    built(dir, None, [train_per_class, test_per_class], leak)
}

/// The same photographs, their classes said to be some of ImageNet's.
pub(crate) fn world_of_imagenet(dir: &Path) -> Dataset {
    let mut taxonomy = Taxonomy::named("toy").unwrap();
    for (class, index) in taxonomy.classes.iter_mut().zip([323u32, 0, 986, 130, 404, 817, 207, 954, 31]) {
        class.indices = (index..).take(class.synsets.len()).collect();
    }
    built(dir, Some(taxonomy), [6, 2], 0.0)
}

fn built(
    dir: &Path,
    taxonomy: Option<Taxonomy>,
    [train_per_class, test_per_class]: [u32; 2],
    leak: f64,
) -> Dataset {
    let photographs = dir.join("photographs");
    let config = in9_toy::WorldConfig {
        seed: 4,
        rho: 0.9,
        train_per_class,
        test_per_class,
        size_leak: leak,
        place_leak: leak,
    };
    in9_toy::render(&config, &photographs, &|_, _| {}).unwrap();
    let config = BuildConfig {
        size: 32,
        masks: MaskSource::Exact,
        taxonomy,
        ..BuildConfig::new(SourceKind::Toy, &photographs, &dir.join("toy"))
    };
    build(&config, &|_| {}).unwrap();
    Dataset::open(&dir.join("toy")).unwrap()
}

/// The world, and in `dir/run` a network that saw it once.
pub(crate) fn trained(dir: &Path) -> Dataset {
    let dataset = world(dir);
    let plan = Plan {
        settings: Settings { epochs: 1, batch_size: 9, ..Settings::small() },
        normalization: ODD,
        seed: 1,
        name: Some("once".into()),
        ..Plan::new("resnet-tiny", View::Original)
    };
    plan.run(&dataset, &dir.join("run"), false, &mut Silent).unwrap();
    dataset
}

/// A probe of the network with the weights `weights` on the world in `dir`.
pub(crate) fn probe_of(dir: &Path, weights: &Path, kind: &str, out: &str, more: &[&str]) -> Command {
    let mut command = program();
    command.arg(kind).arg("--weights").arg(weights).arg("--data").arg(dir.join("toy"));
    command.arg("--out").arg(dir.join(out)).args(more);
    command
}

/// A probe of the trained network.
pub(crate) fn probe(dir: &Path, kind: &str, out: &str, more: &[&str]) -> Command {
    probe_of(dir, &dir.join("run"), kind, out, more)
}

/// The file of EfficientNet-Lite0's published weights, or `None` after one line that says so.
#[allow(clippy::print_stdout, reason = "a helper of tests")]
pub(crate) fn lite0() -> Option<PathBuf> {
    let folder = std::env::var_os("IN9_REAL_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    let path = folder.join("weights/efficientnet-lite0-57934424.pth");
    if !path.exists() {
        println!("skipped: no real weights in {}", folder.display());
    }
    path.exists().then_some(path)
}
