//! What people write into the column `predicted`: names, folders, WordNet ids, numbers.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use crate::error::Error;
use crate::taxonomy::Taxonomy;

/// Number of classes of ImageNet-1k.
const IMAGENET: u32 = 1000;

/// What numbers stand for where classes are expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Labels {
    /// ImageNet's classes if any number is too large for the dataset's, else the dataset's.
    #[default]
    Auto,
    /// The dataset's classes, counted from 0 in their order.
    Dataset,
    /// The thousand classes of ImageNet-1k, counted from 0.
    Imagenet,
}

impl Labels {
    /// The name used on command lines.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Dataset => "dataset",
            Self::Imagenet => "imagenet",
        }
    }
}

impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Labels {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        [Self::Auto, Self::Dataset, Self::Imagenet]
            .into_iter()
            .find(|labels| labels.name() == text)
            .ok_or_else(|| Error::Unknown {
                what: "labels",
                known: "auto, dataset, imagenet".into(),
                found: text.into(),
            })
    }
}

/// A prediction as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// A class of the dataset, or none of them.
    Class(Option<u16>),
    /// A number, of which the whole table says what it counts.
    Number(u32),
}

/// The names that each class of a dataset goes by.
pub(super) struct Names<'t> {
    taxonomy: &'t Taxonomy,
    names: HashMap<String, u16>,
}

impl<'t> Names<'t> {
    pub(super) fn of(taxonomy: &'t Taxonomy) -> Self {
        let mut names = HashMap::new();
        // A class's own name outweighs another's folder or fine label.
        for (class, at) in taxonomy.classes.iter().zip(0..) {
            names.insert(class.name.to_lowercase(), at);
        }
        for (class, at) in taxonomy.classes.iter().zip(0..) {
            let folder = class.folder.to_lowercase();
            let bare = folder.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start_matches('_');
            let fine = class.synsets.iter().chain(&class.wordnet).map(|synset| synset.to_lowercase());
            for name in [folder.clone(), bare.to_owned()].into_iter().chain(fine) {
                if !name.is_empty() {
                    names.entry(name).or_insert(at);
                }
            }
        }
        Self { taxonomy, names }
    }

    /// Reads a prediction; an empty one, or the WordNet id of another class, is outside the taxonomy.
    pub(super) fn read(&self, text: &str) -> Result<Answer, String> {
        let lower = text.to_lowercase();
        if text.is_empty() {
            return Ok(Answer::Class(None));
        }
        if let Some(&class) = self.names.get(&lower) {
            return Ok(Answer::Class(Some(class)));
        }
        if let Ok(number) = text.parse::<u32>() {
            return Ok(Answer::Number(number));
        }
        let digits = lower.strip_prefix('n').unwrap_or_default();
        if digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(Answer::Class(None));
        }
        let known: Vec<_> = self.taxonomy.classes.iter().take(10).map(|class| class.name.as_str()).collect();
        Err(format!(
            "predicted {text:?} is no class (expected one of {}, a number, or nothing)",
            known.join(", ")
        ))
    }

    /// What the numbers of a table count; `None` if there are none.
    pub(super) fn numbers(&self, labels: Labels, answers: &[&Answer]) -> Option<Labels> {
        let numbers = answers.iter().filter_map(|a| if let Answer::Number(n) = a { Some(*n) } else { None });
        let largest = numbers.max()?;
        Some(match labels {
            Labels::Auto if largest as usize >= self.taxonomy.len() && self.knows_imagenet() => {
                Labels::Imagenet
            }
            Labels::Auto => Labels::Dataset,
            labels => labels,
        })
    }

    fn knows_imagenet(&self) -> bool {
        self.taxonomy.classes.iter().any(|class| !class.indices.is_empty())
    }

    /// The class of a prediction; `None` is outside the taxonomy.
    pub(super) fn class(&self, answer: &Answer, numbers: Option<Labels>) -> Result<Option<u16>, String> {
        let number = match *answer {
            Answer::Class(class) => return Ok(class),
            Answer::Number(number) => number,
        };
        match numbers {
            Some(Labels::Imagenet) if !self.knows_imagenet() => Err(format!(
                "predicted {number} is read as ImageNet's, which the dataset's classes do not name"
            )),
            Some(Labels::Imagenet) if number < IMAGENET => {
                Ok(self.taxonomy.class_of_index(number).map(|class| class as u16))
            }
            Some(Labels::Imagenet) => Err(format!("predicted {number} is no class of ImageNet (0 to 999)")),
            _ if (number as usize) < self.taxonomy.len() => Ok(Some(number as u16)),
            _ => Err(format!("predicted {number} is no class (0 to {})", self.taxonomy.len() - 1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_folders_and_wordnet_ids_stand_for_their_class() {
        let taxonomy = Taxonomy::named("imagenet-9").unwrap();
        let names = Names::of(&taxonomy);
        for (text, class) in [
            (taxonomy.classes[2].name.as_str(), Some(2)),
            ("02_wheeled vehicle", Some(2)),
            ("Wheeled Vehicle", Some(2)),
            ("n01440764", Some(8)),
            // A toaster.
            ("n04442312", None),
            ("", None),
        ] {
            assert_eq!(names.read(text), Ok(Answer::Class(class)), "{text}");
        }
        assert_eq!(names.read("151"), Ok(Answer::Number(151)));
        assert!(names.read("toaster").unwrap_err().contains("\"toaster\" is no class"));
    }

    #[test]
    fn numbers_count_what_the_whole_table_shows_or_the_caller_says() {
        let taxonomy = Taxonomy::named("imagenet-9").unwrap();
        let names = Names::of(&taxonomy);
        let classes = |labels: Labels, numbers: &[u32]| {
            let answers: Vec<Answer> = numbers.iter().map(|&n| Answer::Number(n)).collect();
            let counted = names.numbers(labels, &answers.iter().collect::<Vec<_>>());
            answers.iter().map(|answer| names.class(answer, counted)).collect::<Result<Vec<_>, _>>()
        };
        assert_eq!(classes(Labels::Auto, &[0, 8]), Ok(vec![Some(0), Some(8)]));
        // 1 is a goldfish, 151 a chihuahua, 171 a greyhound that ImageNet-9 leaves out.
        assert_eq!(classes(Labels::Auto, &[1, 151, 171]), Ok(vec![Some(8), Some(0), None]));
        assert_eq!(classes(Labels::Imagenet, &[1]), Ok(vec![Some(8)]));
        assert!(classes(Labels::Dataset, &[9]).unwrap_err().contains("0 to 8"));
        assert!(classes(Labels::Imagenet, &[1000]).is_err());
        assert_eq!(names.numbers(Labels::Auto, &[&Answer::Class(None)]), None);
    }

    #[test]
    fn classes_that_name_no_imagenet_numbers_never_count_by_them() {
        let taxonomy = Taxonomy::from_names("pets", &["cat".into(), "3".into()]).unwrap();
        let names = Names::of(&taxonomy);
        assert_eq!(names.read("3"), Ok(Answer::Class(Some(1))), "a name before a number");
        let answer = Answer::Number(2);
        assert!(names.class(&answer, names.numbers(Labels::Auto, &[&answer])).is_err());
        assert!(names.class(&answer, Some(Labels::Imagenet)).unwrap_err().contains("do not name"));
    }
}
