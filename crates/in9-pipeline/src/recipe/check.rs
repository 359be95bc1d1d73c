//! What a recipe must fulfil beyond its form.

use std::collections::BTreeSet;

use in9_base::PlainName;

use super::nearest::meant;
use super::{Flags, Network, Probe, Recipe};

impl Recipe {
    /// The first thing that is wrong with the recipe.
    pub(super) fn check(&self) -> Result<(), String> {
        let names = self.check_datasets()?;
        let used = self.trainings.iter().flat_map(|t| [&t.dataset].into_iter().chain(&t.tests));
        let used = used.chain(self.models.iter().flat_map(|m| [&m.dataset].into_iter().chain(&m.tests)));
        for name in used.chain(self.probes.iter().map(|p| &p.dataset)) {
            if !names.contains(name.as_str()) {
                let known: Vec<&str> = names.iter().copied().collect();
                return Err(format!("no dataset is called {name}{}", meant(name, &known)));
            }
        }
        if let Some(scale) = self.scale.filter(|scale| !(*scale > 0.0 && *scale <= 1.0)) {
            return Err(format!("a scale is a share (expected above 0, at most 1, found {scale})"));
        }
        some("splits", &self.splits)?;
        self.splits.iter().try_for_each(|split| plain("a split", split))?;
        self.check_networks()?;
        let networks = self.networks();
        self.check_tests(&networks)?;
        self.check_probes(&networks)?;
        self.check_curves(&networks)?;
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
            if dataset.optional && dataset.folder.is_none() {
                return Err(format!("dataset {name}: is optional; say in `folder` what may be missing"));
            }
            dataset.folder.iter().try_for_each(|folder| plain("a folder", folder))?;
            if let Some(of) = &dataset.pictures_of {
                let lender = self.datasets.iter().find(|other| other.name == *of);
                if !lender.is_some_and(|l| &l.source == "release" && l.pictures_of.is_none()) {
                    return Err(format!("dataset {name}: {of} is no dataset made of the release"));
                }
                if dataset.main || &dataset.source != "release" || !dataset.build.is_empty() {
                    return Err(format!(
                        "dataset {name}: has the published pictures of {of}, so that it is of source release, has no \
                         flags and is not the main one"
                    ));
                }
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
            // A stage's key would not know the network's file, and a changed one would be taken for the same.
            let masks = dataset.build.get("masks").and_then(toml::Value::as_str);
            if let Some(masks) = masks.filter(|masks| masks.starts_with("onnx:") || masks.starts_with("sam:"))
            {
                return Err(format!(
                    "dataset {name}: masks = {masks:?} is not for recipes (expected \"grabcut\" or \"exact\"); build it by hand"
                ));
            }
        }
        match self.datasets.iter().filter(|dataset| dataset.main).count() {
            1 => Ok(names),
            _ => Err("exactly one dataset must be `main = true`".to_owned()),
        }
    }

    fn check_networks(&self) -> Result<(), String> {
        for training in &self.trainings {
            plain("an architecture", &training.arch)?;
            some("views", &training.views)?;
            some("seeds", &training.seeds)?;
            training.name.iter().try_for_each(|name| plain("a name", name))?;
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
            if let Some(share) = model.imagenet.filter(|share| !(0.0..=100.0).contains(share)) {
                return Err(format!("model {}: imagenet is in percent (found {share})", model.name));
            }
        }
        Ok(())
    }

    /// Tables tell networks apart by the dataset and the name; and only photographs as they are can be had of a
    /// dataset that holds nothing else.
    fn check_tests(&self, networks: &[Network<'_>]) -> Result<(), String> {
        let mut tested = BTreeSet::new();
        for network in networks {
            for dataset in &network.tests {
                let place = format!("{dataset}/{}", network.name);
                if !tested.insert(place.clone()) {
                    return Err(format!("two networks are called {place}; give one of them a tag"));
                }
            }
        }
        for training in &self.trainings {
            let photographs = self.dataset(&training.dataset).is_some_and(super::Dataset::photographs_only);
            if let Some(view) = training.views.iter().find(|view| photographs && view.as_str() != "original")
            {
                return Err(format!(
                    "{} holds photographs only, nothing can be trained on {view}",
                    training.dataset
                ));
            }
        }
        if let Some(model) = self.models.iter().find(|m| !m.tests.is_empty() && !m.tests.contains(&m.dataset))
        {
            return Err(format!("model {}: is tested on {}, which `tests` lacks", model.name, model.dataset));
        }
        let borrowed = |name: &PlainName| self.dataset(name).is_some_and(|d| d.pictures_of.is_some());
        match self.trainings.iter().find(|training| borrowed(&training.dataset)) {
            Some(training) => Err(format!(
                "{} has published test pictures only, nothing can be trained on it",
                training.dataset
            )),
            None => Ok(()),
        }
    }

    /// The dataset of this name.
    pub(crate) fn dataset(&self, name: &str) -> Option<&super::Dataset> {
        self.datasets.iter().find(|dataset| &dataset.name == name)
    }

    /// Places in `networks` of those that a probe is about, in its order.
    ///
    /// # Errors
    /// In words, if one of them is not there.
    pub(crate) fn probed(&self, probe: &Probe, networks: &[Network<'_>]) -> Result<Vec<usize>, String> {
        let mut probed = Vec::new();
        for view in &probe.views {
            let plain = |network: &Network<'_>| *network.dataset == probe.dataset && network.is_plain(view);
            let found = networks.iter().position(plain);
            let (kind, dataset) = (probe.kind, &probe.dataset);
            let nothing = || format!("probe {kind}: nothing is trained on {view} of {dataset}");
            probed.push(found.ok_or_else(nothing)?);
        }
        for name in &probe.networks {
            let found = Self::find(networks, name).map_err(|what| format!("probe {}: {what}", probe.kind))?;
            probed.push(found);
        }
        Ok(probed)
    }

    fn check_probes(&self, networks: &[Network<'_>]) -> Result<(), String> {
        let mut seen = BTreeSet::new();
        for probe in &self.probes {
            let (kind, dataset) = (probe.kind, &probe.dataset);
            flags(&probe.options)?;
            if probe.views.is_empty() && probe.networks.is_empty() {
                return Err(format!("probe {kind}: a list of views is empty, and so is that of networks"));
            }
            let of = self.dataset(dataset);
            if of.is_some_and(|of| of.photographs_only() || of.pictures_of.is_some()) {
                return Err(format!("probe {kind}: {dataset} has no masks and backgrounds to probe with"));
            }
            for at in self.probed(probe, networks)? {
                let name = &networks[at].name;
                if !seen.insert(format!("{kind}/{dataset}/{name}")) {
                    return Err(format!("probe {kind}: {name} on {dataset} is probed twice"));
                }
            }
        }
        Ok(())
    }

    fn check_curves(&self, networks: &[Network<'_>]) -> Result<(), String> {
        let main = self.datasets.iter().find(|dataset| dataset.main).map(|dataset| &dataset.name);
        for curve in &self.curves {
            let kind = curve.kind;
            some("points", &curve.points)?;
            for point in &curve.points {
                let found =
                    Self::find(networks, &point.network).map_err(|what| format!("curve {kind}: {what}"))?;
                if !networks[found].tests.iter().any(|tested| Some(*tested) == main) {
                    return Err(format!("curve {kind}: {} is not tested on the main dataset", point.network));
                }
                if !(point.x > 0.0 && point.x <= 1e9) {
                    return Err(format!("curve {kind}: expected a place above 0, found {}", point.x));
                }
            }
        }
        Ok(())
    }
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
        if ["out", "jobs", "resume", "scale", "shard", "merge"].contains(&name.as_str()) {
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

    const PHOTOGRAPHS: &str =
        "[[dataset]]\nname=\"l\"\nsource=\"toy\"\nrho=0.5\nbuild={selection=\"in-9l\"}\n";

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
            (format!("{SMALL}{probe}[]"), "a list of views is empty"),
            (
                format!("{SMALL}{probe}[]\nnetworks = [\"resnet-tiny-orginal-s0\"]"),
                "did you mean resnet-tiny-original-s0",
            ),
            (
                format!("{SMALL}[[curve]]\nkind = \"size\"\npoint = [{{ x = 1, network = \"n\" }}]"),
                "no network is called n",
            ),
            (
                format!("{SMALL}{PHOTOGRAPHS}[[train]]\ndataset=\"l\"\narch=\"a\"\nviews=[\"no-fg\"]"),
                "holds photographs only",
            ),
            (
                format!(
                    "{SMALL}{PHOTOGRAPHS}[[train]]\ndataset=\"l\"\narch=\"resnet-tiny\"\nviews=[\"original\"]\ntests=[\"d\"]"
                ),
                "two networks are called d/resnet-tiny-original-s0",
            ),
            (
                format!(
                    "{SMALL}{PHOTOGRAPHS}[[probe]]\nkind=\"saliency\"\ndataset=\"l\"\nnetworks=[\"resnet-tiny-original-s0\"]"
                ),
                "no masks and backgrounds",
            ),
            (
                format!("{SMALL}[[dataset]]\nname=\"j\"\nsource=\"release\"\npictures-of=\"d\"\n"),
                "no dataset made of the release",
            ),
            (SMALL.replace("main = true", "main = true\nbuild = { \"out /x\" = 1 }"), "an option may hold"),
            (SMALL.replace("main = true", "main = true\nbuild = { size = { a = 1 } }"), "expected a text"),
            (
                SMALL.replace("main = true", "main = true\nbuild = { masks = \"onnx:n.toml\" }"),
                "not for recipes",
            ),
            (
                SMALL.replace("main = true", "main = true\nbuild = { masks = \"sam:w.pth\" }"),
                "not for recipes",
            ),
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
