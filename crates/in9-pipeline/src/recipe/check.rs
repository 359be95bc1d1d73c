//! What a recipe must fulfil beyond its form.

use std::collections::BTreeSet;

use in9_base::PlainName;

use super::{Flags, Recipe};

impl Recipe {
    /// The first thing that is wrong with the recipe.
    pub(super) fn check(&self) -> Result<(), String> {
        let names = self.check_datasets()?;
        let used = self.trainings.iter().map(|t| &t.dataset);
        let used = used.chain(self.models.iter().map(|m| &m.dataset));
        for name in used.chain(self.probes.iter().map(|p| &p.dataset)) {
            if !names.contains(name.as_str()) {
                return Err(format!("no dataset is called {name}"));
            }
        }
        some("splits", &self.splits)?;
        self.splits.iter().try_for_each(|split| plain("a split", split))?;
        self.check_networks()?;
        self.check_probes()?;
        self.cluster.iter().try_for_each(super::Cluster::check)
    }

    fn check_datasets(&self) -> Result<BTreeSet<&str>, String> {
        let mut names = BTreeSet::new();
        for dataset in &self.datasets {
            let name = dataset.name.as_str();
            plain("a dataset's name", &dataset.name)?;
            plain("a source", &dataset.source)?;
            if !names.insert(name) {
                return Err(format!("two datasets are called {name}"));
            }
            if (&dataset.source == "toy") != dataset.rho.is_some() {
                return Err(format!(
                    "dataset {name}: rho belongs to a toy world, and every toy world has one"
                ));
            }
            if let Some(rho) = dataset.rho.filter(|rho| !(0.0..=1.0).contains(rho)) {
                return Err(format!("dataset {name}: rho is a share (expected 0 to 1, found {rho})"));
            }
            if dataset.rho.is_none() && self.data.is_none() {
                return Err(format!("dataset {name}: is made of photographs; say in `data` which"));
            }
            flags(&dataset.render)?;
            flags(&dataset.build)?;
        }
        match self.datasets.iter().filter(|dataset| dataset.main).count() {
            1 => Ok(names),
            _ => Err("exactly one dataset must be `main = true`".to_owned()),
        }
    }

    fn check_networks(&self) -> Result<(), String> {
        let mut networks = BTreeSet::new();
        for training in &self.trainings {
            plain("an architecture", &training.arch)?;
            some("views", &training.views)?;
            some("seeds", &training.seeds)?;
            training.tag.iter().try_for_each(|tag| plain("a tag", tag))?;
            flags(&training.options)?;
            for view in &training.views {
                plain("a view", view)?;
                for seed in &training.seeds {
                    // The largest number of TOML, as which the recipe is written beside its outputs.
                    if self.seed.checked_add(*seed).is_none_or(|sum| i64::try_from(sum).is_err()) {
                        return Err(format!("seed {seed} and the recipe's {} are too large", self.seed));
                    }
                    let network = training.network(view, *seed);
                    if network.parse::<PlainName>().is_err() {
                        return Err(format!("{network}: a network's name is at most 200 bytes long"));
                    }
                    unique(&mut networks, format!("{}/{network}", training.dataset))?;
                }
            }
        }
        for model in &self.models {
            plain("a model's name", &model.name)?;
            plain("an architecture", &model.arch)?;
            flags(&model.options)?;
            if model.weights.is_empty() || model.weights.starts_with('-') {
                return Err(format!("model {}: {:?} names no weights", model.name, model.weights));
            }
            unique(&mut networks, format!("{}/{}", model.dataset, model.name))?;
        }
        Ok(())
    }

    fn check_probes(&self) -> Result<(), String> {
        let mut probed = BTreeSet::new();
        for probe in &self.probes {
            let (kind, dataset) = (probe.kind, &probe.dataset);
            flags(&probe.options)?;
            some("views", &probe.views)?;
            let plain = self.trainings.iter().filter(|t| t.dataset == *dataset && t.tag.is_none());
            for view in &probe.views {
                if !plain.clone().any(|t| t.views.contains(view)) {
                    return Err(format!("probe {kind}: nothing is trained on {view} of {dataset}"));
                }
                if !probed.insert(format!("{kind}/{dataset}/{view}")) {
                    return Err(format!("probe {kind}: {view} of {dataset} is probed twice"));
                }
            }
        }
        Ok(())
    }
}

fn unique(networks: &mut BTreeSet<String>, name: String) -> Result<(), String> {
    if networks.contains(&name) {
        return Err(format!("two networks are called {name}; give one of them a tag"));
    }
    networks.insert(name);
    Ok(())
}

fn some<T>(what: &str, list: &[T]) -> Result<(), String> {
    if list.is_empty() { Err(format!("a list of {what} is empty")) } else { Ok(()) }
}

/// Names become parts of paths, of stages' names and of command lines.
fn plain(what: &str, name: &str) -> Result<(), String> {
    if name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(is_plain_char) {
        return Ok(());
    }
    Err(format!(
        "{name:?}: {what} may hold letters, digits, '-', '_' and '.', and begins with a letter or digit"
    ))
}

pub(super) fn is_plain_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_.".contains(c)
}

/// A flag's name is one word, so that a value cannot pass for a flag.
fn flags(flags: &Flags) -> Result<(), String> {
    for (name, value) in flags {
        let word = name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        if !word {
            return Err(format!("{name:?}: an option may hold small letters, digits and '-'"));
        }
        if ["out", "jobs", "resume", "shard", "merge"].contains(&name.as_str()) {
            return Err(format!("option {name}: is set by the pipeline itself"));
        }
        let simple = |value: &toml::Value| !value.is_table() && !value.is_array();
        let list = value.as_array().is_some_and(|items| items.iter().all(simple));
        if !list && !simple(value) {
            return Err(format!(
                "option {name}: expected a text, a number, true or false, or a list of these"
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{SMALL, checked};

    #[test]
    fn mistakes_are_named() {
        let probe = "[[probe]]\nkind=\"saliency\"\ndataset=\"d\"\nviews=";
        for (wrong, said) in [
            (SMALL.replace("[\"original\"]", "[\"original\"]\nepoch = 3"), "unknown field"),
            (SMALL.replace("rho = 0.5", ""), "rho belongs to a toy world"),
            (SMALL.replace("rho = 0.5", "rho = 7"), "expected 0 to 1, found 7"),
            (SMALL.replace("main = true", ""), "exactly one dataset"),
            (SMALL.replace("dataset = \"d\"", "dataset = \"e\""), "no dataset is called e"),
            (SMALL.replace("views", "tag = \"a b\"\nviews"), "a tag may hold"),
            (SMALL.replace("[\"original\"]", "[]"), "a list of views is empty"),
            (
                format!("{SMALL}[[train]]\ndataset=\"d\"\narch=\"resnet-tiny\"\nviews=[\"original\"]"),
                "two networks are called d/resnet-tiny-original-s0",
            ),
            (format!("{SMALL}{probe}[\"no-fg\"]"), "nothing is trained on no-fg"),
            (format!("{SMALL}{probe}[\"original\", \"original\"]"), "probed twice"),
            (SMALL.replace("main = true", "main = true\nbuild = { \"out /x\" = 1 }"), "an option may hold"),
            (SMALL.replace("main = true", "main = true\nbuild = { size = { a = 1 } }"), "expected a text"),
            (SMALL.replace("main = true", "main = true\nbuild = { out = \"/victim\" }"), "by the pipeline"),
            (SMALL.replace("about", "seed = 18446744073709551615\nabout"), "are too large"),
        ] {
            let error = checked(&wrong).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    }

    /// Each of these names once became part of a path that was deleted or written.
    #[test]
    fn no_name_leads_out_of_the_output_folder() {
        for bad in
            ["..", ".", "../../victim", "/etc", "a/b", "a\\\\b", "", ".hidden", "-x", "a\\nb", "a\\u0000"]
        {
            let quoted = format!("\"{bad}\"");
            for wrong in [
                SMALL
                    .replace("name = \"d\"", &format!("name = {quoted}"))
                    .replace("dataset = \"d\"", &format!("dataset = {quoted}")),
                SMALL.replace("source = \"toy\"", &format!("source = {quoted}")),
                SMALL.replace("\"resnet-tiny\"", &quoted),
                SMALL.replace("\"original\"", &quoted),
                SMALL.replace("views", &format!("tag = {quoted}\nviews")),
                SMALL.replace("about", &format!("splits = [{quoted}]\nabout")),
                format!("{SMALL}[[probe]]\nkind={quoted}\ndataset=\"d\"\nviews=[\"original\"]"),
                format!("{SMALL}[[model]]\nname={quoted}\narch=\"resnet18\"\ndataset=\"d\"\nweights=\"w\""),
                format!("{SMALL}[[model]]\nname=\"m\"\narch={quoted}\ndataset=\"d\"\nweights=\"w\""),
            ] {
                assert!(checked(&wrong).is_err(), "{wrong}");
            }
        }
    }
}
