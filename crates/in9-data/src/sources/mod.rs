//! Where photographs come from: each source lists its items, and every item knows where its bytes,
//! boxes and mask are. Nothing is decoded here.

pub(crate) mod coco;
mod csv_table;
pub(crate) mod folder;
mod ilsvrc;
mod lines;
mod locator;
pub(crate) mod look;
pub(crate) mod npy;
pub(crate) mod release;
pub(crate) mod solution;
pub(crate) mod tar_index;
pub(crate) mod tiny_imagenet;
mod voc;
pub(crate) mod waterbirds;

use std::collections::HashSet;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use in9_base::{PlainName, files};

use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::prepare::PhotoBox;
use crate::taxonomy::Taxonomy;

pub(crate) use coco::bounding_box;
pub(crate) use folder::COCO;
pub(crate) use locator::{Locator, Unread};
pub(crate) use voc::Annotation;

/// A kind of source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceKind {
    /// ILSVRC-2012: folders as published by Kaggle or as unpacked by hand, or the tar archives.
    Ilsvrc,
    /// Tiny-ImageNet as published.
    TinyImagenet,
    /// One sub-folder a class, with masks, a boxes CSV or COCO JSON beside them.
    Folder,
    /// Photographs with a metadata table, in the layout of Waterbirds and WILDS.
    Waterbirds,
    /// The toy world: ILSVRC's layout.
    Toy,
    /// The official test release.
    Release,
}

impl SourceKind {
    /// The name used on command lines and in manifests.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ilsvrc => "ilsvrc",
            Self::TinyImagenet => "tiny-imagenet",
            Self::Folder => "folder",
            Self::Waterbirds => "waterbirds",
            Self::Toy => "toy",
            Self::Release => "release",
        }
    }

    /// The kind that a manifest names; the release is among them, which no command line asks for by name.
    pub(crate) fn of_manifest(name: &str) -> Result<Self> {
        match name == Self::Release.name() {
            true => Ok(Self::Release),
            false => name.parse(),
        }
    }
}

impl FromStr for SourceKind {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        [Self::Ilsvrc, Self::TinyImagenet, Self::Folder, Self::Waterbirds, Self::Toy]
            .into_iter()
            .find(|kind| kind.name() == text)
            .ok_or_else(|| {
                let known = "ilsvrc, tiny-imagenet, folder, waterbirds, toy".into();
                Error::Unknown { what: "source", known, found: text.into() }
            })
    }
}

/// Where an item's boxes are.
#[derive(Debug, Clone)]
pub(crate) enum Boxes {
    /// Already read.
    Known(Vec<PhotoBox>),
    /// In a PASCAL-VOC file that is read when the photograph is.
    Voc(Locator),
    /// Drawn by COCO's rules when the photograph is read.
    Shapes(Arc<coco::Shapes>),
    /// The bounding box of the mask.
    OfMask,
    /// All layers are in the official release's files.
    Release(Box<release::Parts>),
}

/// Where an item's exact mask is.
#[derive(Debug, Clone)]
pub(crate) enum MaskFile {
    /// There is none.
    None,
    /// A PNG or a NumPy array of the photograph's size.
    File(Locator),
    /// Shapes drawn by COCO's rules.
    Shapes(Arc<coco::Shapes>),
}

/// One photograph.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) split: Arc<str>,
    pub(crate) id: String,
    pub(crate) fine: Arc<str>,
    pub(crate) class: u16,
    /// Path relative to the root, with `/`.
    pub(crate) source: String,
    pub(crate) photo: Locator,
    pub(crate) boxes: Boxes,
    pub(crate) mask: MaskFile,
}

/// What a source holds.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// Items of the taxonomy's classes, sorted by (split, source).
    pub(crate) items: Vec<Item>,
    /// Errors in tables that cost items, one line each.
    pub(crate) faults: Vec<String>,
}

/// Lists a source.
pub(crate) fn list(
    kind: SourceKind,
    root: &Path,
    taxonomy: &Taxonomy,
    with_masks: bool,
    limits: &Limits,
) -> Result<Listing> {
    if !root.is_dir() {
        std::fs::read_dir(root).map_err(|e| Error::read(root, e))?;
    }
    let mut listing = match kind {
        SourceKind::Ilsvrc | SourceKind::Toy => ilsvrc::list(root, taxonomy, with_masks, limits)?,
        SourceKind::TinyImagenet => tiny_imagenet::list(root, taxonomy, limits)?,
        SourceKind::Release => release::list(root, taxonomy)?,
        SourceKind::Waterbirds => waterbirds::list(root, taxonomy, limits)?,
        SourceKind::Folder => folder::list(root, taxonomy, with_masks, limits)?,
    };
    // A folder may be listed more than once.
    let mut told = HashSet::new();
    listing.faults.retain(|fault| told.insert(fault.clone()));
    if listing.items.is_empty() {
        let expected =
            format!("photographs of the classes of taxonomy {}, for source {}", taxonomy.name, kind.name());
        return Err(Error::NoPhotographs { path: root.into(), expected });
    }
    listing.items.sort_by(|a, b| (&a.split, &a.source).cmp(&(&b.split, &b.source)));
    for split in listing.items.chunk_by(|a, b| a.split == b.split).map(|items| &items[0].split) {
        PlainName::from_str(split).map_err(in9_base::Error::from)?;
    }
    Ok(listing)
}

/// Class names for a folder source without a taxonomy: its sub-folders.
pub(crate) fn folder_taxonomy(root: &Path) -> Result<Taxonomy> {
    folder::taxonomy(root)
}

/// Class names for source waterbirds without a taxonomy.
pub(crate) fn waterbirds_taxonomy() -> Result<Taxonomy> {
    waterbirds::taxonomy()
}

/// Names of the entries of a folder, sorted; hidden ones are left out, and those that are not UTF-8 are told.
pub(crate) fn entries(folder: &Path, faults: &mut Vec<String>) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|e| Error::read(folder, e))? {
        let entry = entry.map_err(|e| Error::read(folder, e))?;
        match entry.file_name().into_string() {
            Ok(name) if name.starts_with('.') => {}
            Ok(name) => names.push(name),
            Err(name) => faults.push(format!(
                "{}: its name cannot be stored (expected UTF-8, found {name:?}); rename it",
                folder.join(&name).display()
            )),
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// Reads a text file under the limit for tables.
pub(crate) fn read_text(path: &Path, limits: &Limits) -> Result<String> {
    Ok(files::read_text(path, limits.table_bytes)?)
}

/// Whether a file name looks like a photograph's.
pub(crate) fn is_photo(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    [".jpeg", ".jpg", ".png"].iter().any(|end| lower.ends_with(end))
}

/// A file name without its last extension.
pub(crate) fn stem(name: &str) -> &str {
    let file = name.rsplit('/').next().unwrap_or(name);
    file.rsplit_once('.').map_or(file, |(stem, _)| stem)
}
