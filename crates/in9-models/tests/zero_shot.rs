//! CLIP and SigLIP against open_clip and transformers: whole folders, from the weights' names to the scores.
//!
//! References: tests/zero_shot/*.json, made by tests/oracles/zero_shot.py, which gives both sides the same weights,
//! pictures and sentences by a formula. Scores agree to 1e-4 of their size, tokens exactly.
#![cfg(feature = "transformers")]

#[path = "parity/formula.rs"]
#[allow(dead_code, reason = "the formula of whole architectures is for tests/parity.rs")]
mod formula;
#[path = "common/near.rs"]
mod near;

use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor, Var};
use in9_data::Taxonomy;
use in9_models::zero_shot::{Cleaning, Options, Prompts, Tokenizer, open};
use in9_models::{Classifier, Mode, mapping::Mapping};
use safetensors::tensor::TensorView;
use serde::Deserialize;
use serde_json::Value;

use near::{flat, relative};

#[derive(Deserialize)]
struct Reference {
    config: Value,
    files: std::collections::BTreeMap<String, Value>,
    /// Names with `*` for the number of a block, how many there are, and their shape.
    tensors: Vec<(String, usize, Vec<usize>)>,
    size: usize,
    classes: Vec<String>,
    templates: Vec<String>,
    logits: Vec<f64>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/zero_shot")
}

fn reference(name: &str) -> Reference {
    let text = std::fs::read_to_string(folder().join(format!("{name}.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

impl Reference {
    /// A folder as the library would have written it.
    fn write(&self, name: &str) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let mut tensors: Vec<(String, Vec<usize>, Vec<u8>)> = Vec::new();
        for (pattern, count, shape) in &self.tensors {
            for i in 0..*count {
                let name = pattern.replace('*', &i.to_string());
                let values = formula::value(&name, shape, 1.0, false);
                let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
                tensors.push((name, shape.clone(), bytes));
            }
        }
        self.save(dir.path(), name, &tensors);
        dir
    }

    fn save(&self, dir: &Path, name: &str, tensors: &[(String, Vec<usize>, Vec<u8>)]) {
        let views = tensors.iter().map(|(name, shape, bytes)| {
            (name, TensorView::new(safetensors::Dtype::F32, shape.clone(), bytes).unwrap())
        });
        let open_clip = name.starts_with("open-clip");
        let file = if open_clip { "open_clip_model.safetensors" } else { "model.safetensors" };
        safetensors::serialize_to_file(views, None, &dir.join(file)).unwrap();
        let config = if open_clip { "open_clip_config.json" } else { "config.json" };
        std::fs::write(dir.join(config), self.config.to_string()).unwrap();
        for (name, json) in &self.files {
            std::fs::write(dir.join(name), json.to_string()).unwrap();
        }
    }

    fn taxonomy(&self) -> Taxonomy {
        Taxonomy::from_names("words", &self.classes).unwrap()
    }

    fn prompts(&self) -> Prompts {
        let list = self.templates.iter().map(|t| format!("{t:?}")).collect::<Vec<_>>().join(", ");
        Prompts::parse("reference", &format!("templates = [{list}]")).unwrap()
    }

    fn pictures(&self) -> Tensor {
        let values = formula::unit(&format!("input{}.0", self.size), 6 * self.size * self.size);
        let values: Vec<f32> = values.into_iter().map(|u| u * 4.0 - 2.0).collect();
        Tensor::from_vec(values, (2, 3, self.size, self.size), &Device::Cpu).unwrap()
    }
}

/// The vocabulary for a reference.
fn vocabulary(name: &str) -> PathBuf {
    let kind = if name.contains("siglip") { "siglip/tokenizer.json" } else { "clip/vocab.json" };
    folder().join(kind)
}

/// The attention rollout of both pictures, where tests/oracles/rollout.py has made a reference of it.
fn rollout(name: &str) -> Option<Vec<f64>> {
    let all: Value = serde_json::from_str(include_str!("rollout.json")).unwrap();
    let one = all["towers"].as_array().unwrap().iter().find(|one| one["name"] == name)?;
    Some(serde_json::from_value(one["rollout"].clone()).unwrap())
}

fn check(name: &str) {
    let reference = reference(name);
    let dir = reference.write(name);
    let vocabulary = vocabulary(name);
    let options =
        Options { prompts: reference.prompts(), tokenizer: Some(&vocabulary), ..Options::default() };
    let taxonomy = reference.taxonomy();
    let opened = open(dir.path(), &taxonomy, &options).unwrap();
    assert_eq!(opened.size, Some(reference.size));
    let classifier = Classifier::new(opened, &taxonomy, Mapping::A).unwrap();
    let record = classifier.record();
    assert_eq!(record.mapping, "identity");
    let told = record.zero_shot.expect("a record of the prompts");
    assert_eq!(told.names[1], ["sea lion"]);
    assert_eq!(told.templates, reference.templates);
    assert!(told.temperature > 0.0 && told.prompts_digest.len() == 64 && told.vocabulary.len() == 64);

    let x = reference.pictures();
    let logits = classifier.model().forward(&x, Mode::Eval).unwrap();
    let error = relative(&flat(&logits), &reference.logits);
    assert!(error < 1e-4, "{name}: logits differ by {error:.2e}");

    if let Some(expected) = rollout(name) {
        let map = classifier.model().attention_rollout(&x).unwrap().unwrap();
        let error = relative(&flat(&map), &expected);
        assert!(error < 1e-4, "{name}: attention rollout differs by {error:.2e}");
        assert!(classifier.model().tap_names().contains(&"visual.blocks.1.norm1".to_owned()));
    }

    // The way that gradients go back computes the same, and they arrive.
    let x = Var::from_tensor(&x).unwrap();
    let again = classifier.model().forward(x.as_tensor(), Mode::Eval).unwrap();
    assert!(relative(&flat(&again), &reference.logits) < 1e-4, "{name}: with a graph");
    let gradients = again.sum_all().unwrap().backward().unwrap();
    assert!(flat(gradients.get(&x).expect("a gradient")).iter().any(|v| v.abs() > 0.0), "{name}");
}

macro_rules! references {
    ($($test:ident: $name:literal),* $(,)?) => {$(
        #[test]
        fn $test() {
            check($name);
        }
    )*};
}

references! {
    open_clip_tiny: "open-clip-tiny",
    open_clip_b_32: "open-clip-b-32",
    open_clip_b_16: "open-clip-b-16",
    open_clip_l_14: "open-clip-l-14",
    open_clip_siglip_tiny: "open-clip-siglip-tiny",
    transformers_clip_tiny: "transformers-clip-tiny",
    transformers_clip_b_32: "transformers-clip-b-32",
    transformers_siglip_tiny: "transformers-siglip-tiny",
}

/// A tensor too many, one too few, one of another shape, and a configuration of other weights.
#[test]
fn what_does_not_fit_is_refused_whole() {
    let name = "open-clip-tiny";
    let reference = reference(name);
    let vocabulary = vocabulary(name);
    let options = Options { tokenizer: Some(&vocabulary), ..Options::default() };
    let refused = |change: &dyn Fn(&mut Reference), expected: &str| {
        let mut changed = Reference {
            config: reference.config.clone(),
            files: reference.files.clone(),
            tensors: reference.tensors.clone(),
            classes: reference.classes.clone(),
            templates: reference.templates.clone(),
            logits: Vec::new(),
            ..reference
        };
        change(&mut changed);
        let dir = changed.write(name);
        let error = open(dir.path(), &reference.taxonomy(), &options).err().expect(expected).to_string();
        assert!(error.contains(expected), "{error}");
    };
    let tensor = |name: &str, shape: &[usize]| (name.to_owned(), 1, shape.to_vec());
    refused(&|r| r.tensors.push(tensor("visual.extra.weight", &[2])), "visual.extra.weight");
    refused(&|r| r.tensors.retain(|(name, ..)| name != "visual.ln_post.bias"), "visual.norm.bias");
    refused(&|r| r.tensors.retain(|(name, ..)| name != "ln_final.weight"), "text.norm.weight");
    refused(&|r| r.tensors.retain(|(name, ..)| name != "visual.positional_embedding"), "visual.positions");
    refused(&|r| r.tensors.retain(|(name, ..)| !name.starts_with("visual")), "no image and text towers");
    refused(&|r| r.config["model_cfg"]["vision_cfg"]["layers"] = 3.into(), "configuration");
    refused(&|r| r.config["model_cfg"]["text_cfg"]["heads"] = 5.into(), "a divisor of 64");
    refused(&|r| r.config["model_cfg"]["text_cfg"] = Value::Null, "vision_cfg and text_cfg");
    refused(&|r| r.config["preprocess_cfg"]["std"] = serde_json::json!([0, 0, 0]), "deviations above 0");
    refused(&|r| r.tensors.push(tensor("visual.transformer.resblocks.0.ln_3.weight", &[128])), "ln_3");
    let narrower = |r: &mut Reference| {
        r.tensors.iter_mut().filter(|(name, ..)| name == "visual.proj").for_each(|(.., shape)| shape[1] = 16);
    };
    refused(&narrower, "embeddings differ");
}

#[test]
fn a_folder_without_a_part_says_which() {
    let name = "transformers-clip-tiny";
    let reference = reference(name);
    let taxonomy = reference.taxonomy();
    let dir = reference.write(name);
    let missing = |path: &Path, expected: &str| {
        let error = open(path, &taxonomy, &Options::default()).err().expect(expected).to_string();
        assert!(error.contains(expected), "{error}");
    };
    missing(dir.path(), "no vocabulary");
    std::fs::remove_file(dir.path().join("config.json")).unwrap();
    missing(dir.path(), "config.json");
    std::fs::remove_file(dir.path().join("model.safetensors")).unwrap();
    missing(dir.path(), "no weights");
    missing(&dir.path().join("elsewhere.safetensors"), "elsewhere.safetensors");
}

#[derive(Deserialize)]
struct Tokens {
    fragments: Vec<String>,
    clip: TokensOf,
    siglip: TokensOf,
}

#[derive(Deserialize)]
struct TokensOf {
    /// Of the first sentences.
    first: Vec<Vec<u32>>,
    /// CRC32 of the tokens of each, as little-endian u32.
    crc32: Vec<u32>,
}

fn tokens() -> Tokens {
    serde_json::from_str(&std::fs::read_to_string(folder().join("tokens.json")).unwrap()).unwrap()
}

/// As `sentence` in tests/oracles/zero_shot.py.
fn sentence(fragments: &[String], index: usize) -> String {
    let u = formula::unit(&format!("sentence{index}"), 14);
    let u: Vec<f64> = u.into_iter().map(f64::from).collect();
    let count = 1 + (u[0] * 11.0) as usize;
    let words = u[2..2 + count].iter().map(|v| fragments[(v * fragments.len() as f64) as usize].as_str());
    words.collect::<Vec<_>>().join(if u[1] < 0.125 { "" } else { " " })
}

fn check_tokens(tokenizer: &Tokenizer, fragments: &[String], expected: &TokensOf) {
    assert_eq!(expected.crc32.len(), 1000);
    for (i, crc) in expected.crc32.iter().enumerate() {
        let text = sentence(fragments, i);
        let ids = tokenizer.tokens(&text).unwrap();
        if let Some(first) = expected.first.get(i) {
            assert_eq!(ids, *first, "{text:?}");
        }
        let bytes: Vec<u8> = ids.iter().flat_map(|id| id.to_le_bytes()).collect();
        assert_eq!(crc32fast::hash(&bytes), *crc, "sentence {i}, {text:?}: {ids:?}");
    }
}

#[test]
fn a_thousand_sentences_become_clips_tokens() {
    let tokens = tokens();
    let path = vocabulary("clip");
    let size = serde_json::from_str::<Value>(&std::fs::read_to_string(&path).unwrap()).unwrap();
    let size = size.as_object().unwrap().len();
    let of_files = Tokenizer::open(Some(&path), &folder(), size, 1000).unwrap();
    check_tokens(&of_files, &tokens.fragments, &tokens.clip);
    let merges = path.with_file_name("merges.txt");
    let of_merges = Tokenizer::open(Some(&merges), &folder(), size, 1000).unwrap();
    check_tokens(&of_merges, &tokens.fragments, &tokens.clip);
    // Cut to the context, the last token stays.
    let cut = Tokenizer::open(Some(&path), &folder(), size, 5).unwrap();
    let (all, cut) = (of_files.tokens("a photo of a dog").unwrap(), cut.tokens("a photo of a dog").unwrap());
    assert_eq!((cut.len(), &cut[..4], cut[4]), (5, &all[..4], all[all.len() - 1]));
    assert!(Tokenizer::open(Some(&path), &folder(), size - 1, 5).is_err());
}

#[test]
fn a_thousand_sentences_become_siglips_tokens() {
    let tokens = tokens();
    let tokenizer = Tokenizer::open(Some(&vocabulary("siglip")), &folder(), 1 << 20, 1000).unwrap();
    let tokenizer = tokenizer.with(Cleaning::Canonical, Some(1));
    check_tokens(&tokenizer, &tokens.fragments, &tokens.siglip);
    let filled = tokenizer.filled("a dog").unwrap();
    assert_eq!((filled.len(), filled.last()), (1000, Some(&1)));
}

/// The vocabulary that open_clip installs, of which this repository has no copy.
#[test]
#[allow(clippy::print_stdout, reason = "a skipped test says so")]
fn clips_own_vocabulary_gives_open_clips_tokens() {
    const ASK: &str = "import json, os, sys, open_clip.tokenizer as t\n\
        ids = t.SimpleTokenizer()(json.load(sys.stdin), context_length=400).tolist()\n\
        json.dump({'path': t.default_bpe(), 'ids': [i[:i.index(49407) + 1] for i in ids]}, sys.stdout)";
    let python = std::env::var("IN9_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let fragments = tokens().fragments;
    let sentences: Vec<String> = (0..1000).map(|i| sentence(&fragments, i)).collect();
    let mut child = match std::process::Command::new(&python)
        .args(["-c", ASK])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
    {
        Ok(child) => child,
        Err(error) => return println!("skipped: {python}: {error}"),
    };
    let mut input = child.stdin.take().unwrap();
    // A Python without open_clip does not read what it is asked.
    let _ = std::io::Write::write_all(&mut input, serde_json::to_string(&sentences).unwrap().as_bytes());
    drop(input);
    let output = child.wait_with_output().unwrap();
    if !output.status.success() {
        return println!("skipped: {python} has no open_clip; IN9_PYTHON names one that has");
    }
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let path = PathBuf::from(answer["path"].as_str().unwrap());
    let tokenizer = Tokenizer::open(Some(&path), &folder(), 49_408, 400).unwrap();
    for (sentence, expected) in sentences.iter().zip(answer["ids"].as_array().unwrap()) {
        let expected: Vec<u32> = serde_json::from_value(expected.clone()).unwrap();
        assert_eq!(tokenizer.tokens(sentence).unwrap(), expected, "{sentence:?}");
    }
}
