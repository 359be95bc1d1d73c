//! What training on mixed-rand changes about where a network looks.

use super::tap;
use crate::context::Context;
use crate::error::Result;
use in9_analysis::probes::saliency::summary::MethodSummary;
use in9_analysis::probes::saliency::write::read_masses;
use in9_analysis::probes::written::Saliency;
use in9_analysis::stats::Interval;
use std::path::PathBuf;

/// Mixed-rand-trained minus original-trained on the main data set, for each method and tap of both.
pub(crate) fn differences(context: &Context) -> Result<Vec<(String, Interval)>> {
    let main = context.main_dataset();
    let of = |trained: &'static str| {
        let here = context
            .probes
            .saliency
            .iter()
            .filter(move |(_, s)| s.source.dataset == main && s.source.trained_on == trained);
        here.flat_map(|(folder, s)| s.methods.iter().map(move |m| (folder, s, m)))
    };
    let mut found: Vec<(String, Interval)> = Vec::new();
    for (folder, s, m) in of("original") {
        let label = match tap(s, m) {
            Some(tap) => format!("{} at {tap}", m.method.name()),
            None => m.method.name().to_owned(),
        };
        let alike = |(_, t, n): &(&PathBuf, &Saliency, &MethodSummary)| {
            (n.method, tap(t, n), t.view, &t.source.split) == (m.method, tap(s, m), s.view, &s.source.split)
        };
        let Some((other, _, n)) = of("mixed-rand").find(alike) else { continue };
        if found.iter().any(|(known, _)| *known == label) {
            continue;
        }
        let mixed = read_masses(&other.join("maps.csv"), n.method, &n.tap)?;
        let original = read_masses(&folder.join("maps.csv"), m.method, &m.tap)?;
        let apart = context.bootstrap.paired("saliency", &mixed, &original);
        found.extend(apart.map(|interval| (label, interval)));
    }
    Ok(found)
}
