//! The stage that writes the report.

use std::fmt::Write as _;
use std::path::PathBuf;

use super::Layout;
use super::words::{text, words};
use crate::graph::{Arg, Kind, Stage};
use crate::recipe::{Network, ProbeKind};

/// The stages that the report is made from.
pub(super) struct Made {
    /// The training of each network; none of a published one.
    pub(super) runs: Vec<Option<usize>>,
    /// Prediction tables.
    pub(super) tables: Vec<usize>,
    /// Probes.
    pub(super) probes: Vec<(ProbeKind, usize)>,
    /// The published networks' accuracies on ImageNet.
    pub(super) imagenet: Option<usize>,
}

impl Layout<'_> {
    /// The report reads a list of everything that was made, with paths relative to the list.
    pub(super) fn report(&mut self, name: &str, networks: &[Network<'_>], made: &Made) {
        let spec = self.spec(name, networks, made);
        let mut args = words(&["--spec"]);
        args.extend([Arg::Spec("report.toml".to_owned(), spec), text("--out"), Arg::Output]);
        let runs = made.runs.iter().flatten().copied();
        let probes = made.probes.iter().map(|(_, stage)| *stage);
        let mut after: Vec<usize> = self.built.iter().chain(&made.tables).copied().collect();
        after.extend(runs.chain(probes).chain(made.imagenet));
        self.graph.add(Stage {
            id: "report".to_owned(),
            kind: Kind::Report,
            command: "report".to_owned(),
            args,
            after,
            output: PathBuf::from("report"),
        });
    }

    fn spec(&self, name: &str, networks: &[Network<'_>], made: &Made) -> String {
        let recipe = self.recipe;
        let path = |stage: &usize| quoted(&self.graph.stages[*stage].output.to_string_lossy());
        let mut spec =
            format!("title = {}\nrecipe = {}\nseed = {}\n", quoted(&recipe.title), quoted(name), recipe.seed);
        if let Some(stage) = &made.imagenet {
            let _ = writeln!(spec, "imagenet = {}", path(stage));
        }
        if let Some(scale) = recipe.scale {
            let _ = writeln!(spec, "scale = {scale:?}");
        }
        if !recipe.changed.is_empty() {
            let lines: Vec<String> = recipe.changed.iter().map(|line| quoted(line)).collect();
            let _ = writeln!(spec, "changed = [{}]", lines.join(", "));
        }
        for (dataset, stage) in recipe.datasets.iter().zip(&self.built) {
            let _ = write!(
                spec,
                "\n[[dataset]]\nname = {}\npath = {}\nmain = {}\n",
                quoted(&dataset.name),
                path(stage),
                dataset.main
            );
            if let Some(rho) = dataset.rho {
                let _ = writeln!(spec, "rho = {rho:?}");
            }
            // What a toy world's boxes tell of the class, where they tell anything.
            for dial in ["size-leak", "place-leak"] {
                if let Some(share) = dataset.render.get(dial) {
                    let _ = writeln!(spec, "{} = {share}", dial.replace('-', "_"));
                }
            }
        }
        for (network, run) in networks.iter().zip(&made.runs) {
            let Some(run) = run else { continue };
            let _ = write!(spec, "\n[[run]]\nname = {}\npath = {}\n", quoted(&network.name), path(run));
        }
        for table in &made.tables {
            let _ = write!(spec, "\n[[predictions]]\npath = {}\n", path(table));
        }
        for (kind, stage) in &made.probes {
            let _ =
                write!(spec, "\n[[probe]]\nkind = {}\npath = {}\n", quoted(&kind.to_string()), path(stage));
        }
        for curve in &recipe.curves {
            let _ = write!(spec, "\n[[curve]]\nkind = {}\n", quoted(&curve.kind.to_string()));
            for point in &curve.points {
                // A name may be told from another dataset's; tables have the name alone.
                let model = point.network.rsplit('/').next().unwrap_or(&point.network);
                let _ = write!(spec, "[[curve.point]]\nx = {:?}\nmodel = {}\n", point.x, quoted(model));
            }
        }
        spec
    }
}

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}
