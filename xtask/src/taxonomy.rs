//! `cargo xtask taxonomy`: ImageNet-9's classes, derived from WordNet's noun hierarchy.
//!
//! The paper lists its nine synsets and how many ImageNet-1k classes fall below each; its table of 370
//! indices carries no licence, so it is derived here and only compared with those counts. WordNet lets
//! a synset have several hypernyms; the published table follows one. Filing every synset under its
//! shallowest hypernym (fewest steps to the root; the first listed on a tie) reproduces it: domestic cats
//! become domestic animals and dogs leave the carnivores. The one exception is [`PASSED_OVER`].

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;

/// Where the derived file is kept.
const OUTPUT: &str = "data-manifests/taxonomies/imagenet-9.toml";

/// (name, folder in the official release, WordNet id, number of ImageNet-1k classes): paper, Table 4.
const CLASSES: [(&str, &str, &str, usize); 9] = [
    ("dog", "00_dog", "n02084071", 116),
    ("bird", "01_bird", "n01503061", 52),
    ("vehicle", "02_wheeled vehicle", "n04576211", 42),
    ("reptile", "03_reptile", "n01661091", 36),
    ("carnivore", "04_carnivore", "n02075296", 35),
    ("insect", "05_insect", "n02159955", 27),
    ("instrument", "06_musical instrument", "n03800933", 26),
    ("primate", "07_primate", "n02469914", 20),
    ("fish", "08_fish", "n02512053", 16),
];

/// Military vehicle: a class by use, beside the classes by construction; through it tanks and half-tracks
/// would leave the wheeled vehicles, where the published table has them.
const PASSED_OVER: &str = "n03764276";

/// Derives the ImageNet-9 taxonomy from WordNet and writes it to data-manifests.
///
/// Example: cargo xtask taxonomy --synsets LOC_synset_mapping.txt --check
#[derive(Args)]
pub(crate) struct Taxonomy {
    /// WordNet 3.0's noun file (Debian: package wordnet-base).
    #[arg(long, default_value = "/usr/share/wordnet/data.noun")]
    wordnet: PathBuf,
    /// The 1000 synsets of ImageNet-1k, one a line in index order (Kaggle's LOC_synset_mapping.txt).
    #[arg(long)]
    synsets: PathBuf,
    /// Write nothing; fail if the file that is there differs.
    #[arg(long)]
    check: bool,
}

impl Taxonomy {
    pub(crate) fn run(self, here: &Path) -> Result<()> {
        let derived = derive(&Nouns::read(&self.wordnet)?, &read_synsets(&here.join(&self.synsets))?)?;
        if self.check {
            let found = std::fs::read_to_string(OUTPUT).with_context(|| format!("reading {OUTPUT}"))?;
            ensure!(
                found == derived,
                "{OUTPUT}: differs from what WordNet gives; run `cargo xtask taxonomy` without --check"
            );
            println!("{OUTPUT}: as derived");
        } else {
            std::fs::write(OUTPUT, derived).with_context(|| format!("writing {OUTPUT}"))?;
            println!("{OUTPUT}: written");
        }
        Ok(())
    }
}

/// WordNet's nouns: the one hypernym that each synset is filed under.
struct Nouns {
    parent: HashMap<String, String>,
}

impl Nouns {
    /// Reads `data.noun`: `offset file type words(hex) [word id]… pointers [symbol offset pos place]…`.
    fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        let mut hypernyms = HashMap::new();
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.starts_with(' ')) {
            let (synset, above) = parse_noun(line).with_context(|| {
                format!("{}:{}: not a line of WordNet's noun file", path.display(), number + 1)
            })?;
            hypernyms.insert(synset, above);
        }
        Ok(Self::new(&hypernyms))
    }

    fn new(hypernyms: &HashMap<String, Vec<String>>) -> Self {
        let mut depths = HashMap::new();
        let parent = hypernyms
            .iter()
            .filter_map(|(synset, above)| {
                let open = above.iter().filter(|id| *id != PASSED_OVER);
                let parent = open.min_by_key(|id| depth(id, hypernyms, &mut depths))?;
                Some((synset.clone(), parent.clone()))
            })
            .collect();
        Self { parent }
    }

    /// The first of `classes` on the way from `synset` to the root.
    fn class_of(&self, synset: &str, classes: &[&str]) -> Option<usize> {
        let mut at = Some(synset);
        while let Some(id) = at {
            if let Some(class) = classes.iter().position(|class| *class == id) {
                return Some(class);
            }
            at = self.parent.get(id).map(String::as_str);
        }
        None
    }
}

fn parse_noun(line: &str) -> Option<(String, Vec<String>)> {
    let fields: Vec<&str> = line.split('|').next()?.split_whitespace().collect();
    let words = usize::from_str_radix(fields.get(3)?, 16).ok()?;
    let first = 4 + 2 * words;
    let pointers: usize = fields.get(first)?.parse().ok()?;
    let mut above = Vec::new();
    for pointer in 0..pointers {
        let at = first + 1 + 4 * pointer;
        if matches!(*fields.get(at)?, "@" | "@i") {
            above.push(format!("n{}", fields.get(at + 1)?));
        }
    }
    Some((format!("n{}", fields.first()?), above))
}

/// Steps from `id` to the root on the shortest way.
fn depth(id: &str, hypernyms: &HashMap<String, Vec<String>>, known: &mut HashMap<String, usize>) -> usize {
    if let Some(depth) = known.get(id) {
        return *depth;
    }
    let above = hypernyms.get(id).map_or(&[][..], Vec::as_slice);
    let steps = above.iter().map(|up| 1 + depth(up, hypernyms, known)).min().unwrap_or(0);
    known.insert(id.to_owned(), steps);
    steps
}

fn read_synsets(path: &Path) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    let synsets: Vec<String> =
        text.lines().filter_map(|line| Some(line.split_whitespace().next()?.to_owned())).collect();
    ensure!(synsets.len() == 1000, "{}: expected 1000 synsets, found {}", path.display(), synsets.len());
    Ok(synsets)
}

fn derive(nouns: &Nouns, synsets: &[String]) -> Result<String> {
    let ids = CLASSES.map(|(_, _, id, _)| id);
    let class_of: Vec<_> = synsets.iter().map(|synset| nouns.class_of(synset, &ids)).collect();
    let mut text = String::from(
        "# ImageNet-9: nine classes and the ImageNet-1k synsets below each (paper, Table 4).\n\
         # Derived from WordNet 3.0 by `cargo xtask taxonomy`; do not edit.\nname = \"imagenet-9\"\n",
    );
    for (class, (name, folder, id, expected)) in CLASSES.into_iter().enumerate() {
        let indices: Vec<usize> =
            (0..synsets.len()).filter(|index| class_of[*index] == Some(class)).collect();
        if indices.len() != expected {
            bail!("{name}: expected {expected} ImageNet-1k classes, found {}", indices.len());
        }
        write!(
            text,
            "\n[[class]]\nname = \"{name}\"\nfolder = \"{folder}\"\nwordnet = \"{id}\"\nsynsets = ["
        )?;
        wrap(&mut text, indices.iter().map(|index| format!("\"{}\"", synsets[*index])));
        text.push_str("]\nindices = [");
        wrap(&mut text, indices.iter().map(usize::to_string));
        text.push_str("]\n");
    }
    Ok(text)
}

/// Lines of at most 100 characters, indented by four.
fn wrap(text: &mut String, items: impl Iterator<Item = String>) {
    let mut column = usize::MAX;
    for item in items {
        if column.saturating_add(item.len() + 2) > 100 {
            text.push_str("\n    ");
            column = 4;
        } else {
            text.push(' ');
            column += 1;
        }
        text.push_str(&item);
        text.push(',');
        column += item.len() + 1;
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nouns(edges: &[(&str, &[&str])]) -> Nouns {
        let map = edges
            .iter()
            .map(|(id, up)| ((*id).to_owned(), up.iter().map(|s| (*s).to_owned()).collect()))
            .collect();
        Nouns::new(&map)
    }

    #[test]
    fn a_noun_line_gives_its_hypernyms_only() {
        let line = "02084071 05 n 02 dog 0 domestic_dog 0 003 @ 02083346 n 0000 @ 01317541 n 0000 ~ 01322604 n 0000 | a pet";
        let (synset, above) = parse_noun(line).unwrap();
        assert_eq!(synset, "n02084071");
        assert_eq!(above, ["n02083346", "n01317541"]);
        assert!(parse_noun("02084071 05 n 02 dog").is_none());
    }

    #[test]
    fn the_shallowest_hypernym_wins_and_ties_go_to_the_first() {
        let tree = nouns(&[
            ("root", &[]),
            ("animal", &["root"]),
            ("pet", &["animal"]),
            ("carnivore", &["animal"]),
            ("feline", &["carnivore"]),
            ("cat", &["feline", "pet"]),
            ("tie", &["carnivore", "pet"]),
        ]);
        assert_eq!(tree.class_of("cat", &["carnivore"]), None);
        assert_eq!(tree.class_of("feline", &["carnivore"]), Some(0));
        assert_eq!(tree.class_of("tie", &["carnivore"]), Some(0));
    }

    #[test]
    fn military_vehicles_are_passed_over() {
        let tree = nouns(&[
            ("root", &[]),
            (PASSED_OVER, &["root"]),
            ("wheeled", &["root"]),
            ("truck", &["wheeled"]),
            ("tank", &[PASSED_OVER, "truck"]),
        ]);
        assert_eq!(tree.class_of("tank", &["wheeled"]), Some(0));
    }

    /// The published indices of some disputed synsets, where WordNet and the list of synsets are at hand.
    #[test]
    fn the_committed_file_is_what_wordnet_gives() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let data =
            std::env::var_os("IN9_REAL_DATA").map_or_else(|| root.join("../shared/data"), PathBuf::from);
        let (wordnet, list) =
            (Path::new("/usr/share/wordnet/data.noun"), data.join("ilsvrc-val-slice/LOC_synset_mapping.txt"));
        if !wordnet.exists() || !list.exists() {
            println!("skipped: WordNet's noun file or ImageNet's list of synsets is absent");
            return;
        }
        let derived = derive(&Nouns::read(wordnet).unwrap(), &read_synsets(&list).unwrap()).unwrap();
        assert_eq!(derived, std::fs::read_to_string(root.join(OUTPUT)).unwrap());
    }
}
