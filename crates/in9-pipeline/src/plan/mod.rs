//! From a recipe to its graph of stages.

mod report;

use std::path::PathBuf;

use crate::graph::{Arg, Graph, Kind, Stage};
use crate::recipe::{Dataset, Flags, Probe, Published, Recipe, Training};

/// A trained or published network and the dataset that it is tested on.
struct Network {
    dataset: usize,
    name: String,
    view: String,
    /// Whether its training has no tag. Probes take the first such network of a view, as the recipe orders them.
    plain: bool,
    run: usize,
}

/// Lays out every stage of `recipe`, whose name is `name`, for networks that run on `device` (`cpu`, `cuda:0`).
pub fn plan(name: &str, recipe: &Recipe, device: &str) -> Graph {
    let mut graph = Graph::default();
    let datasets: Vec<usize> =
        recipe.datasets.iter().map(|dataset| build(&mut graph, recipe, dataset)).collect();
    let place = |name: &str| {
        let at = recipe.datasets.iter().position(|dataset| dataset.name.as_str() == name);
        at.expect("a recipe is checked when it is read")
    };
    let mut networks = Vec::new();
    for training in &recipe.trainings {
        let dataset = place(&training.dataset);
        train(&mut graph, recipe, training, (dataset, datasets[dataset]), device, &mut networks);
    }
    let mut tables: Vec<usize> = Vec::new();
    for network in &networks {
        tables.push(predict(&mut graph, recipe, network, datasets[network.dataset], device));
    }
    for model in &recipe.models {
        tables.push(predict_published(&mut graph, recipe, model, datasets[place(&model.dataset)], device));
    }
    let mut probes = Vec::new();
    for wanted in &recipe.probes {
        let dataset = place(&wanted.dataset);
        for view in &wanted.views {
            let network =
                networks.iter().find(|n| n.plain && n.dataset == dataset && n.view == view.as_str());
            let network = network.expect("a recipe is checked when it is read");
            probes.push((wanted.kind, probe(&mut graph, recipe, wanted, network, datasets[dataset], device)));
        }
    }
    if !tables.is_empty() {
        score(&mut graph, &tables);
        report::report(&mut graph, name, recipe, &datasets, &networks, &tables, &probes);
    }
    graph
}

fn build(graph: &mut Graph, recipe: &Recipe, dataset: &Dataset) -> usize {
    let source = match dataset.rho {
        Some(rho) => {
            let mut args = words(&["--rho"]);
            args.push(text(rho));
            args.extend(seed(&dataset.render, recipe));
            args.extend(flags(&dataset.render));
            args.extend([text("--out"), Arg::Output]);
            Arg::Input(graph.add(Stage {
                id: format!("render/{}", dataset.name),
                kind: Kind::Render,
                command: "toy".to_owned(),
                args,
                after: Vec::new(),
                output: PathBuf::from("photos").join(dataset.name.as_str()),
            }))
        }
        None => Arg::Data,
    };
    let (command, mut args) = if &dataset.source == "release" {
        ("import-release", Vec::new())
    } else {
        let mut args = words(&["--source", &dataset.source]);
        args.extend(seed(&dataset.build, recipe));
        ("build", args)
    };
    args.extend([text("--root"), source]);
    args.extend(flags(&dataset.build));
    args.extend([text("--out"), Arg::Output]);
    graph.add(Stage {
        id: format!("build/{}", dataset.name),
        kind: Kind::Build,
        command: command.to_owned(),
        args,
        after: Vec::new(),
        output: PathBuf::from("data").join(dataset.name.as_str()),
    })
}

fn train(
    graph: &mut Graph,
    recipe: &Recipe,
    training: &Training,
    (dataset, built): (usize, usize),
    device: &str,
    networks: &mut Vec<Network>,
) {
    for view in &training.views {
        for seed in &training.seeds {
            let name = training.network(view, *seed);
            let place = format!("{}/{name}", recipe.datasets[dataset].name);
            let mut args = words(&["--arch", &training.arch, "--data"]);
            args.push(Arg::Input(built));
            args.extend(words(&[
                "--view",
                view,
                "--name",
                &name,
                "--seed",
                &(recipe.seed + seed).to_string(),
            ]));
            args.extend(words(&["--device", device]));
            args.extend(flags(&training.options));
            args.extend([text("--resume"), text("--out"), Arg::Output]);
            let run = graph.add(Stage {
                id: format!("train/{place}"),
                kind: Kind::Train,
                command: "train".to_owned(),
                args,
                after: Vec::new(),
                output: PathBuf::from("runs").join(place),
            });
            let plain = training.tag.is_none();
            networks.push(Network { dataset, name, view: view.to_string(), plain, run });
        }
    }
}

fn predict(graph: &mut Graph, recipe: &Recipe, network: &Network, built: usize, device: &str) -> usize {
    let place = format!("{}/{}", recipe.datasets[network.dataset].name, network.name);
    let mut args = words(&["--weights"]);
    args.extend([Arg::Input(network.run), text("--data"), Arg::Input(built)]);
    args.extend(tested(recipe, device));
    args.extend([text("--out"), Arg::Output]);
    graph.add(Stage {
        id: format!("predict/{place}"),
        kind: Kind::Predict,
        command: "predict".to_owned(),
        args,
        after: Vec::new(),
        output: PathBuf::from("predictions").join(format!("{place}.csv")),
    })
}

/// What every network is tested on: the paper's eight views, and its appendix's ninth, which are all.
fn tested(recipe: &Recipe, device: &str) -> Vec<Arg> {
    let splits: Vec<&str> = recipe.splits.iter().map(|split| split.as_str()).collect();
    let mut args = words(&["--split", &splits.join(","), "--views", "all", "--device", device]);
    if recipe.pairings > 1 {
        args.extend(words(&["--pairings", &recipe.pairings.to_string()]));
    }
    args
}

fn predict_published(
    graph: &mut Graph,
    recipe: &Recipe,
    model: &Published,
    built: usize,
    device: &str,
) -> usize {
    let place = format!("{}/{}", model.dataset, model.name);
    let mut args = words(&["--arch", &model.arch, "--name", &model.name, "--weights"]);
    let file = PathBuf::from(&model.weights);
    args.push(if file.is_file() { Arg::File(file) } else { text(&model.weights) });
    args.extend([text("--data"), Arg::Input(built)]);
    args.extend(tested(recipe, device));
    args.extend(flags(&model.options));
    args.extend([text("--out"), Arg::Output]);
    graph.add(Stage {
        id: format!("predict/{place}"),
        kind: Kind::Predict,
        command: "predict".to_owned(),
        args,
        after: Vec::new(),
        output: PathBuf::from("predictions").join(format!("{place}.csv")),
    })
}

fn probe(
    graph: &mut Graph,
    recipe: &Recipe,
    probe: &Probe,
    network: &Network,
    built: usize,
    device: &str,
) -> usize {
    let place = format!("{}/{}/{}", probe.kind, probe.dataset, network.name);
    let mut args = words(&["--weights"]);
    args.extend([Arg::Input(network.run), text("--data"), Arg::Input(built)]);
    args.extend(words(&["--device", device]));
    args.extend(seed(&probe.options, recipe));
    args.extend(flags(&probe.options));
    args.extend([text("--out"), Arg::Output]);
    graph.add(Stage {
        id: format!("probe/{place}"),
        kind: Kind::Probe,
        command: probe.kind.to_string(),
        args,
        after: Vec::new(),
        output: PathBuf::from("probes").join(place),
    })
}

fn score(graph: &mut Graph, tables: &[usize]) {
    let mut args: Vec<Arg> = tables.iter().map(|table| Arg::Input(*table)).collect();
    args.extend([text("--out"), Arg::Output]);
    graph.add(Stage {
        id: "score".to_owned(),
        kind: Kind::Score,
        command: "score".to_owned(),
        args,
        after: Vec::new(),
        output: PathBuf::from("scores"),
    });
}

fn text(word: impl ToString) -> Arg {
    Arg::Text(word.to_string())
}

fn words(words: &[&str]) -> Vec<Arg> {
    words.iter().map(text).collect()
}

/// The recipe's seed, unless the program's own flags name one.
fn seed(own: &Flags, recipe: &Recipe) -> Vec<Arg> {
    if own.contains_key("seed") { Vec::new() } else { words(&["--seed", &recipe.seed.to_string()]) }
}

fn flags(flags: &Flags) -> Vec<Arg> {
    let mut args = Vec::new();
    for (name, value) in flags {
        match value {
            toml::Value::Boolean(false) => {}
            toml::Value::Boolean(true) => args.push(text(format!("--{name}"))),
            // A value that looks like a flag stays a value.
            value if word(value).starts_with('-') => args.push(text(format!("--{name}={}", word(value)))),
            value => args.extend([text(format!("--{name}")), text(word(value))]),
        }
    }
    args
}

fn word(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Array(items) => items.iter().map(word).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe() -> Recipe {
        Recipe::parse(
            "small".as_ref(),
            r#"
            title = "t"
            about = "a"
            seed = 7
            splits = ["test", "val"]
            [[dataset]]
            name = "d"
            source = "toy"
            rho = 0.5
            main = true
            build = { size = 64, holdout = 0.1, quiet = true, balance = false }
            [[train]]
            dataset = "d"
            arch = "resnet-tiny"
            views = ["original", "mixed-rand"]
            options = { epochs = 2 }
            [[train]]
            dataset = "d"
            arch = "resnet-tiny"
            views = ["original"]
            tag = "half"
            options = { epochs = 2, fraction = 0.5 }
            [[probe]]
            kind = "saliency"
            dataset = "d"
            views = ["mixed-rand"]
            "#,
        )
        .unwrap()
    }

    #[test]
    fn a_recipe_becomes_its_stages() {
        let graph = plan("small", &recipe(), "cpu");
        let ids: Vec<_> = graph.stages.iter().map(|stage| stage.id.as_str()).collect();
        assert_eq!(
            ids,
            [
                "render/d",
                "build/d",
                "train/d/resnet-tiny-original-s0",
                "train/d/resnet-tiny-mixed-rand-s0",
                "train/d/resnet-tiny-original-half-s0",
                "predict/d/resnet-tiny-original-s0",
                "predict/d/resnet-tiny-mixed-rand-s0",
                "predict/d/resnet-tiny-original-half-s0",
                "probe/saliency/d/resnet-tiny-mixed-rand-s0",
                "score",
                "report",
            ]
        );
        assert_eq!(graph.stages[8].inputs(), [1, 3]);
        assert_eq!(graph.stages[10].inputs(), [1, 2, 3, 4, 5, 6, 7, 8]);
    }

    #[test]
    fn flags_are_passed_on() {
        let graph = plan("small", &recipe(), "cpu");
        let args: Vec<_> = graph.stages[1]
            .args
            .iter()
            .filter_map(|arg| if let Arg::Text(t) = arg { Some(t.as_str()) } else { None })
            .collect();
        assert_eq!(
            args,
            [
                "--source",
                "toy",
                "--seed",
                "7",
                "--root",
                "--holdout",
                "0.1",
                "--quiet",
                "--size",
                "64",
                "--out"
            ]
        );
    }
}
