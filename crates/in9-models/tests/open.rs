//! Opening networks: nothing is guessed, and what the weights say about themselves is used.

use std::path::{Path, PathBuf};

use candle_core::{DType, Device};
use in9_data::facts::NetworkFacts;
use in9_data::{Normalization, Taxonomy};
use in9_models::mapping::Mapping;
use in9_models::open::{NormalizationSource, Opened, Options, open};
use in9_models::weights::{self, RawTensor, StateDict};
use in9_models::{Classifier, Error, Params, build};

const ODD: Normalization = Normalization { mean: [0.25, 0.5, 0.125], std: [0.5, 0.25, 0.75] };

/// The tensors of a random network, their names behind `prefix`.
fn random(arch: &str, classes: usize, prefix: &str) -> StateDict {
    let model = build(arch, classes, &Params::random(7, DType::F32, &Device::Cpu)).unwrap();
    let mut dict = StateDict::default();
    for parameter in model.parameters() {
        let values = parameter.value.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let raw = RawTensor::from_f32(parameter.value.dims(), &values);
        dict.insert(&format!("{prefix}{}", parameter.name), raw).unwrap();
    }
    dict
}

fn facts() -> NetworkFacts {
    NetworkFacts {
        arch: "resnet-tiny".into(),
        classes: ["a", "b", "c"].map(str::to_owned).to_vec(),
        size: 32,
        mean: ODD.mean,
        std: ODD.std,
        trained_on: "original (25 %)".into(),
        name: "mine".into(),
        origin: String::new(),
    }
}

fn written(folder: &Path, name: &str, dict: &StateDict, facts: Option<&NetworkFacts>) -> PathBuf {
    let path = folder.join(name);
    let text = facts.map(|facts| serde_json::to_string(facts).unwrap());
    weights::write(&path, dict, text.as_deref()).unwrap();
    path
}

fn open_as(
    path: &Path,
    arch: Option<&str>,
    normalization: Option<Normalization>,
) -> in9_models::Result<Opened> {
    open(path.to_str().unwrap(), &Options { arch, normalization, device: Device::Cpu })
}

/// The folder of real weights, or `None` after one line that says so.
#[allow(clippy::print_stdout, reason = "a helper of tests")]
fn real_weights() -> Option<PathBuf> {
    let folder = std::env::var_os("IN9_REAL_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    let path = folder.join("weights/efficientnet-lite0-57934424.pth");
    if !path.exists() {
        println!("skipped: no real weights in {}", folder.display());
    }
    path.exists().then_some(path)
}

#[test]
fn a_file_of_ours_says_what_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let path = written(dir.path(), "w.safetensors", &random("resnet-tiny", 3, ""), Some(&facts()));
    for arch in [None, Some("resnet-tiny")] {
        let opened = open_as(&path, arch, None).unwrap();
        assert_eq!(opened.normalization, ODD);
        assert_eq!(opened.provenance.normalization, NormalizationSource::Header);
        assert_eq!((opened.name.as_str(), opened.trained_on.as_str()), ("mine", "original (25 %)"));
        assert_eq!((opened.classes.len(), opened.size), (3, Some(32)));
        assert_eq!(opened.provenance.digest.len(), 64);
    }
    let asked = open_as(&path, None, Some(Normalization::HALF)).unwrap();
    assert_eq!(asked.normalization, Normalization::HALF);
    assert_eq!(asked.provenance.normalization, NormalizationSource::Asked);
    let other = open_as(&path, Some("resnet18"), None).err().unwrap();
    assert!(matches!(&other, Error::OtherArchitecture { found, .. } if found == "resnet-tiny"), "{other}");
    let misspelt = open_as(&path, Some("resnet-tyni"), None).err().unwrap();
    assert!(matches!(misspelt, Error::UnknownArchitecture { .. }), "{misspelt}");
    // The header names another number of classes than the head has.
    let torn = written(dir.path(), "torn.safetensors", &random("resnet-tiny", 4, ""), Some(&facts()));
    assert!(open_as(&torn, None, None).err().unwrap().to_string().contains("torn.safetensors"));
    let useless = NetworkFacts { std: [0.5, 0.0, 0.5], ..facts() };
    let useless = written(dir.path(), "useless.safetensors", &random("resnet-tiny", 3, ""), Some(&useless));
    assert!(open_as(&useless, None, None).err().unwrap().to_string().contains("above 0"));
}

#[test]
fn a_flipped_bit_in_a_model_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let path = written(dir.path(), "model.safetensors", &random("resnet-tiny", 3, ""), Some(&facts()));
    let whole = std::fs::read(&path).unwrap();
    for i in 0..100 {
        let mut damaged = whole.clone();
        damaged[i * whole.len() / 100 + 17] ^= 1 << (i % 8);
        std::fs::write(&path, damaged).unwrap();
        let error = open_as(&path, None, None).err().unwrap_or_else(|| panic!("flip {i} went unnoticed"));
        assert!(error.to_string().contains("model.safetensors"), "{error}");
    }
}

#[test]
fn a_robustness_checkpoint_is_normalised_as_it_says() {
    let dir = tempfile::tempdir().unwrap();
    let mut dict = random("resnet-tiny", 9, "module.model.");
    for (name, values) in [("mean", ODD.mean), ("std", ODD.std)] {
        let raw = RawTensor::from_f32(&[3, 1, 1], &values);
        dict.insert(&format!("module.normalizer.new_{name}"), raw).unwrap();
    }
    let path = written(dir.path(), "robust.safetensors", &dict, None);
    let opened = open_as(&path, Some("resnet-tiny"), None).unwrap();
    assert_eq!(opened.normalization, ODD);
    assert_eq!(opened.provenance.normalization, NormalizationSource::Checkpoint);
    // Nine outputs for nine classes: taken as they are, and nobody says what they were trained on.
    let taxonomy = Taxonomy::named("imagenet-9").unwrap();
    let record = Classifier::new(opened, &taxonomy, Mapping::A).unwrap().record();
    assert_eq!((record.mapping.as_str(), record.trained_on.as_str()), ("identity", ""));
    assert_eq!((record.mean, record.std), (ODD.mean, ODD.std));
}

#[test]
fn what_no_file_says_has_to_be_said() {
    let dir = tempfile::tempdir().unwrap();
    // Published weights of this architecture need two different normalisations.
    let path = written(dir.path(), "mine.safetensors", &random("tf_efficientnet_lite0", 9, ""), None);
    let error = open_as(&path, None, None).err().unwrap();
    assert!(matches!(error, Error::ArchitectureUnknown(_)), "{error}");
    let error = open_as(&path, Some("tf_efficientnet_lite0"), None).err().unwrap();
    let Error::NormalizationUnknown { candidates, .. } = &error else { panic!("{error}") };
    assert_eq!(candidates.len(), 2);
    assert!(!error.to_string().contains("--"), "{error}");
    let opened = open_as(&path, Some("tf_efficientnet_lite0"), Some(ODD)).unwrap();
    assert_eq!(opened.normalization, ODD);
    // All published weights of this one need the same.
    let path = written(dir.path(), "other.safetensors", &random("shufflenet_v2_x0_5", 9, ""), None);
    let opened = open_as(&path, Some("shufflenet_v2_x0_5"), None).unwrap();
    assert_eq!(opened.normalization, Normalization::IMAGENET);
    assert!(matches!(opened.provenance.normalization, NormalizationSource::Architecture(_)));
    // There are none of this one.
    let path = written(dir.path(), "tiny.safetensors", &random("resnet-tiny", 9, ""), None);
    let error = open_as(&path, Some("resnet-tiny"), None).err().unwrap();
    assert!(
        matches!(&error, Error::NormalizationUnknown { candidates, .. } if candidates.is_empty()),
        "{error}"
    );
}

#[test]
fn a_file_called_like_published_weights_is_not_taken_for_them() {
    let dir = tempfile::tempdir().unwrap();
    let dict = random("shufflenet_v2_x0_5", 9, "");
    let path = written(dir.path(), "shufflenetv2_x0.5-f707e7126e.pth", &dict, None);
    let opened = open_as(&path, Some("shufflenet_v2_x0_5"), None).unwrap();
    assert!(opened.preprocessing.is_none());
    assert!(opened.provenance.notes.iter().any(|note| note.contains("not that file")));
}

#[test]
fn weights_that_are_not_numbers_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut dict = StateDict::default();
    for (name, raw) in random("resnet-tiny", 3, "").iter() {
        let mut values = raw.to_f32().unwrap();
        if name == "fc.bias" {
            values[1] = f32::NAN;
        }
        dict.insert(name, RawTensor::from_f32(raw.shape(), &values)).unwrap();
    }
    let path = written(dir.path(), "nan.safetensors", &dict, Some(&facts()));
    let error = open_as(&path, None, None).err().unwrap().to_string();
    assert!(error.contains("fc.bias"), "{error}");
}

#[test]
fn published_weights_are_known_by_their_digest_under_any_name() {
    let Some(path) = real_weights() else { return };
    let dir = tempfile::tempdir().unwrap();
    let renamed = dir.path().join("w.bin");
    std::fs::copy(&path, &renamed).unwrap();
    for path in [&path, &renamed] {
        let opened = open_as(path, None, None).unwrap();
        assert_eq!(opened.model.architecture().name, "tf_efficientnet_lite0");
        assert_eq!(opened.normalization.mean, [127.0 / 255.0; 3]);
        assert_eq!(opened.provenance.origin, "tf_efficientnet_lite0.pypi");
        assert_eq!(opened.trained_on, "imagenet");
        assert_eq!(opened.preprocessing.unwrap().size, 224);
    }
    // The same layers with another padding: loaded without a word it would answer something.
    let error = open_as(&path, Some("efficientnet_lite0"), None).err().unwrap();
    assert!(matches!(error, Error::OtherArchitecture { .. }), "{error}");
    assert!(open_as(&path, Some("tf_efficientnet_lite0"), None).is_ok());
}

#[cfg(feature = "cli")]
#[test]
fn converted_weights_carry_what_is_known_of_them() {
    let Some(path) = real_weights() else { return };
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("lite0.safetensors");
    let convert = |args: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_in9-models"));
        command.arg("convert").args(args).arg("--out").arg(&out).output().unwrap()
    };
    assert!(convert(&["--in", path.to_str().unwrap()]).status.success());
    let (was, is) = (open_as(&path, None, None).unwrap(), open_as(&out, None, None).unwrap());
    assert_eq!(is.normalization, was.normalization);
    assert_eq!(is.provenance.normalization, NormalizationSource::Header);
    assert_eq!(is.provenance.origin, "tf_efficientnet_lite0.pypi");
    assert_eq!((is.trained_on, is.preprocessing), (was.trained_on, was.preprocessing));
    // What nobody knows can be said once, and stays.
    let mine = written(dir.path(), "mine.safetensors", &random("tf_efficientnet_lite0", 9, ""), None);
    let mine = mine.to_str().unwrap();
    let said = convert(&["--in", mine, "--arch", "tf_efficientnet_lite0"]);
    assert!(said.status.success() && String::from_utf8_lossy(&said.stderr).contains("--normalization"));
    assert!(open_as(&out, Some("tf_efficientnet_lite0"), None).is_err());
    let flags = ["--in", mine, "--arch", "tf_efficientnet_lite0", "--normalization", "half"];
    assert!(convert(&flags).status.success());
    assert_eq!(open_as(&out, None, None).unwrap().normalization, Normalization::HALF);
}
