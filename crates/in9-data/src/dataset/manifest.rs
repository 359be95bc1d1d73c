//! `manifest.json`: what a dataset was built from, how, and what came of it.

use std::collections::BTreeMap;
use std::path::Path;
use std::str::FromStr as _;

use in9_base::{PlainName, files};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::taxonomy::Taxonomy;

use super::settings::Settings;

/// Name of the file.
pub(crate) const NAME: &str = "manifest.json";

/// The version of the manifest that is written and read. Version 1 had no seal.
pub(crate) const FORMAT: u32 = 2;

/// Above what the greatest number of classes and shards takes. In memory a manifest takes up to twenty times its
/// length (`tests/bounds.rs`).
const LONGEST: u64 = 32 << 20;

/// Hexadecimal digits of the seal.
const SEAL_DIGITS: usize = 64;

/// What follows the seal's digits in the file.
const AFTER_SEAL: &str = "\"\n}\n";

/// Everything about a dataset but its pixels. Holds no absolute path and no time, so that the same
/// build gives the same bytes anywhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of this file's format.
    pub format: u32,
    /// Program and version that wrote it.
    pub program: String,
    /// The settings that decide every byte.
    pub settings: Settings,
    /// The splits, sorted by name.
    pub splits: Vec<SplitInfo>,
    /// BLAKE3 (hex) of each file in `pairings/`, by file name.
    pub pairings: BTreeMap<String, String>,
    /// BLAKE3 (hex) of `samples.csv` and `rejected.csv`.
    pub tables: BTreeMap<String, String>,
    /// The classes.
    pub taxonomy: Taxonomy,
    /// See [`seal`]; the last field, so that its digits stand at a known place.
    pub(crate) seal: String,
}

/// A split and what became of its photographs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SplitInfo {
    /// Name, such as `train`.
    pub name: String,
    /// Samples kept.
    pub samples: u64,
    /// Samples kept of each class, in the taxonomy's order.
    pub kept: Vec<ClassCount>,
    /// Photographs rejected by each rule, sorted by rule.
    pub rejected: Vec<RuleCount>,
    /// The shards in order.
    pub shards: Vec<ShardInfo>,
}

/// Samples of a class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassCount {
    /// Name of the class.
    pub class: String,
    /// Samples.
    pub count: u64,
}

/// Photographs rejected by a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleCount {
    /// Name of the rule.
    pub rule: String,
    /// Photographs.
    pub count: u64,
}

/// A shard of a split.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardInfo {
    /// File name inside `shards/`.
    pub file: String,
    /// Samples.
    pub samples: u64,
    /// BLAKE3 (hex) of the shard's bytes before its footer, which the footer repeats.
    pub blake3: String,
}

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// If the file cannot be read, is no manifest of this version, was changed after it was written, or holds
    /// a name that could lead out of the dataset.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        Self::parse(&files::read_text(path, LONGEST)?, path)
    }

    /// Reads a manifest's text; `path` only names it in errors.
    pub(crate) fn parse(text: &str, path: &Path) -> Result<Self> {
        let not_one = |error: serde_json::Error| {
            Err(Error::NotOfFormat {
                path: path.into(),
                format: "a manifest",
                expected: "the JSON that in9-data writes".into(),
                found: error.to_string(),
                advice: "build the dataset again",
            })
        };
        // Before everything else, so that a manifest of another version is not called damaged.
        #[derive(Deserialize)]
        struct Version {
            format: u32,
        }
        match serde_json::from_str(text) {
            Ok(Version { format: FORMAT }) => {}
            Ok(Version { format }) => {
                return Err(Error::OtherVersion {
                    path: path.into(),
                    format: "manifest",
                    expected: FORMAT,
                    found: format,
                });
            }
            Err(error) => return not_one(error),
        }
        let manifest: Self = match serde_json::from_str(text) {
            Ok(manifest) => manifest,
            Err(error) => return not_one(error),
        };
        let expected = seal(text);
        if expected.as_deref() != Some(&manifest.seal) {
            let expected = expected.unwrap_or_else(|| "at the end of the file".into());
            return Err(Error::Seal { path: path.into(), expected, found: manifest.seal });
        }
        manifest.check(path)?;
        Ok(manifest)
    }

    /// Refuses names that are no names and numbers that nothing can have: whoever seals a manifest may lie.
    fn check(&self, path: &Path) -> Result<()> {
        let names = self.splits.iter().flat_map(|split| {
            std::iter::once(split.name.as_str()).chain(split.shards.iter().map(|shard| shard.file.as_str()))
        });
        for name in names.chain(self.pairings.keys().map(String::as_str)) {
            PlainName::from_str(name).map_err(|e| {
                let what = "name of a split, shard or pairing";
                Error::malformed(path, what, "a plain file name", e.to_string(), "build the dataset again")
            })?;
        }
        self.taxonomy.check(path)?;
        self.settings.check(path)
    }

    /// Seals the manifest and writes it; it appears whole.
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        let unsealed = Self { seal: "0".repeat(SEAL_DIGITS), ..self.clone() };
        let text = serde_json::to_string_pretty(&unsealed).map(|text| text + "\n").map_err(|e| {
            Error::malformed(
                path,
                "manifest cannot be written",
                "JSON",
                e.to_string(),
                "report this as a bug",
            )
        })?;
        Ok(files::write_bytes(path, Self::sealed(text))?)
    }

    /// The text with the right seal, if it ends as a manifest does.
    pub(crate) fn sealed(text: String) -> String {
        seal(&text).map(|seal| with_seal(&text, &seal)).unwrap_or(text)
    }

    /// See [`Dataset::digest`](crate::Dataset::digest).
    pub(crate) fn digest(&self) -> String {
        // The program's version is left out: it changes no byte of what the dataset holds.
        let mut hasher = blake3::Hasher::new();
        let mut add = |text: &str| {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        };
        add(&self.settings.digest_text());
        add(&serde_json::to_string(&self.taxonomy).unwrap_or_default());
        for split in &self.splits {
            add(&split.name);
            split.shards.iter().for_each(|shard| add(&shard.blake3));
        }
        for (name, hash) in &self.pairings {
            add(name);
            add(hash);
        }
        hasher.finalize().to_hex().to_string()
    }
}

/// The seal of a manifest's text: BLAKE3 (hex) of the text with 64 zeros where the seal's digits stand, at
/// its very end. `None` if that is not how the text ends.
fn seal(text: &str) -> Option<String> {
    let end = text.len().checked_sub(AFTER_SEAL.len() + SEAL_DIGITS)?;
    let digits = text.get(end..end + SEAL_DIGITS)?;
    if !text.ends_with(AFTER_SEAL) || !digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    let zeros = with_seal(text, &"0".repeat(SEAL_DIGITS));
    Some(blake3::hash(zeros.as_bytes()).to_hex().to_string())
}

/// A text that ends as a manifest does, with other digits.
fn with_seal(text: &str, seal: &str) -> String {
    let end = text.len() - AFTER_SEAL.len() - SEAL_DIGITS;
    [&text[..end], seal, AFTER_SEAL].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{MaskSource, Profile};

    fn manifest() -> Manifest {
        let settings = Settings {
            source: "toy".into(),
            profile: Profile::Clean,
            size: 32,
            short_side: 32,
            masks: MaskSource::Exact,
            mask_network: None,
            photos_only: false,
            seed: 3,
            holdout: 0.1,
            per_class: None,
            test_per_class: Some(7),
            balance: false,
            fine_per_class: None,
            excluded: None,
            train_size: None,
            scale: 1.0,
            own_class: true,
        };
        let count = |class: &str, count| ClassCount { class: class.into(), count };
        Manifest {
            format: FORMAT,
            program: "in9-data 0.0.0".into(),
            settings,
            splits: vec![SplitInfo {
                name: "test".into(),
                samples: 3,
                kept: vec![count("dog", 1), count("cat", 2)],
                rejected: vec![RuleCount { rule: "no-box".into(), count: 4 }],
                shards: vec![ShardInfo {
                    file: "test-00000.in9".into(),
                    samples: 3,
                    blake3: "ab".repeat(32),
                }],
            }],
            pairings: [("test-mixed-rand.csv".into(), "cd".repeat(32))].into(),
            tables: [("samples.csv".into(), "ef".repeat(32))].into(),
            taxonomy: Taxonomy::from_names("pets", &["dog".into(), "cat".into()]).unwrap(),
            seal: String::new(),
        }
    }

    fn reread(text: &[u8]) -> Result<Manifest> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(NAME);
        std::fs::write(&path, text).unwrap();
        Manifest::read(&path)
    }

    fn written(manifest: &Manifest) -> String {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(NAME);
        manifest.write(&path).unwrap();
        std::fs::read_to_string(path).unwrap()
    }

    #[test]
    fn no_flipped_bit_of_a_manifest_passes() {
        let text = written(&manifest());
        let read = reread(text.as_bytes()).unwrap();
        assert_eq!(Manifest { seal: String::new(), ..read.clone() }, manifest());
        assert_eq!(written(&read), text, "sealing again changes nothing");
        for at in 0..text.len() {
            for bit in 0..8 {
                let mut damaged = text.clone().into_bytes();
                damaged[at] ^= 1 << bit;
                assert!(reread(&damaged).is_err(), "bit {bit} of byte {at}");
            }
        }
        for end in 0..text.len() {
            assert!(reread(&text.as_bytes()[..end]).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn two_class_names_that_changed_places_are_refused() {
        let text = written(&manifest());
        let swapped = text.replace("dog", "?").replace("cat", "dog").replace('?', "cat");
        assert!(matches!(reread(swapped.as_bytes()), Err(Error::Seal { .. })));
    }

    #[test]
    fn sealed_lies_cannot_lead_out_of_the_dataset() {
        type Lie = fn(&mut Manifest);
        let lies: [Lie; 9] = [
            |m| m.taxonomy.classes[0].folder = "/etc".into(),
            |m| m.taxonomy.classes[0].folder = "../../victim".into(),
            |m| m.taxonomy.classes[0].folder = String::new(),
            |m| m.taxonomy.classes[1].name = "a\nb".into(),
            |m| m.splits[0].name = "..".into(),
            |m| m.splits[0].shards[0].file = "../../etc/passwd".into(),
            |m| m.pairings = [("../x.csv".into(), String::new())].into(),
            |m| m.settings.size = 4_000_000_000,
            |m| m.taxonomy.classes.clear(),
        ];
        for (at, lie) in lies.into_iter().enumerate() {
            let mut lying = manifest();
            lie(&mut lying);
            assert!(reread(written(&lying).as_bytes()).is_err(), "lie {at}");
        }
    }

    #[test]
    fn a_manifest_of_version_1_is_not_called_damaged() {
        let error = reread(br#"{"format": 1, "program": "in9-data 0.1.0"}"#).unwrap_err().to_string();
        assert!(error.contains("manifest of another version (expected 2, found 1)"), "{error}");
    }
}
