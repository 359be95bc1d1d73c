//! Stages that train networks and let them answer.

use std::path::PathBuf;

use in9_base::PlainName;

use super::Layout;
use super::words::{flags, scale, text, words};
use crate::graph::{Arg, Kind, Stage};
use crate::recipe::{Network, Origin, Training};

impl Layout<'_> {
    /// Adds a stage for each training. Returns the stage of each network; published ones have none.
    pub(super) fn train(&mut self, networks: &[Network<'_>]) -> Vec<Option<usize>> {
        let train = |network: &Network<'_>| match network.origin {
            Origin::Trained(training, view, seed) => {
                Some(self.train_one(&network.name, training, view, seed))
            }
            Origin::Published(_) => None,
        };
        networks.iter().map(train).collect()
    }

    fn train_one(&mut self, name: &str, training: &Training, view: &str, seed: u64) -> usize {
        let place = format!("{}/{name}", training.dataset);
        let mut args = words(&["--arch", &training.arch, "--data"]);
        args.push(Arg::Input(self.built[self.place(&training.dataset)]));
        let seed = (self.recipe.seed + seed).to_string();
        args.extend(words(&["--view", view, "--name", name, "--seed", &seed]));
        args.extend(words(&["--device", self.device]));
        args.extend(scale(self.recipe));
        args.extend(flags(&training.options));
        args.extend([text("--resume"), text("--out"), Arg::Output]);
        self.graph.add(Stage {
            id: format!("train/{place}"),
            kind: Kind::Train,
            command: "train".to_owned(),
            args,
            after: Vec::new(),
            output: PathBuf::from("runs").join(place),
        })
    }

    /// Adds a stage for each network and dataset that it is tested on; returns them.
    pub(super) fn predict(&mut self, networks: &[Network<'_>], runs: &[Option<usize>]) -> Vec<usize> {
        let mut tables = Vec::new();
        for (network, run) in networks.iter().zip(runs) {
            for dataset in &network.tests {
                tables.push(self.predict_one(network, *run, dataset));
            }
        }
        tables
    }

    /// The words that name a network to a program.
    pub(super) fn network(&self, network: &Network<'_>, run: Option<usize>) -> Vec<Arg> {
        let Origin::Published(model) = network.origin else {
            return vec![text("--weights"), Arg::Input(run.expect("every training has a stage"))];
        };
        let mut args = words(&["--arch", &model.arch, "--name", &model.name, "--weights"]);
        let file = PathBuf::from(&model.weights);
        args.push(if file.is_file() { Arg::File(file) } else { text(&model.weights) });
        args
    }

    fn predict_one(&mut self, network: &Network<'_>, run: Option<usize>, dataset: &PlainName) -> usize {
        let at = self.place(dataset);
        let (about, place) = (&self.recipe.datasets[at], format!("{dataset}/{}", network.name));
        let mut args = self.network(network, run);
        args.extend([text("--data"), Arg::Input(self.built[at])]);
        if about.pictures_of.is_some() {
            args.extend([text("--published"), self.photographs(about)]);
            args.extend(words(&["--dataset-name", dataset]));
        }
        args.extend(self.tested());
        if let Origin::Published(model) = network.origin {
            args.extend(flags(&model.options));
        }
        args.extend([text("--out"), Arg::Output]);
        self.graph.add(Stage {
            id: format!("predict/{place}"),
            kind: Kind::Predict,
            command: "predict".to_owned(),
            args,
            after: Vec::new(),
            output: PathBuf::from("predictions").join(format!("{place}.csv")),
        })
    }

    /// What every network is tested on: the paper's eight views, its appendix's ninth, and the controls, which are all.
    fn tested(&self) -> Vec<Arg> {
        let splits: Vec<&str> = self.recipe.splits.iter().map(|split| split.as_str()).collect();
        let mut args = words(&["--split", &splits.join(","), "--views", "all", "--device", self.device]);
        if self.recipe.pairings > 1 {
            args.extend(words(&["--pairings", &self.recipe.pairings.to_string()]));
        }
        args
    }

    /// Adds the stage that looks up how accurate the published networks are on ImageNet; none if there are none.
    pub(super) fn imagenet(&mut self, networks: &[Network<'_>]) -> Option<usize> {
        let mut args = Vec::new();
        for network in networks {
            let Origin::Published(model) = network.origin else { continue };
            let known = model.imagenet.map(|percent| percent.to_string());
            let file = PathBuf::from(&model.weights);
            let weights = match file.is_file() {
                true => file.file_name().unwrap_or_default().to_string_lossy().into_owned(),
                false => model.weights.clone(),
            };
            let about = format!("{}={}", model.name, known.unwrap_or(weights));
            args.extend(words(&["--model", &about, "--arch", &model.arch]));
        }
        if args.is_empty() {
            return None;
        }
        args.extend([text("--out"), Arg::Output]);
        Some(self.graph.add(Stage {
            id: "imagenet".to_owned(),
            kind: Kind::Score,
            command: "imagenet".to_owned(),
            args,
            after: Vec::new(),
            output: PathBuf::from("imagenet.csv"),
        }))
    }
}
