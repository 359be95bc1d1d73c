//! The same page as a folder or as one file, which opens from disk without a server or a network.
//!
//! A file that holds every picture of every view would be too large to mail. Instead it holds each photograph's layers
//! (photograph, tiled background, mask, blurred view), and the page puts the views together, so that any foreground
//! can be put on any background here too. Layers are stored as JPEG where that is smaller than PNG.

mod layers;

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use in9_base::files::{self, OutputFolder, Owner};
use serde_json::{Map, Value, json};

use crate::collection::{Collection, TestSet};
use crate::columns::Columns;
use crate::error::Result;
use crate::{documents, interface, report};
use layers::{Layers, Store};

/// Pairs of models whose comparison is written into an export.
const COMPARISONS: usize = 66;

/// What an exported folder holds.
const OWNER: Owner =
    Owner { made_by: "in9-explorer export", names: &["index.html", "report.html", "pictures/*"] };

/// How much is exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Most photographs, spread evenly over the classes of each test set with models.
    pub photographs: usize,
    /// Most bytes of pictures as they are written; photographs beyond it are left out.
    pub bytes: usize,
}

impl Default for Options {
    /// 500 photographs and 40 MB of pictures.
    fn default() -> Self {
        Self { photographs: 500, bytes: 40_000_000 }
    }
}

/// What an export holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exported {
    /// Photographs with all their views.
    pub photographs: usize,
    /// Photographs that there are.
    pub of: usize,
    /// Bytes of pictures.
    pub bytes: usize,
}

/// Writes one HTML file.
///
/// # Errors
/// If a picture cannot be read or the file cannot be written.
pub fn to_file(collection: &Collection, path: &Path, options: &Options) -> Result<Exported> {
    let mut store = Store::inside();
    let (data, exported) = data(collection, &chosen(collection, options.photographs), options, &mut store)?;
    files::write_bytes(path, interface::standalone(&data.to_string(), "data:"))?;
    Ok(exported)
}

/// Writes a folder with `index.html`, the pictures beside it and, if there is a report, its page with links to here.
///
/// # Errors
/// As [`to_file`]; also if something stands at `path` that was not exported by this function.
pub fn to_folder(collection: &Collection, path: &Path, options: &Options) -> Result<Exported> {
    let output = OutputFolder::begin(path, &OWNER, &[])?;
    let mut store = Store::beside();
    let (mut data, exported) =
        data(collection, &chosen(collection, options.photographs), options, &mut store)?;
    if let Some(path) = &collection.report {
        output.write("report.html", report::linked(path, "index.html")?)?;
        data["contents"]["report"] = json!("report.html");
    }
    for (name, bytes) in store.files() {
        output.write(name, bytes)?;
    }
    output.write("index.html", interface::standalone(&data.to_string(), "'self' file: data:"))?;
    output.finish()?;
    Ok(exported)
}

/// One HTML file of some photographs of one test set.
pub(crate) fn selection(
    collection: &Collection,
    set: usize,
    numbers: &[u32],
    options: &Options,
) -> Result<Vec<u8>> {
    let mut chosen: Vec<Vec<u32>> = collection.sets.iter().map(|_| Vec::new()).collect();
    chosen[set] = numbers.to_vec();
    let (data, _) = data(collection, &chosen, options, &mut Store::inside())?;
    Ok(interface::standalone(&data.to_string(), "data:").into_bytes())
}

/// The photographs to export of each test set: class by class in turn, so that every class is there.
fn chosen(collection: &Collection, most: usize) -> Vec<Vec<u32>> {
    let with_models = collection.sets.iter().filter(|set| !set.models.is_empty()).count();
    collection
        .sets
        .iter()
        .map(|set| match (with_models, set.models.is_empty()) {
            (0, _) => in_turn(set, most / collection.sets.len().max(1)),
            (_, true) => Vec::new(),
            (sets, false) => in_turn(set, most / sets),
        })
        .collect()
}

fn in_turn(set: &TestSet, most: usize) -> Vec<u32> {
    let mut of_class: Vec<Vec<u32>> = vec![Vec::new(); set.classes.len()];
    for (i, &class) in (0u32..).zip(set.photographs.classes()) {
        if let Some(list) = of_class.get_mut(usize::from(class)) {
            list.push(i);
        }
    }
    let longest = of_class.iter().map(Vec::len).max().unwrap_or(0);
    let turns = (0..longest).flat_map(|turn| of_class.iter().filter_map(move |list| list.get(turn)));
    turns.copied().take(most).collect()
}

/// The data of a page that needs no server.
fn data(
    collection: &Collection,
    chosen: &[Vec<u32>],
    options: &Options,
    store: &mut Store,
) -> Result<(Value, Exported)> {
    let mut directories = Vec::new();
    let mut sets = Vec::new();
    let mut exported = Exported { photographs: 0, of: 0, bytes: 0 };
    for (at, (set, chosen)) in collection.sets.iter().zip(chosen).enumerate() {
        let (kept, pictures) = Layers { set, at, budget: options.bytes }.of(chosen, store)?;
        let columns = Columns::of(set, &kept);
        let mut photographs = Map::new();
        for &i in &kept {
            let mut page = documents::photograph(set, i as usize)?;
            // Only those whose pictures come with the photograph; that there are more is counted.
            if let Some(listed) = page["fooled"]["backgrounds"].as_array_mut() {
                listed.truncate(layers::FOOLING);
            }
            photographs.insert(i.to_string(), page);
        }
        sets.push(json!({
            "columns": STANDARD.encode(&columns.bytes),
            "photographs": photographs,
            "pictures": pictures,
            "comparisons": if kept.is_empty() { Value::Null } else { comparisons(collection, at) },
        }));
        exported.photographs += kept.len();
        exported.of += set.photographs.len();
        directories.push(columns);
    }
    exported.bytes = store.bytes();
    let mut contents = documents::contents(collection, &directories, &[]);
    // A file on disk has no report beside it that it could be sure of.
    contents["report"] = Value::Null;
    Ok((json!({ "contents": contents, "sets": sets }), exported))
}

/// Comparisons of the first models with each other, by `first/second`.
fn comparisons(collection: &Collection, set: usize) -> Value {
    let models = collection.sets[set].models.len();
    let pairs = (0..models).flat_map(|a| (0..models).map(move |b| (a, b))).filter(|(a, b)| a < b);
    let compared = pairs.take(COMPARISONS).filter_map(|(a, b)| {
        // Two models without a common photograph cannot be compared; the page says so.
        Some((format!("{a}/{b}"), documents::comparison(collection, set, a, b).ok()?))
    });
    Value::Object(compared.collect())
}
