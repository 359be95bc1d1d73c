//! What a recipe will cost: photographs, trainings, forward passes, disk.
//!
//! Counted from the recipe alone, before anything runs: from what it expects of its datasets, and from the flags of its
//! trainings and probes. The few defaults of the programs that this needs stand here.

use std::collections::BTreeMap;

use crate::recipe::{Dataset, Flags, Network, Origin, Probe, ProbeKind, Recipe};

/// Views that a network is tested on, of a dataset with masks and backgrounds.
const VIEWS: f64 = 15.0;
/// Those of them that every further pairing shows again.
const MIXED: f64 = 3.0;

/// Views that the release publishes.
const PUBLISHED_VIEWS: f64 = 8.0;

/// Photographs of a class of a toy world in its two splits, unless the recipe says otherwise.
const TOY: [f64; 2] = [300.0, 100.0];

/// Classes of a toy world.
const TOY_CLASSES: f64 = 9.0;

/// One kind of work of a network: pictures of one size.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Work {
    /// The architecture.
    pub arch: String,
    /// Pixels of a side of its input.
    pub size: u64,
    /// Whether each picture goes forward and back, as in training; else it is only answered.
    pub gradients: bool,
}

/// What a dataset will cost.
#[derive(Debug, Clone, PartialEq)]
pub struct DatasetCost {
    /// Its name.
    pub name: String,
    /// Photographs that are read.
    pub listed: f64,
    /// Training photographs kept.
    pub train: f64,
    /// Photographs kept of each split that is tested on.
    pub test: f64,
    /// Bytes of its pictures on disk.
    pub bytes: f64,
    /// Whether objects are cut out by GrabCut.
    pub cuts_out: bool,
}

/// What a recipe will cost.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Cost {
    /// The datasets that are built.
    pub datasets: Vec<DatasetCost>,
    /// Networks that are trained.
    pub trainings: usize,
    /// Pictures that networks see, by the kind of work: in training, in tests, in probes.
    pub pictures: BTreeMap<Work, [f64; 3]>,
    /// Datasets of which the recipe does not say how many photographs are expected; counted as none.
    pub unknown: Vec<String>,
}

impl Cost {
    /// Pictures seen in training, tests and probes, whoever sees them.
    pub fn passes(&self) -> [f64; 3] {
        let mut sums = [0.0; 3];
        for counts in self.pictures.values() {
            sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        }
        sums
    }

    /// Counts what `recipe` will cost.
    pub fn of(recipe: &Recipe) -> Self {
        let mut cost = Self::default();
        for dataset in recipe.datasets.iter().filter(|dataset| dataset.pictures_of.is_none()) {
            match counts(recipe, dataset) {
                Some(counted) => cost.datasets.push(counted),
                None => cost.unknown.push(dataset.name.to_string()),
            }
        }
        let networks = recipe.networks();
        for network in &networks {
            cost.add_training(recipe, network);
            cost.add_tests(recipe, network);
        }
        for probe in &recipe.probes {
            for at in recipe.probed(probe, &networks).unwrap_or_default() {
                cost.add_probe(recipe, probe, &networks[at]);
            }
        }
        cost
    }

    fn dataset(&self, recipe: &Recipe, name: &str) -> Option<&DatasetCost> {
        let lender = recipe.dataset(name)?.pictures_of.as_ref().map_or(name, |of| of.as_str());
        self.datasets.iter().find(|dataset| dataset.name == lender)
    }

    fn add(&mut self, work: Work, stage: usize, pictures: f64) {
        if pictures > 0.0 {
            self.pictures.entry(work).or_default()[stage] += pictures;
        }
    }

    fn add_training(&mut self, recipe: &Recipe, network: &Network<'_>) {
        let Origin::Trained(training, ..) = network.origin else { return };
        self.trainings += 1;
        let options = &training.options;
        let preset = options.get("preset").and_then(toml::Value::as_str);
        let epochs = number(options, "epochs").unwrap_or(if preset == Some("paper") { 200.0 } else { 15.0 });
        let epochs = recipe.scale.map_or(epochs, |scale| (epochs * scale).round().max(1.0));
        let attack = options.get("attack").map_or(0.0, |_| number(options, "attack-steps").unwrap_or(7.0));
        let photographs = self.dataset(recipe, &training.dataset).map_or(0.0, |dataset| dataset.train);
        let share = number(options, "fraction").unwrap_or(1.0);
        let size = number(options, "input-size").unwrap_or_else(|| side(recipe, &training.dataset));
        let work = Work { arch: training.arch.to_string(), size: size as u64, gradients: true };
        self.add(work, 0, photographs * share * epochs * (1.0 + attack));
    }

    fn add_tests(&mut self, recipe: &Recipe, network: &Network<'_>) {
        for tested in &network.tests {
            let about = recipe.dataset(tested);
            let views = match about {
                Some(about) if about.pictures_of.is_some() => PUBLISHED_VIEWS,
                Some(about) if about.photographs_only() => 1.0,
                _ => VIEWS + MIXED * (f64::from(recipe.pairings) - 1.0),
            };
            let test = self.dataset(recipe, tested).map_or(0.0, |dataset| dataset.test);
            let work = answers(recipe, network, tested, None);
            self.add(work, 1, test * views * recipe.splits.len() as f64);
        }
    }

    fn add_probe(&mut self, recipe: &Recipe, probe: &Probe, network: &Network<'_>) {
        let options = &probe.options;
        let test = self.dataset(recipe, &probe.dataset).map_or(0.0, |dataset| dataset.test);
        let most = |name: &str| number(options, name).map_or(test, |limit| limit.min(test));
        let images = most("limit");
        let work = answers(recipe, network, &probe.dataset, Some(options));
        match probe.kind {
            // Every pair; an ordered search needs no more.
            ProbeKind::Adversarial => self.add(work, 2, (images + 1.0) * most("backgrounds")),
            ProbeKind::Counterfactual => {
                self.add(work, 2, images * (1.0 + 3.0 * number(options, "partners").unwrap_or(8.0)));
            }
            // Both views with each mask, its own and four levels of displaced ones.
            ProbeKind::MaskError => {
                self.add(work, 2, images * 2.0 * (1.0 + 4.0 * number(options, "draws").unwrap_or(4.0)));
            }
            // Both backgrounds in every cell of the grid.
            ProbeKind::Surface => {
                let levels = |name: &str, usual: f64| {
                    let given = options
                        .get(name)
                        .map(|value| value.as_str().map_or(1, |list| list.split(',').count()));
                    given.map_or(usual, |count| count as f64)
                };
                let cells = levels("positions", 3.0) * levels("sizes", 3.0) * levels("edges", 2.0);
                self.add(work, 2, images * 2.0 * cells * levels("similarities", 2.0));
            }
            ProbeKind::Saliency => {
                // Two maps a layer, one by the pixels, one by noisy copies of them; and the curves of each.
                let layers = options.get("tap").or(options.get("layer")).and_then(toml::Value::as_str);
                let layers = layers.map_or(1.0, |layers| layers.split(',').count() as f64);
                let gradients = 2.0 * layers + 1.0 + number(options, "samples").unwrap_or(16.0);
                let maps = 2.0 * layers + 2.0;
                let steps = number(options, "steps").unwrap_or(8.0);
                self.add(Work { gradients: true, ..work.clone() }, 2, images * gradients);
                self.add(work, 2, images * (1.0 + maps * 2.0 * steps));
            }
        }
    }
}

/// The work of answering about pictures of a dataset.
fn answers(recipe: &Recipe, network: &Network<'_>, dataset: &str, own: Option<&Flags>) -> Work {
    let (arch, size) = match network.origin {
        Origin::Trained(training, ..) => (&training.arch, None),
        Origin::Published(model) => (&model.arch, number(&model.options, "size")),
    };
    let size = own.and_then(|own| number(own, "size")).or(size).unwrap_or_else(|| side(recipe, dataset));
    Work { arch: arch.to_string(), size: size as u64, gradients: false }
}

/// Pixels of a side of a dataset's test pictures.
fn side(recipe: &Recipe, dataset: &str) -> f64 {
    let lender = recipe.dataset(dataset).and_then(|about| about.pictures_of.as_ref());
    let about = recipe.dataset(lender.map_or(dataset, |of| of.as_str()));
    about.and_then(|about| number(&about.build, "size")).unwrap_or(224.0)
}

/// What a dataset will cost; `None` where nobody says how many photographs there are.
fn counts(recipe: &Recipe, dataset: &Dataset) -> Option<DatasetCost> {
    let scale = recipe.scale.unwrap_or(1.0);
    let [listed, train, test] = match (&dataset.expect, dataset.rho) {
        (Some(expect), _) => [expect.listed, expect.train, expect.test].map(|count| count as f64),
        (None, Some(_)) => {
            let [train, test] =
                ["train-per-class", "test-per-class"].map(|name| number(&dataset.render, name));
            let [train, test] = [train.unwrap_or(TOY[0]), test.unwrap_or(TOY[1])].map(|n| n * TOY_CLASSES);
            [train + test, train, test]
        }
        (None, None) => return None,
    };
    let [listed, train, test] = [listed, train, test].map(|count| (count * scale).ceil());
    let layers = if dataset.photographs_only() { 3.0 } else { 6.125 };
    let size = number(&dataset.build, "size").unwrap_or(224.0);
    let large = number(&dataset.build, "train-size").unwrap_or(size);
    let exact = dataset.build.get("masks").and_then(toml::Value::as_str) == Some("exact");
    Some(DatasetCost {
        name: dataset.name.to_string(),
        listed,
        train,
        test,
        bytes: layers * (train * large * large + test * size * size),
        cuts_out: !dataset.photographs_only() && !exact && &dataset.source != "release",
    })
}

fn number(flags: &Flags, name: &str) -> Option<f64> {
    let value = flags.get(name)?;
    value.as_float().or(value.as_integer().map(|whole| whole as f64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn the_paper_is_counted_as_the_protocol_has_it() {
        let (_, mut recipe) = Recipe::load("imagenet", Path::new("")).unwrap();
        let cost = Cost::of(&recipe);
        assert_eq!((cost.trainings, cost.unknown.len()), (25, 0));
        let resnet = Work { arch: "resnet50".into(), size: 224, gradients: true };
        // Eight trainings on ImageNet-9, and two of eight passes a picture against attacks; one on IN-9L; five on IN-9LB, and
        // shares of it that add up to 1 15/16.
        let epochs = 45_405.0 * (8.0 + 2.0 * 8.0) + 180_000.0 + 187_000.0 * (5.0 + 1.9375);
        let expected = 200.0 * epochs;
        assert!((cost.pictures[&resnet][0] / expected - 1.0).abs() < 1e-12, "{:?}", cost.pictures[&resnet]);
        // Two searches of 4,050 by 4,050 and the backgrounds alone are most of the probes.
        assert!(cost.passes()[2] > 2.0 * 4_051.0 * 4_050.0 && cost.passes()[2] < 2.1 * 4_051.0 * 4_050.0);
        recipe.scale = Some(0.01);
        let small = Cost::of(&recipe);
        assert!((small.pictures[&resnet][0] / expected - 1e-4).abs() < 2e-6, "photographs and epochs");
        let in9 = &small.datasets[0];
        assert_eq!((in9.train, in9.test), (455.0, 41.0));
    }

    #[test]
    fn a_toy_world_is_counted_by_what_is_rendered() {
        let (_, recipe) = Recipe::load("toy", Path::new("")).unwrap();
        let cost = Cost::of(&recipe);
        let trainings: usize = recipe.trainings.iter().map(|t| t.views.len() * t.seeds.len()).sum();
        assert_eq!((cost.datasets[0].train, cost.datasets[0].test), (2880.0, 1080.0));
        assert_eq!(cost.trainings, trainings);
        assert!(cost.unknown.is_empty() && cost.datasets[0].cuts_out);
    }
}
