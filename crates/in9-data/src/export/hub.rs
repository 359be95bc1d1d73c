//! Views in the layout of dataset hubs: an image folder as Hugging Face's `datasets` loads it, described by Croissant.
//!
//! ```text
//! OUT/README.md                            the card: what this is, and a configuration for each view
//! OUT/croissant.json                       the same for machines (Croissant 1.0)
//! OUT/VIEW/SPLIT/CLASS/ID.png
//! OUT/VIEW/SPLIT/metadata.csv              a row a picture: class, fine label, box, background
//! ```

use std::fmt::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use in9_base::files::{self, Owner};
use rayon::prelude::*;
use serde_json::{Value, json};

use super::PictureCode;
use crate::dataset::{Dataset, Split};
use crate::error::{Error, Result};
use crate::pairing::Pairing;
use crate::show::view_of;
use crate::view::View;

/// Which files belong to such an export.
const HUB: Owner = Owner {
    made_by: "in9-data export (hub)",
    names: &["README.md", "croissant.json", "*/*/metadata.csv", "*/*/*/*.png", "*/*/*/*.JPEG"],
};

/// Columns of `metadata.csv`. `label` is the class's number, `x0` to `y1` the object's box, inclusive, in pixels.
const COLUMNS: [&str; 11] =
    ["file_name", "id", "label", "class", "fine", "background", "x0", "y0", "x1", "y1", "mask_area"];

/// Writes views of splits in the layout of dataset hubs; returns the number of pictures.
///
/// # Errors
/// If a split cannot give a view, a pairing or a layer cannot be read, a file cannot be written, or the folder holds what
/// no export has written.
pub fn export_hub(
    dataset: &Dataset,
    splits: &[Split],
    views: &[View],
    code: PictureCode,
    out: &Path,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<u64> {
    splits.iter().try_for_each(|split| views.iter().try_for_each(|&view| split.check_view(view)))?;
    HUB.claim(out)?;
    let total = splits.iter().map(|split| split.len() as u64).sum::<u64>() * views.len() as u64;
    let done = AtomicU64::new(0);
    let mut tables = Vec::new();
    for &view in views {
        for split in splits {
            let pairing =
                view.needs_background().then(|| Pairing::frozen(dataset, split, view)).transpose()?;
            let place = out.join(view.name()).join(split.name());
            for class in &dataset.taxonomy().classes {
                files::create_folder(&place.join(&class.folder))?;
            }
            let name = |at: usize| {
                let sample = split.sample(at);
                let folder = &dataset.taxonomy().classes[usize::from(sample.class)].folder;
                format!("{folder}/{}.{}", sample.id, code.extension())
            };
            (0..split.len()).into_par_iter().try_for_each(|at| {
                let path = place.join(name(at));
                let picture = view_of(split, at, view, pairing.as_ref())?;
                let bytes = code.encode(&picture, split.size()).map_err(|e| Error::write(&path, e))?;
                files::write_within(&path, bytes)?;
                progress(done.fetch_add(1, Ordering::Relaxed) + 1, total);
                Ok::<_, Error>(())
            })?;
            let path = place.join("metadata.csv");
            let bytes =
                metadata(dataset, split, pairing.as_ref(), name).map_err(|e| Error::write(&path, e))?;
            files::write_within(&path, &bytes)?;
            tables.push((view, split, sha256(&bytes)));
        }
    }
    files::write_within(&out.join("README.md"), card(dataset, splits, views))?;
    let croissant = serde_json::to_string_pretty(&croissant(dataset, &tables, code)).unwrap_or_default();
    files::write_within(&out.join("croissant.json"), croissant + "\n")?;
    files::sync_tree(out)?;
    Ok(total)
}

fn metadata(
    dataset: &Dataset,
    split: &Split,
    pairing: Option<&Pairing>,
    name: impl Fn(usize) -> String,
) -> std::io::Result<Vec<u8>> {
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(COLUMNS)?;
    for (at, sample) in split.samples().enumerate() {
        let background = pairing.map_or("", |pairs| &split.sample(pairs.0[at] as usize).id);
        let class = &dataset.taxonomy().classes[usize::from(sample.class)].name;
        table.write_field(name(at))?;
        table.write_field(&sample.id)?;
        table.write_field(sample.class.to_string())?;
        for text in [class, &sample.fine, background] {
            table.write_field(text)?;
        }
        for number in sample.crop_box.map(u32::from).into_iter().chain([sample.mask_area]) {
            table.write_field(number.to_string())?;
        }
        table.write_record(None::<&[u8]>)?;
    }
    table.into_inner().map_err(|error| error.into_error())
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// What the pictures are, in a sentence.
fn about(dataset: &Dataset, pictures: usize) -> String {
    let settings = &dataset.manifest().settings;
    format!(
        "{pictures} pictures of {size}x{size} pixels in {classes} classes ({taxonomy}): photographs taken apart into \
         foreground and background and composed as in \"Noise or Signal: The Role of Image Backgrounds in Object \
         Recognition\" (ICLR 2021). Source {source}, masks {masks:?}, profile {profile}, dataset digest {digest}.",
        size = settings.size,
        classes = dataset.taxonomy().len(),
        taxonomy = dataset.taxonomy().name,
        source = settings.source,
        masks = settings.masks,
        profile = settings.profile,
        digest = dataset.digest(),
    )
}

/// `README.md`, with the header that says where the pictures of each view are.
fn card(dataset: &Dataset, splits: &[Split], views: &[View]) -> String {
    let mut text = String::from("---\ntask_categories:\n- image-classification\nconfigs:\n");
    for view in views {
        let _ = writeln!(text, "- config_name: {view}\n  data_files:");
        for split in splits {
            let name = split.name();
            let _ = writeln!(text, "  - split: {name}\n    path: {view}/{name}/**");
        }
    }
    let pictures = splits.iter().map(Split::len).sum::<usize>() * views.len();
    let _ = write!(
        text,
        "---\n\n# {name}\n\n{about}\n\n\
         ```python\nimport datasets\n\n\
         pictures = datasets.load_dataset(\"imagefolder\", data_dir=\"{first}\")\n```\n\n\
         On a hub, or from this folder by its path, each view is a configuration. The columns of `metadata.csv`: the \
         picture's file, the photograph's id, the class by number (`label`) and by name, the fine label, the photograph \
         that gave the background if it is another one, the object's box in pixels (inclusive), and the pixels of its \
         mask.\n\nThe photographs are under the terms of their source; this export changes nothing in that.\n",
        name = dataset.name(),
        about = about(dataset, pictures),
        first = views.first().map_or("", |view| view.name()),
    );
    text
}

/// `croissant.json`.
fn croissant(dataset: &Dataset, tables: &[(View, &Split, String)], code: PictureCode) -> Value {
    let (mut distribution, mut records) = (Vec::new(), Vec::new());
    for (view, split, sha256) in tables {
        let name = format!("{view}-{}", split.name());
        let place = format!("{view}/{}", split.name());
        let (pictures, table) = (format!("{name}-pictures"), format!("{name}-metadata"));
        distribution.push(json!({
            "@type": "cr:FileSet", "@id": pictures, "name": pictures,
            "description": format!("Pictures of view {view}, split {}", split.name()),
            "encodingFormat": if code == PictureCode::Png { "image/png" } else { "image/jpeg" },
            "includes": format!("{place}/*/*.{}", code.extension()),
        }));
        distribution.push(json!({
            "@type": "cr:FileObject", "@id": table, "name": table,
            "description": "What is known of each picture",
            "contentUrl": format!("{place}/metadata.csv"),
            "encodingFormat": "text/csv", "sha256": sha256,
        }));
        let fields = COLUMNS.map(|column| {
            let kind = match column {
                "file_name" | "id" | "class" | "fine" | "background" => "sc:Text",
                _ => "sc:Integer",
            };
            json!({
                "@type": "cr:Field", "@id": format!("{name}/{column}"), "name": column, "dataType": kind,
                "source": { "fileObject": { "@id": table }, "extract": { "column": column } },
            })
        });
        records.push(json!({
            "@type": "cr:RecordSet", "@id": name, "name": name,
            "description": format!("{} pictures of view {view}, split {}", split.len(), split.name()),
            "field": fields,
        }));
    }
    let pictures = tables.iter().map(|(_, split, _)| split.len()).sum();
    json!({
        "@context": {
            "@language": "en", "@vocab": "https://schema.org/", "sc": "https://schema.org/",
            "cr": "http://mlcommons.org/croissant/", "dct": "http://purl.org/dc/terms/",
            "rai": "http://mlcommons.org/croissant/RAI/",
            "citeAs": "cr:citeAs", "column": "cr:column", "conformsTo": "dct:conformsTo",
            "data": { "@id": "cr:data", "@type": "@json" },
            "dataType": { "@id": "cr:dataType", "@type": "@vocab" },
            "equivalentProperty": "cr:equivalentProperty",
            "examples": { "@id": "cr:examples", "@type": "@json" },
            "extract": "cr:extract", "field": "cr:field", "fileObject": "cr:fileObject", "fileProperty": "cr:fileProperty",
            "fileSet": "cr:fileSet", "format": "cr:format", "includes": "cr:includes", "isLiveDataset": "cr:isLiveDataset",
            "jsonPath": "cr:jsonPath", "key": "cr:key", "md5": "cr:md5", "parentField": "cr:parentField",
            "path": "cr:path", "recordSet": "cr:recordSet", "references": "cr:references", "regex": "cr:regex",
            "repeated": "cr:repeated", "replace": "cr:replace", "samplingRate": "cr:samplingRate",
            "separator": "cr:separator", "source": "cr:source", "subField": "cr:subField", "transform": "cr:transform",
        },
        "@type": "sc:Dataset",
        "name": dataset.name(),
        "description": about(dataset, pictures),
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "citeAs": "Kai Xiao, Logan Engstrom, Andrew Ilyas, Aleksander Madry: Noise or Signal: The Role of Image \
                   Backgrounds in Object Recognition. ICLR 2021.",
        "version": dataset.manifest().program.rsplit(' ').next().unwrap_or_default(),
        "distribution": distribution,
        "recordSet": records,
    })
}
