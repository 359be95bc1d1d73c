//! A recipe adjusted from outside: single settings, fewer networks, a rehearsal at a smaller scale.

use std::collections::BTreeSet;
use std::path::Path;

use toml::{Table, Value};

use super::nearest::meant;
use super::{Recipe, Training};

/// What is to be changed in a recipe.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Adjustments {
    /// Settings, each as `SECTION.KEY=VALUE` or `SECTION.NAME.KEY=VALUE`: `train.epochs=1`, `dataset.in9.size=64`.
    pub set: Vec<String>,
    /// The only networks that are left, by name; all if there are none.
    pub networks: Vec<String>,
    /// Share of photographs and epochs, above 0 and at most 1.
    pub scale: Option<f64>,
}

/// A list of a recipe whose entries can be changed.
struct Section {
    name: &'static str,
    /// Fields of an entry; any other key is a flag in one of `groups`, by default in the first.
    fields: &'static [&'static str],
    groups: &'static [&'static str],
    /// Fields by which an entry can be chosen.
    names: &'static [&'static str],
}

const SECTIONS: [Section; 4] = [
    Section {
        name: "dataset",
        fields: &["source", "folder", "optional", "rho", "expect"],
        groups: &["build", "render"],
        names: &["name", "source"],
    },
    Section {
        name: "train",
        fields: &["dataset", "arch", "name", "views", "seeds", "tag", "tests"],
        groups: &["options"],
        names: &["dataset", "arch", "name", "tag"],
    },
    Section {
        name: "model",
        fields: &["dataset", "tests", "arch", "weights", "imagenet"],
        groups: &["options"],
        names: &["name", "arch"],
    },
    Section {
        name: "probe",
        fields: &["kind", "dataset", "views", "networks"],
        groups: &["options"],
        names: &["kind", "dataset"],
    },
];

/// Settings of the recipe itself.
const WHOLE: [&str; 5] = ["title", "about", "seed", "splits", "pairings"];

/// Carries out one setting on a recipe's text, read as a table.
///
/// # Errors
/// In words, with what may have been meant, if there is nothing of that name.
pub(super) fn set(recipe: &mut Table, wanted: &str) -> Result<(), String> {
    let form = || format!("{wanted}: expected SECTION.KEY=VALUE, such as train.epochs=1");
    let (path, value) = wanted.split_once('=').ok_or_else(form)?;
    let value = read(value.trim());
    let words: Vec<&str> = path.trim().split('.').collect();
    let (Some(first), Some(key)) = (words.first(), words.last()) else { return Err(form()) };
    let wrong = |what: String| Err(format!("{wanted}: {what}"));
    if words.len() == 1 {
        if !WHOLE.contains(first) {
            let known: Vec<&str> = WHOLE.into_iter().chain(SECTIONS.map(|s| s.name)).collect();
            return wrong(format!("a recipe has no setting {first}{}", meant(first, &known)));
        }
        recipe.insert((*first).to_owned(), value);
        return Ok(());
    }
    let Some(section) = SECTIONS.iter().find(|section| section.name == *first) else {
        let known = SECTIONS.map(|section| section.name);
        return wrong(format!("a recipe has no section {first}{}", meant(first, &known)));
    };
    let mut chosen = &words[1..words.len() - 1];
    let mut group = section.groups[0];
    if let Some((last, rest)) = chosen.split_last()
        && let Some(named) = section.groups.iter().find(|known| *known == last)
    {
        (group, chosen) = (named, rest);
    }
    let chosen = chosen.join(".");
    let entries = recipe.get_mut(section.name).and_then(Value::as_array_mut);
    let mut entries: Vec<&mut Table> =
        entries.into_iter().flatten().filter_map(Value::as_table_mut).collect();
    if entries.is_empty() {
        return wrong(format!("the recipe has no {first}"));
    }
    if !chosen.is_empty() {
        let names = |entry: &Table| -> Vec<String> {
            let texts = section.names.iter().filter_map(|name| entry.get(*name)?.as_str());
            texts.map(str::to_owned).collect()
        };
        let known: BTreeSet<String> = entries.iter().flat_map(|entry| names(entry)).collect();
        entries.retain(|entry| names(entry).contains(&chosen));
        if entries.is_empty() {
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            return wrong(format!("no {first} is called {chosen}{}", meant(&chosen, &known)));
        }
    }
    if !section.fields.contains(key) && !entries.iter().any(|entry| flags(entry, group).contains(*key)) {
        // A flag that the recipe does not use is the program's to judge; a slip of a name it has is not.
        let used: BTreeSet<String> = entries.iter().flat_map(|entry| flags(entry, group)).collect();
        let known: Vec<&str> =
            section.fields.iter().copied().chain(used.iter().map(String::as_str)).collect();
        let hint = meant(key, &known);
        if hint.contains("did you mean") {
            return wrong(format!("{first} has no setting {key}{hint}"));
        }
    }
    for entry in entries {
        if section.fields.contains(key) {
            entry.insert((*key).to_owned(), value.clone());
        } else if !entry.contains_key("pictures-of") {
            let flags = entry.entry(group.to_owned()).or_insert_with(|| Value::Table(Table::new()));
            if let Some(flags) = flags.as_table_mut() {
                flags.insert((*key).to_owned(), value.clone());
            }
        }
    }
    Ok(())
}

/// A setting as the report tells it: where its value is a path, without the folders of this machine.
pub(super) fn told(wanted: &str) -> String {
    match wanted.split_once('=') {
        Some((path, value)) if Path::new(value).is_absolute() => {
            let name = Path::new(value).file_name().unwrap_or_default().to_string_lossy();
            format!("{path}={name}")
        }
        _ => wanted.to_owned(),
    }
}

/// Names of the flags that an entry has in a group.
fn flags(entry: &Table, group: &str) -> BTreeSet<String> {
    let flags = entry.get(group).and_then(Value::as_table);
    flags.map(|flags| flags.keys().cloned().collect()).unwrap_or_default()
}

/// A value as TOML writes it, else a text.
fn read(text: &str) -> Value {
    let value = toml::from_str::<Table>(&format!("value = {text}")).ok().and_then(|mut t| t.remove("value"));
    value.unwrap_or_else(|| Value::from(text))
}

impl Recipe {
    /// Leaves only the networks of these names, what measures them, and the datasets that they need.
    ///
    /// # Errors
    /// In words, if there is no such network.
    pub(super) fn keep_networks(&mut self, names: &[String]) -> Result<(), String> {
        let networks = self.networks();
        let mut kept = BTreeSet::new();
        for name in names {
            kept.insert(Self::find(&networks, name)?);
        }
        let is_kept = |at: &usize| kept.contains(at);
        let whole = |at: usize| format!("{}/{}", networks[at].dataset, networks[at].name);
        let mut probes = self.probes.clone();
        for probe in &mut probes {
            // By name, because without the others the first of a view would be another one.
            let probed = self.probed(probe, &networks)?;
            probe.networks = probed.into_iter().filter(is_kept).map(whole).collect();
            probe.views.clear();
        }
        probes.retain(|probe| !probe.networks.is_empty());
        let mut curves = self.curves.clone();
        for curve in &mut curves {
            curve.points.retain(|point| Self::find(&networks, &point.network).is_ok_and(|at| is_kept(&at)));
        }
        curves.retain(|curve| !curve.points.is_empty());
        let mut at = 0;
        let mut trainings = Vec::new();
        for training in &self.trainings {
            for view in &training.views {
                for seed in &training.seeds {
                    if kept.contains(&at) {
                        let (views, seeds) = (vec![view.clone()], vec![*seed]);
                        trainings.push(Training { views, seeds, ..training.clone() });
                    }
                    at += 1;
                }
            }
        }
        let models = self.models.iter().enumerate().filter(|(model, _)| kept.contains(&(at + model)));
        let models = models.map(|(_, model)| model.clone()).collect();
        (self.trainings, self.models, self.probes, self.curves) = (trainings, models, probes, curves);
        self.drop_unused();
        Ok(())
    }

    /// Leaves out the datasets that nothing is about, but for the main one.
    fn drop_unused(&mut self) {
        let mut used: BTreeSet<String> = self.probes.iter().map(|probe| probe.dataset.to_string()).collect();
        for network in self.networks() {
            used.insert(network.dataset.to_string());
            used.extend(network.tests.iter().map(ToString::to_string));
        }
        let lenders = self.datasets.iter().filter(|dataset| used.contains(dataset.name.as_str()));
        let lenders: Vec<String> =
            lenders.filter_map(|dataset| dataset.pictures_of.as_ref()).map(ToString::to_string).collect();
        used.extend(lenders);
        self.datasets.retain(|dataset| dataset.main || used.contains(dataset.name.as_str()));
    }

    /// Leaves out the optional datasets for which `is_there` says that their folder is not there, and all that is
    /// only about them. Returns their names.
    pub fn leave_out_missing(&mut self, is_there: &dyn Fn(&str) -> bool) -> Vec<String> {
        let missing = |dataset: &super::Dataset| {
            dataset.optional && dataset.folder.as_ref().is_some_and(|folder| !is_there(folder))
        };
        let mut gone: BTreeSet<String> =
            self.datasets.iter().filter(|d| missing(d)).map(|d| d.name.to_string()).collect();
        let borrow = |dataset: &&super::Dataset| {
            dataset.pictures_of.as_ref().is_some_and(|of| gone.contains(of.as_str()))
        };
        let borrowers: Vec<String> =
            self.datasets.iter().filter(borrow).map(|dataset| dataset.name.to_string()).collect();
        gone.extend(borrowers);
        let there = |name: &in9_base::PlainName| !gone.contains(name.as_str());
        self.datasets.retain(|dataset| there(&dataset.name));
        self.trainings.retain(|training| there(&training.dataset));
        for training in &mut self.trainings {
            let listed = !training.tests.is_empty();
            training.tests.retain(there);
            if listed && training.tests.is_empty() {
                training.views.clear();
            }
        }
        self.trainings.retain(|training| !training.views.is_empty());
        for model in &mut self.models {
            model.tests.retain(there);
            if let Some(first) = model.tests.first().filter(|_| !there(&model.dataset)) {
                model.dataset = first.clone();
            }
        }
        self.models.retain(|model| there(&model.dataset));
        self.probes.retain(|probe| there(&probe.dataset));
        let names: BTreeSet<String> = (self.networks().iter())
            .flat_map(|network| [network.name.clone(), format!("{}/{}", network.dataset, network.name)])
            .collect();
        for probe in &mut self.probes {
            probe.networks.retain(|name| names.contains(name));
        }
        self.probes.retain(|probe| !(probe.views.is_empty() && probe.networks.is_empty()));
        for curve in &mut self.curves {
            curve.points.retain(|point| names.contains(&point.network));
        }
        self.curves.retain(|curve| !curve.points.is_empty());
        gone.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::SMALL;
    use super::*;
    use crate::Result;

    const TWO: &str = r#"
        [[train]]
        dataset = "d"
        arch = "resnet-tiny"
        views = ["original", "no-fg"]
        seeds = [1, 2]
        tag = "long"
        options = { epochs = 9, lr = 0.1 }
        [[probe]]
        kind = "saliency"
        dataset = "d"
        views = ["original"]
        networks = ["resnet-tiny-no-fg-long-s2"]
        options = { limit = 3 }
        [[curve]]
        kind = "size"
        point = [{ x = 1, network = "resnet-tiny-original-s0" }, { x = 2, network = "resnet-tiny-original-long-s1" }]
    "#;

    fn adjusted(set: &[&str], networks: &[&str]) -> Result<Recipe> {
        let owned = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect();
        let adjustments = Adjustments { set: owned(set), networks: owned(networks), scale: None };
        Recipe::parse_adjusted(Path::new("small"), &format!("{SMALL}{TWO}"), &adjustments)
    }

    #[test]
    fn a_setting_reaches_the_entries_that_it_names() {
        let recipe =
            adjusted(&["train.epochs=1", "train.long.lr=0.5", "dataset.render.test-per-class=3"], &[]);
        let recipe = recipe.unwrap();
        let option = |at: usize, name: &str| recipe.trainings[at].options.get(name).map(ToString::to_string);
        assert_eq!(option(0, "epochs").as_deref(), Some("1"));
        assert_eq!((option(0, "lr"), option(1, "lr").as_deref()), (None, Some("0.5")));
        assert_eq!(recipe.datasets[0].render["test-per-class"].as_integer(), Some(3));
        assert_eq!(
            recipe.changed,
            ["train.epochs=1", "train.long.lr=0.5", "dataset.render.test-per-class=3"]
        );
        assert_eq!(told("model.weights=/home/me/w.pth"), "model.weights=w.pth");
        assert_eq!(adjusted(&["pairings=4"], &[]).unwrap().pairings, 4);
        let recipe = adjusted(&["seed=7", "train.seeds=[4]", "train.arch=resnet-small"], &[]);
        assert!(
            recipe.unwrap_err().to_string().contains("no network is called"),
            "the probe's network is gone"
        );
    }

    #[test]
    fn slips_are_refused_with_what_may_have_been_meant() {
        for (wrong, said) in [
            ("train.epoch=1", "did you mean epochs?"),
            ("trian.epochs=1", "did you mean train?"),
            ("train.lnog.epochs=1", "did you mean long?"),
            ("probe.kinds=saliency", "did you mean kind?"),
            ("sed=1", "did you mean seed?"),
            ("train.epochs", "expected SECTION.KEY=VALUE"),
            ("model.weights=x", "the recipe has no model"),
            ("train.tests=[\"nowhere\"]", "no dataset is called nowhere"),
        ] {
            let error = adjusted(&[wrong], &[]).unwrap_err().to_string();
            assert!(error.contains(said), "{wrong}: {error}");
        }
    }

    #[test]
    fn only_some_networks_are_left_and_what_measures_them() {
        let recipe = adjusted(&[], &["resnet-tiny-no-fg-long-s2", "resnet-tiny-original-long-s1"]).unwrap();
        let names: Vec<String> = recipe.networks().iter().map(|network| network.name.clone()).collect();
        assert_eq!(names, ["resnet-tiny-original-long-s1", "resnet-tiny-no-fg-long-s2"]);
        assert_eq!(recipe.probes.len(), 1);
        assert_eq!(recipe.probes[0].networks, ["d/resnet-tiny-no-fg-long-s2"]);
        assert_eq!(recipe.curves[0].points.len(), 1);
        assert_eq!(recipe.changed.len(), 1);
        let error = adjusted(&[], &["resnet-tiny-no-fg-long-s3"]).unwrap_err().to_string();
        assert!(error.contains("did you mean resnet-tiny-no-fg-long-s"), "{error}");
    }
}
