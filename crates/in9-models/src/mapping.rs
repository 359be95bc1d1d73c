//! From a thousand classes, or from groups of fine labels, to those of a taxonomy: two rules.
//!
//! *Mapping A*, the official evaluator's: the arg-max over all outputs is looked up; a class
//! outside the taxonomy is a wrong answer. *Mapping B*: probabilities are summed by class and the
//! greatest sum wins, so the unmapped classes' winners are ignored. For a network whose outputs are
//! the taxonomy's classes the two are one.

use in9_data::Taxonomy;

use crate::error::{Error, Result};

/// Which rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mapping {
    /// Arg-max over all, then look-up; outside the taxonomy is wrong.
    #[default]
    A,
    /// Summed probabilities by class.
    B,
}

impl std::str::FromStr for Mapping {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "a" | "A" => Ok(Self::A),
            "b" | "B" => Ok(Self::B),
            _ => {
                Err(Error::Setting { name: "mapping".into(), expected: "a or b".into(), found: text.into() })
            }
        }
    }
}

/// One picture's answer in the taxonomy.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The class, or `None` outside the taxonomy.
    pub class: Option<usize>,
    /// Summed probability of each class, `0..=1`; they fall short of 1 by the unmapped ones.
    pub scores: Vec<f32>,
}

/// The table from a network's outputs to a taxonomy's classes.
#[derive(Debug, Clone)]
pub struct ClassMap {
    mapping: Mapping,
    classes: usize,
    /// Class of each output.
    table: Vec<Option<usize>>,
}

impl ClassMap {
    /// For a network with `outputs` classes whose order is ImageNet-1k's.
    ///
    /// # Errors
    /// [`Error::Setting`] when the taxonomy names no ImageNet indices, or one beyond `outputs`.
    pub fn imagenet(taxonomy: &Taxonomy, mapping: Mapping, outputs: usize) -> Result<Self> {
        let wrong = |found: String| Error::Setting {
            name: format!("taxonomy {} for a network of {outputs} classes", taxonomy.name),
            expected: "ImageNet indices of its classes".into(),
            found,
        };
        let mut table = vec![None; outputs];
        for (class, entry) in taxonomy.classes.iter().enumerate() {
            if entry.indices.is_empty() {
                return Err(wrong(format!("none for {}", entry.name)));
            }
            for &index in &entry.indices {
                let slot = usize::try_from(index).ok().and_then(|i| table.get_mut(i));
                *slot.ok_or_else(|| wrong(format!("index {index}")))? = Some(class);
            }
        }
        Ok(Self { mapping, classes: taxonomy.classes.len(), table })
    }

    /// For a network trained on the taxonomy itself: output k is class k.
    pub fn identity(classes: usize) -> Self {
        Self { mapping: Mapping::A, classes, table: (0..classes).map(Some).collect() }
    }

    /// For a network of whatever classes: `table` has the class of each output, `None` where it is none of them.
    ///
    /// # Errors
    /// [`Error::Setting`] when an output's class is none of the `classes`, or no output has one.
    pub fn of_table(mapping: Mapping, classes: usize, table: Vec<Option<usize>>) -> Result<Self> {
        let wrong =
            |found: String| Error::setting("class of each output", format!("0 to {}", classes - 1), found);
        match table.iter().flatten().find(|class| **class >= classes) {
            Some(class) => Err(wrong(class.to_string())),
            None if table.iter().flatten().next().is_none() => Err(wrong("none of any".to_owned())),
            None => Ok(Self { mapping, classes, table }),
        }
    }

    /// For a network trained on groups of fine labels: by mapping A the winning group counts as its
    /// class, by mapping B the class wins whose groups have the greatest sum. Groups are named after
    /// their class, `dog-00`.
    ///
    /// # Errors
    /// [`Error::Setting`] that names a group of none of the classes.
    pub fn groups(names: &[String], taxonomy: &Taxonomy, mapping: Mapping) -> Result<Self> {
        let class = |name: &String| {
            let numbered = |number: &str| number.len() > 1 && number.bytes().all(|b| b.is_ascii_digit());
            let class = name.rsplit_once('-').filter(|(_, number)| numbered(number));
            let class = class.and_then(|(class, _)| taxonomy.class_named(class));
            class.map(Some).ok_or_else(|| {
                let expected = format!("groups of the {} classes of {}", taxonomy.len(), taxonomy.name);
                Error::setting("classes", expected, name)
            })
        };
        let table = names.iter().map(class).collect::<Result<_>>()?;
        Ok(Self { mapping, classes: taxonomy.len(), table })
    }

    /// For a network whose outputs are named: each name stands for the class of that name, of that folder or with that
    /// WordNet id; all others are outside the taxonomy. `None` if no name stands for a class.
    pub fn named(names: &[String], taxonomy: &Taxonomy, mapping: Mapping) -> Option<Self> {
        let class = |name: &String| {
            let named =
                || taxonomy.classes.iter().position(|class| class.name == *name || class.folder == *name);
            taxonomy.class_of_synset(name).or_else(named)
        };
        let table: Vec<Option<usize>> = names.iter().map(class).collect();
        table.iter().any(Option::is_some).then(|| Self { mapping, classes: taxonomy.len(), table })
    }

    /// How much each output counts for `class` in a picture with these `logits`: the gradient of what stands for the
    /// class's score with respect to each logit. By mapping A that is the greatest of its members' logits, by mapping B
    /// the logarithm of their summed exponentials; of a class with one output both are its logit.
    pub fn weights(&self, class: usize, logits: &[f32]) -> Vec<f32> {
        let is_member = |k: &usize| self.table[*k] == Some(class);
        let mut weights = vec![0.0; self.table.len()];
        let Some(best) = (0..weights.len()).filter(is_member).reduce(|a, b| match logits[b] > logits[a] {
            true => b,
            false => a,
        }) else {
            return weights;
        };
        match self.mapping {
            Mapping::A => weights[best] = 1.0,
            Mapping::B => {
                let share = |k: usize| f64::from(logits[k] - logits[best]).exp();
                let total: f64 = (0..weights.len()).filter(is_member).map(share).sum();
                for k in (0..weights.len()).filter(is_member) {
                    weights[k] = (share(k) / total) as f32;
                }
            }
        }
        weights
    }

    /// Number of classes of the answers.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Class of each output.
    pub fn table(&self) -> &[Option<usize>] {
        &self.table
    }

    /// Whether output k is class k.
    pub fn is_identity(&self) -> bool {
        self.table.len() == self.classes && self.table.iter().enumerate().all(|(k, class)| *class == Some(k))
    }

    /// The answer for one picture's `logits`, as many as the network has outputs.
    ///
    /// Of equal logits the first wins, as in PyTorch. A logit that is not a number counts as
    /// minus infinity; with nothing else there is no class.
    ///
    /// # Errors
    /// [`Error::Shape`] for another number of logits.
    pub fn answer(&self, logits: &[f32]) -> Result<Answer> {
        if logits.len() != self.table.len() {
            return Err(Error::Shape {
                what: "logits of a picture".into(),
                expected: format!("[{}]", self.table.len()),
                found: vec![logits.len()],
            });
        }
        let best = arg_max(logits);
        let mut scores = vec![0f64; self.classes];
        if let Some(best) = best {
            let exp =
                |&v: &f32| if v.is_nan() { 0.0 } else { (f64::from(v) - f64::from(logits[best])).exp() };
            let total: f64 = logits.iter().map(exp).sum();
            for (logit, class) in logits.iter().zip(&self.table) {
                if let Some(class) = class {
                    scores[*class] += exp(logit) / total;
                }
            }
        }
        let scores: Vec<f32> = scores.into_iter().map(|s| s as f32).collect();
        let class = match self.mapping {
            Mapping::A => best.and_then(|best| self.table[best]),
            Mapping::B => best.and_then(|_| arg_max(&scores)),
        };
        Ok(Answer { class, scores })
    }
}

/// `identity`, or the mapping by its letter.
impl std::fmt::Display for ClassMap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.mapping {
            _ if self.is_identity() => "identity",
            Mapping::A => "a",
            Mapping::B => "b",
        })
    }
}

fn arg_max(values: &[f32]) -> Option<usize> {
    let mut best: Option<usize> = None;
    for (i, &value) in values.iter().enumerate() {
        if !value.is_nan() && best.is_none_or(|best| value > values[best]) {
            best = Some(i);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(mapping: Mapping) -> ClassMap {
        let table = vec![Some(0), Some(0), None, Some(1)];
        ClassMap { mapping, classes: 2, table }
    }

    #[test]
    fn a_counts_an_unmapped_winner_as_wrong_and_b_ignores_it() {
        // Probabilities 0.2, 0.15, 0.4, 0.25.
        let logits = [0.2f32, 0.15, 0.4, 0.25].map(f32::ln);
        let a = map(Mapping::A).answer(&logits).unwrap();
        assert_eq!(a.class, None);
        assert!((a.scores[0] - 0.35).abs() < 1e-6 && (a.scores[1] - 0.25).abs() < 1e-6);
        assert_eq!(map(Mapping::B).answer(&logits).unwrap().class, Some(0));
    }

    #[test]
    fn the_two_rules_may_disagree_between_mapped_classes() {
        // Output 3 wins alone, class 0 wins by its sum.
        let logits = [0.3f32, 0.3, 0.05, 0.35].map(f32::ln);
        assert_eq!(map(Mapping::A).answer(&logits).unwrap().class, Some(1));
        assert_eq!(map(Mapping::B).answer(&logits).unwrap().class, Some(0));
    }

    #[test]
    fn imagenet_9_maps_370_of_1000() {
        let taxonomy = Taxonomy::named("imagenet-9").unwrap();
        let map = ClassMap::imagenet(&taxonomy, Mapping::A, 1000).unwrap();
        assert_eq!(map.table.iter().flatten().count(), 370);
        assert_eq!(map.table[207], Some(0)); // golden retriever
        assert_eq!(map.table[281], None); // tabby cat
        assert!(ClassMap::imagenet(&taxonomy, Mapping::A, 100).is_err());
    }

    #[test]
    fn the_score_of_a_class_is_its_greatest_logit_or_the_sum_of_all() {
        let logits = [1.0, 3.0, 9.0, 2.0];
        assert_eq!(map(Mapping::A).weights(0, &logits), [0.0, 1.0, 0.0, 0.0]);
        let b = map(Mapping::B).weights(0, &logits);
        // exp(1) : exp(3), which sum to one, and nothing of the others.
        assert!(
            (b[0] - 0.1192).abs() < 1e-4 && (b[1] - 0.8808).abs() < 1e-4 && b[2..] == [0.0, 0.0],
            "{b:?}"
        );
        assert_eq!(map(Mapping::B).weights(1, &logits), [0.0, 0.0, 0.0, 1.0]);
        assert_eq!(ClassMap::identity(2).weights(1, &[5.0, 1.0]), [0.0, 1.0]);
    }

    #[test]
    fn named_outputs_stand_for_classes_by_name_folder_or_wordnet_id() {
        let taxonomy = Taxonomy::named("imagenet-9").unwrap();
        let names = ["fish", "00_dog", "n01503061", "plant"].map(str::to_owned);
        let map = ClassMap::named(&names, &taxonomy, Mapping::A).unwrap();
        assert_eq!(map.table[..2], [Some(8), Some(0)]);
        assert_eq!(map.table[3], None);
        assert!(ClassMap::named(&names[3..], &taxonomy, Mapping::A).is_none());
    }

    #[test]
    fn groups_count_as_their_class() {
        let taxonomy = Taxonomy::named("imagenet-9").unwrap();
        let names = ["dog-00", "dog-01", "fish-00"].map(str::to_owned);
        // The two dogs together are likelier than the fish, each alone is not.
        for (mapping, class) in [(Mapping::A, 8), (Mapping::B, 0)] {
            let map = ClassMap::groups(&names, &taxonomy, mapping).unwrap();
            let answer = map.answer(&[0.3f32, 0.3, 0.4].map(f32::ln)).unwrap();
            assert_eq!(answer.class, Some(class), "{mapping:?}");
            assert!((answer.scores[0] - 0.6).abs() < 1e-6 && (answer.scores[8] - 0.4).abs() < 1e-6);
        }
        for strange in ["plant-00", "dog-house", "dog-", "dog"] {
            let error = ClassMap::groups(&[strange.to_owned()], &taxonomy, Mapping::A).unwrap_err();
            assert!(error.to_string().contains(strange), "{error}");
        }
    }

    #[test]
    fn a_table_of_whatever_classes_is_checked() {
        let map = ClassMap::of_table(Mapping::A, 2, vec![Some(1), None, Some(0)]).unwrap();
        assert_eq!(map.answer(&[0.0, 2.0, 1.0]).unwrap().class, None);
        assert_eq!(map.answer(&[3.0, 2.0, 1.0]).unwrap().class, Some(1));
        for table in [vec![Some(2)], vec![None, None], vec![]] {
            assert!(ClassMap::of_table(Mapping::A, 2, table).is_err());
        }
    }

    #[test]
    fn not_a_number_never_wins() {
        let map = ClassMap::identity(3);
        assert_eq!(map.answer(&[f32::NAN, 1.0, 2.0]).unwrap().class, Some(2));
        assert_eq!(map.answer(&[f32::NAN; 3]).unwrap().class, None);
        assert!(map.answer(&[0.0; 2]).is_err());
    }
}
