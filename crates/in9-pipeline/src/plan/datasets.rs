//! Stages that make datasets.

use std::path::PathBuf;

use super::Layout;
use super::words::{flags, scale, seed, text, words};
use crate::graph::{Arg, Kind, Stage};
use crate::recipe::Dataset;

impl Layout<'_> {
    /// Adds the stages of every dataset.
    pub(super) fn build(&mut self) {
        let recipe = self.recipe;
        self.built = vec![usize::MAX; recipe.datasets.len()];
        for (at, dataset) in recipe.datasets.iter().enumerate() {
            if dataset.pictures_of.is_none() {
                self.built[at] = self.build_one(dataset);
            }
        }
        for (at, dataset) in recipe.datasets.iter().enumerate() {
            if let Some(of) = &dataset.pictures_of {
                self.built[at] = self.built[self.place(of)];
            }
        }
    }

    fn build_one(&mut self, dataset: &Dataset) -> usize {
        let recipe = self.recipe;
        let source = match dataset.rho {
            Some(rho) => {
                let mut args = words(&["--rho"]);
                args.push(text(rho));
                args.extend(seed(&dataset.render, recipe));
                args.extend(scale(recipe));
                args.extend(flags(&dataset.render));
                args.extend([text("--out"), Arg::Output]);
                Arg::Input(self.graph.add(Stage {
                    id: format!("render/{}", dataset.name),
                    kind: Kind::Render,
                    command: "toy".to_owned(),
                    args,
                    after: Vec::new(),
                    output: PathBuf::from("photos").join(dataset.name.as_str()),
                }))
            }
            None => self.photographs(dataset),
        };
        let (command, mut args) = if &dataset.source == "release" {
            ("import-release", Vec::new())
        } else {
            let mut args = words(&["--source", &dataset.source]);
            args.extend(seed(&dataset.build, recipe));
            ("build", args)
        };
        args.extend([text("--root"), source]);
        if dataset.rho.is_none() {
            // A world that is rendered smaller is small already.
            args.extend(scale(recipe));
        }
        args.extend(flags(&dataset.build));
        args.extend([text("--out"), Arg::Output]);
        self.graph.add(Stage {
            id: format!("build/{}", dataset.name),
            kind: Kind::Build,
            command: command.to_owned(),
            args,
            after: Vec::new(),
            output: PathBuf::from("data").join(dataset.name.as_str()),
        })
    }

    /// Where a dataset's photographs are.
    pub(super) fn photographs(&self, dataset: &Dataset) -> Arg {
        match &dataset.folder {
            None => Arg::Data,
            Some(folder) => Arg::DataFolder(folder.to_string()),
        }
    }
}
