//! The stage that writes the report.

use std::fmt::Write as _;
use std::path::PathBuf;

use super::{Network, text, words};
use crate::graph::{Arg, Graph, Kind, Stage};
use crate::recipe::{ProbeKind, Recipe};

/// The report reads a list of everything that was made, with paths relative to the list.
pub(super) fn report(
    graph: &mut Graph,
    name: &str,
    recipe: &Recipe,
    datasets: &[usize],
    networks: &[Network],
    tables: &[usize],
    probes: &[(ProbeKind, usize)],
) {
    let path = |stage: &usize| quoted(&graph.stages[*stage].output.to_string_lossy());
    let mut spec =
        format!("title = {}\nrecipe = {}\nseed = {}\n", quoted(&recipe.title), quoted(name), recipe.seed);
    for (dataset, stage) in recipe.datasets.iter().zip(datasets) {
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
    for network in networks {
        let _ = write!(spec, "\n[[run]]\nname = {}\npath = {}\n", quoted(&network.name), path(&network.run));
    }
    for table in tables {
        let _ = write!(spec, "\n[[predictions]]\npath = {}\n", path(table));
    }
    for (kind, stage) in probes {
        let _ = write!(spec, "\n[[probe]]\nkind = {}\npath = {}\n", quoted(&kind.to_string()), path(stage));
    }
    let mut args = words(&["--spec"]);
    args.extend([Arg::Spec("report.toml".to_owned(), spec), text("--out"), Arg::Output]);
    let runs = networks.iter().map(|network| network.run);
    let probes = probes.iter().map(|(_, stage)| *stage);
    let after = datasets.iter().chain(tables).copied().chain(runs).chain(probes).collect();
    graph.add(Stage {
        id: "report".to_owned(),
        kind: Kind::Report,
        command: "report".to_owned(),
        args,
        after,
        output: PathBuf::from("report"),
    });
}

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}
