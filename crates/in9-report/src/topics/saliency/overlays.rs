//! The maps themselves, as pictures.

use crate::context::{Context, names};
use crate::error::Result;
use crate::page::{Block, rows, see};
use in9_analysis::probes::saliency::Method;

/// Overlays that the probes kept: one row a photograph, each network's maps side by side.
pub(crate) fn pictures(context: &Context) -> Result<Option<Block>> {
    let main = context.main_dataset();
    let probes: Vec<_> = context.probes.saliency.iter().filter(|(_, s)| s.source.dataset == main).collect();
    let Some((first, source)) = probes.first() else { return Ok(None) };
    let used = |m: &Method| probes.iter().any(|(_, s)| s.methods.iter().any(|k| k.method == *m));
    let methods: Vec<Method> = Method::ALL.into_iter().filter(used).collect();
    let called = names(probes.iter().map(|(_, s)| (s.source.model.as_str(), s.source.trained_on.as_str())));
    let mut all = Vec::new();
    for stem in rows::stems(&first.join("overlays"), "photo")? {
        let kept = |folder: &std::path::Path, what: &str, caption| {
            rows::kept(&folder.join("overlays").join(format!("{stem}-{what}.png")), caption)
        };
        let mut own = kept(first, "photo", "photograph".into())?;
        // Overlays are named by the photograph's number in the split.
        own.see = stem.parse().ok().map(|number| see::numbered(main, &source.source.split, number));
        let mut row = vec![own];
        for method in &methods {
            for ((folder, _), name) in probes.iter().zip(&called) {
                row.push(kept(folder, method.name(), format!("{}, {name}", method.name()))?);
            }
        }
        all.push(row);
    }
    rows::block(all, "Warm colours: where the score of the true class comes from (the paper’s Figure 6).")
}
