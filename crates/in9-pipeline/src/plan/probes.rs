//! Stages that probe networks.

use std::path::PathBuf;

use super::Layout;
use super::words::{flags, seed, text, words};
use crate::graph::{Arg, Kind, Stage};
use crate::recipe::{Network, Origin, Probe, ProbeKind};

/// Flags of a published network that its predictions and its probes share.
const NEEDS: [&str; 3] = ["mapping", "normalization", "size"];

impl Layout<'_> {
    /// Adds a stage for each probe and network; returns them.
    pub(super) fn probe(
        &mut self,
        networks: &[Network<'_>],
        runs: &[Option<usize>],
    ) -> Vec<(ProbeKind, usize)> {
        let recipe = self.recipe;
        let mut probes = Vec::new();
        for wanted in &recipe.probes {
            let probed = recipe.probed(wanted, networks).expect("a recipe is checked when it is read");
            for at in probed {
                probes.push((wanted.kind, self.probe_one(wanted, &networks[at], runs[at])));
            }
        }
        probes
    }

    fn probe_one(&mut self, probe: &Probe, network: &Network<'_>, run: Option<usize>) -> usize {
        let place = format!("{}/{}/{}", probe.kind, probe.dataset, network.name);
        let mut args = self.network(network, run);
        args.extend([text("--data"), Arg::Input(self.built[self.place(&probe.dataset)])]);
        args.extend(words(&["--device", self.device]));
        if let Origin::Published(model) = network.origin {
            // What it needs whoever asks it, unless the probe has its own.
            let needs = model.options.iter().filter(|(name, _)| NEEDS.contains(&name.as_str()));
            let needs = needs.filter(|(name, _)| !probe.options.contains_key(*name));
            args.extend(flags(&needs.map(|(name, value)| (name.clone(), value.clone())).collect()));
        }
        args.extend(seed(&probe.options, self.recipe));
        args.extend(flags(&probe.options));
        args.extend([text("--out"), Arg::Output]);
        self.graph.add(Stage {
            id: format!("probe/{place}"),
            kind: Kind::Probe,
            command: probe.kind.to_string(),
            args,
            after: Vec::new(),
            output: PathBuf::from("probes").join(place),
        })
    }
}
