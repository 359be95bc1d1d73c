//! From a recipe to its graph of stages.

mod cost;
mod datasets;
mod networks;
mod probes;
mod report;
mod words;

use std::path::PathBuf;

pub use cost::{Cost, DatasetCost, Work};

use crate::graph::{Arg, Graph, Kind, Stage};
use crate::recipe::Recipe;
use words::text;

/// What all stages are laid out from.
struct Layout<'a> {
    recipe: &'a Recipe,
    /// Where networks run: `cpu`, `cuda:0`.
    device: &'a str,
    graph: Graph,
    /// The stage that builds each dataset, in the recipe's order; of one that is not built, the one that it borrows.
    built: Vec<usize>,
}

/// Lays out every stage of `recipe`, whose name is `name`, for networks that run on `device` (`cpu`, `cuda:0`).
pub fn plan(name: &str, recipe: &Recipe, device: &str) -> Graph {
    let mut layout = Layout { recipe, device, graph: Graph::default(), built: Vec::new() };
    layout.build();
    let networks = recipe.networks();
    let runs = layout.train(&networks);
    let tables = layout.predict(&networks, &runs);
    let probes = layout.probe(&networks, &runs);
    if !tables.is_empty() {
        layout.score(&tables);
        let imagenet = layout.imagenet(&networks);
        layout.report(name, &networks, &report::Made { runs, tables, probes, imagenet });
    }
    layout.graph
}

impl Layout<'_> {
    /// Place of a dataset in the recipe.
    fn place(&self, name: &str) -> usize {
        let at = self.recipe.datasets.iter().position(|dataset| &dataset.name == name);
        at.expect("a recipe is checked when it is read")
    }

    fn score(&mut self, tables: &[usize]) {
        let mut args: Vec<Arg> = tables.iter().map(|table| Arg::Input(*table)).collect();
        args.extend([text("--out"), Arg::Output]);
        self.graph.add(Stage {
            id: "score".to_owned(),
            kind: Kind::Score,
            command: "score".to_owned(),
            args,
            after: Vec::new(),
            output: PathBuf::from("scores"),
        });
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
