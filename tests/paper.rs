//! The complete recipe `imagenet`, at the smallest scale, on a stand-in for ILSVRC-2012: every dataset, training, test,
//! probe and figure of the paper is there, with small networks in the place of the paper's.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use in9_tests::{expect, ground, program, programs};

/// Smaller pictures, fewer photographs, one small architecture under all names, and one file in the place of all published
/// weights. The accuracies on ImageNet that the file cannot have are given, so that Figure 8 has a line to draw.
const SMALLER: [&str; 18] = [
    "dataset.ilsvrc.size=32",
    "dataset.ilsvrc.train-size=36",
    "dataset.ilsvrc.per-class=6",
    "dataset.ilsvrc.test-per-class=2",
    "dataset.in9-release.size=32",
    "train.arch=resnet-tiny",
    "train.epochs=1",
    "train.batch-size=6",
    "train.l2.attack-steps=1",
    "train.linf.attack-steps=1",
    "model.arch=resnet-tiny",
    "model.normalization=imagenet",
    "model.size=40",
    "model.alexnet.imagenet=56.5",
    "model.resnet18.imagenet=69.8",
    "model.resnet101.imagenet=77.4",
    "probe.limit=4",
    "probe.saliency.samples=2",
];

fn reproduce(folder: &Path, weights: &Path, more: &[&str]) -> Command {
    let mut command = program("in9");
    command.args(["reproduce", "--recipe", "imagenet", "--programs"]).arg(programs());
    command.arg("--data").arg(folder.join("ilsvrc")).arg("--out").arg(folder.join("out"));
    for setting in SMALLER {
        command.args(["--set", setting]);
    }
    command.arg("--set").arg(format!("model.weights={}", weights.display())).args(more);
    command
}

/// The weights of a run with a thousand outputs in the place of its nine, without what they say of themselves: as somebody
/// publishes a network of ImageNet's classes.
fn thousand(run: &Path, out: &Path) {
    let bytes = std::fs::read(run.join("model.safetensors")).unwrap();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: BTreeMap<String, serde_json::Value> = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    let (mut written, mut data) = (BTreeMap::new(), Vec::new());
    for (name, about) in header.iter().filter(|(name, _)| *name != "__metadata__") {
        let offset = |at: usize| about["data_offsets"][at].as_u64().unwrap() as usize;
        let tensor = &bytes[8 + length..][offset(0)..offset(1)];
        let (mut shape, start) = (about["shape"].clone(), data.len());
        if shape[0] == 9 {
            let row = tensor.len() / 9;
            (0..1000).for_each(|output| data.extend_from_slice(&tensor[output % 9 * row..][..row]));
            shape[0] = 1000.into();
        } else {
            data.extend_from_slice(tensor);
        }
        let about = serde_json::json!({"dtype": "F32", "shape": shape, "data_offsets": [start, data.len()]});
        written.insert(name.clone(), about);
    }
    let header = serde_json::to_vec(&written).unwrap();
    let whole = [&(header.len() as u64).to_le_bytes()[..], &header, &data].concat();
    std::fs::write(out, whole).unwrap();
}

/// What others publish: a network with ImageNet's outputs, and the official test pictures, here made from the stand-in.
fn published(folder: &Path) -> PathBuf {
    let (data, run, weights) =
        (folder.join("first"), folder.join("run"), folder.join("published.safetensors"));
    let mut build = program("in9");
    build.args(["build", "--source", "ilsvrc", "--size", "32", "--per-class", "2", "--test-per-class", "2"]);
    build.args(["--scale", "0.1", "--root"]).arg(folder.join("ilsvrc"));
    expect(build.arg("--out").arg(&data), 0);
    let mut export = program("in9");
    export
        .args(["export", "--view", "all", "--format", "folder", "--out"])
        .arg(folder.join("ilsvrc/bg_challenge"));
    expect(export.arg(&data), 0);
    let mut train = ground::training("original", 1, 4);
    expect(train.arg("--data").arg(&data).arg("--out").arg(&run), 0);
    thousand(&run, &weights);
    weights
}

#[test]
fn the_whole_paper_is_rehearsed_on_a_stand_in() {
    let folder = tempfile::tempdir().unwrap();
    let mut toy = program("in9");
    toy.args(["toy", "--ilsvrc", "--seed", "3", "--train-per-label", "1", "--val-per-label", "1", "--out"]);
    expect(toy.arg(folder.path().join("ilsvrc")), 0);
    let weights = published(folder.path());

    let (_, said) = expect(&mut reproduce(folder.path(), &weights, &["--set", "train.epochz=1"]), 1);
    assert!(said.contains("did you mean epochs?"), "{said}");
    let (_, said) = expect(&mut reproduce(folder.path(), &weights, &["--jobs", "2"]), 0);
    assert!(said.contains(" 0 failed"), "{said}");

    let out = folder.path().join("out");
    let spec = std::fs::read_to_string(out.join("report.toml")).unwrap();
    for (what, count) in [("[[dataset]]", 5), ("[[run]]", 25), ("[[curve]]", 2), ("[[curve.point]]", 10)] {
        assert_eq!(spec.matches(what).count(), count, "{what}");
    }
    let html = std::fs::read_to_string(out.join("report/index.html")).unwrap();
    assert!(html.contains("Not as the recipe has it: dataset.ilsvrc.size=32"), "the report says what it is");
    for figure in
        ["Figure 2", "Figure 5", "Figure 7", "Figure 8", "Figure 10", "Figure 11", "Table 2", "Table 5"]
    {
        assert!(html.contains(figure), "{figure} is not in the report");
    }
    assert!(html.contains("in9l test") && html.contains("resnet50-original-in9l-s0"), "the column IN-9L");
    assert!(html.contains("in9-release-published test"), "the official pictures as they are");
    let table =
        std::fs::read_to_string(out.join("predictions/in9-release-published/resnet50-gluon.csv")).unwrap();
    assert!(
        table.contains(",in9-release-published,test,mixed-rand,") && table.contains(",imagenet,"),
        "{table}"
    );
    let imagenet = std::fs::read_to_string(out.join("imagenet.csv")).unwrap();
    assert!(imagenet.contains("resnet101,77.4"), "{imagenet}");
    // Training pictures are stored larger than they are seen.
    let run = std::fs::read_to_string(out.join("runs/in9/resnet50-no-fg-s0/run.toml")).unwrap();
    assert!(run.contains("size = 32"), "{run}");
    let manifest = std::fs::read_to_string(out.join("data/in9/manifest.json")).unwrap();
    assert!(manifest.contains("\"train_size\": 36"), "{manifest}");
}

/// Before anything is submitted, what would fail or idle for want of something that only people can give is told.
#[test]
fn what_a_cluster_may_lack_is_told_beforehand() {
    let folder = tempfile::tempdir().unwrap();
    let (photos, cluster) = (folder.path().join("ilsvrc"), folder.path().join("cluster.toml"));
    let mut toy = program("in9");
    toy.args(["toy", "--ilsvrc", "--train-per-label", "1", "--val-per-label", "1", "--out"]).arg(&photos);
    expect(&mut toy, 0);
    std::fs::write(&cluster, "[cluster.predict]\ngpus = 1\n").unwrap();
    let submission = |more: &[&str]| {
        let mut command = program("in9");
        command.args(["reproduce", "--recipe", "imagenet", "--executor", "slurm", "--dry-run", "--data"]);
        command.arg(&photos).arg("--out").arg(folder.path().join("out"));
        expect(command.arg("--cluster").arg(&cluster).args(more), 0).1
    };
    let said = submission(&[]);
    assert!(said.contains("in9 fetch alexnet.imagenet1k-v1 dpn92.extra "), "{said}");
    assert!(
        said.contains("GPUs are asked for, but predict/in9/") && said.contains("--device cuda:0"),
        "{said}"
    );
    let said = submission(&["--only-network", "resnet50-original-s0", "--device", "cuda:0"]);
    assert!(!said.contains("in9 fetch") && !said.contains("GPUs are asked for"), "{said}");
}

/// What `reproduce --plan` asks: each command measures, and answers in one line of JSON.
#[test]
fn this_machine_is_measured() {
    let mut networks = program("in9");
    networks.args(["measure", "--arch", "resnet-tiny", "--size", "32", "--seconds", "0.01", "--gradients"]);
    let mut building = program("in9");
    building.args(["measure-build", "--per-class", "1"]);
    for (command, names) in [
        (&mut networks, vec!["pictures_per_second"]),
        (&mut building, vec!["pixels_per_second", "plain_pixels_per_second"]),
    ] {
        let (printed, _) = expect(command, 0);
        let answer: serde_json::Value = serde_json::from_str(&printed).unwrap();
        for name in names {
            assert!(answer[name].as_f64().is_some_and(|speed| speed > 0.0), "{printed}");
        }
    }
}
