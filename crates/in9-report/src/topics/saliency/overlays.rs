//! The maps themselves, as pictures.

use crate::context::{Context, names};
use crate::error::Result;
use crate::page::Block;
use crate::page::gallery::Item;
use crate::page::pictures::png_address;
use crate::page::see;
use askama::Template;
use in9_analysis::probes::saliency::Method;
use in9_base::files;
use std::path::Path;

/// An overlay is no larger than this many bytes.
const LARGEST: u64 = 16 << 20;

#[derive(Template)]
#[template(path = "topics/saliency/overlays.html")]
struct Page {
    rows: Vec<Vec<Item>>,
}

/// Overlays that the probes kept: one row a photograph, each network's maps side by side.
pub(crate) fn pictures(context: &Context) -> Result<Option<Block>> {
    let main = context.main_dataset();
    let probes: Vec<_> = context.probes.saliency.iter().filter(|(_, s)| s.source.dataset == main).collect();
    let Some((first, source)) = probes.first() else { return Ok(None) };
    let used = |m: &Method| probes.iter().any(|(_, s)| s.methods.iter().any(|k| k.method == *m));
    let methods: Vec<Method> = Method::ALL.into_iter().filter(used).collect();
    let called = names(probes.iter().map(|(_, s)| (s.source.model.as_str(), s.source.trained_on.as_str())));
    let mut rows = Vec::new();
    for photo in overlays(first, "photo")? {
        let Some(stem) = photo.strip_suffix("-photo.png") else { continue };
        let mut own = cell(first, &photo, "photograph".into())?;
        // Overlays are named by the photograph's number in the split.
        own.see = stem.parse().ok().map(|number| see::numbered(main, &source.source.split, number));
        let mut row = vec![own];
        for method in &methods {
            for ((folder, _), name) in probes.iter().zip(&called) {
                let caption = format!("{}, {name}", method.name());
                row.push(cell(folder, &format!("{stem}-{}.png", method.name()), caption)?);
            }
        }
        rows.push(row);
    }
    if rows.is_empty() {
        return Ok(None);
    }
    Ok(Some(Block::Html(Page { rows }.render()?)))
}

/// A kept picture; without an address if there is none.
fn cell(folder: &Path, name: &str, caption: String) -> Result<Item> {
    let path = folder.join("overlays").join(name);
    let picture = if path.is_file() { png_address(&files::read(&path, LARGEST)?) } else { String::new() };
    Ok(Item { picture, caption, see: None })
}

fn overlays(folder: &Path, what: &str) -> Result<Vec<String>> {
    let dir = folder.join("overlays");
    if !dir.is_dir() {
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&dir).map_err(in9_base::Error::read(&dir))? {
        let name = entry.map_err(in9_base::Error::read(&dir))?.file_name().to_string_lossy().into_owned();
        if name.ends_with(&format!("-{what}.png")) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}
