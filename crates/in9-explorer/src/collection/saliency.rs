//! Saliency maps: how much of each lies on the object, and their pictures.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use in9_base::files;

use super::Photographs;
use super::probe::rows;
use crate::error::{Error, Result};

/// A picture larger than this is none of a probe's.
const LARGEST_PICTURE: u64 = 64 << 20;

/// One map of one photograph.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub(crate) struct SaliencyRow {
    pub(crate) method: String,
    /// The layer that was looked at; empty for a method without one.
    pub(crate) tap: String,
    /// Share of the map on the object, in `0..=1`.
    pub(crate) mass: Option<f32>,
    /// Share of the picture that the object covers.
    pub(crate) area: Option<f32>,
    /// Overlap of the map's brightest part with the object (intersection over union).
    pub(crate) iou: Option<f32>,
}

/// The output of a saliency probe.
#[derive(Debug)]
pub(crate) struct Saliency {
    folder: PathBuf,
    rows: BTreeMap<u32, Vec<SaliencyRow>>,
    /// Files of the maps' pictures, by photograph: method and file name.
    pictures: BTreeMap<u32, Vec<(String, String)>>,
}

impl Saliency {
    /// Reads `maps.csv` and lists `overlays/`.
    pub(super) fn read(folder: &Path, photographs: &Photographs) -> Result<(Self, u64)> {
        let mut maps: BTreeMap<u32, Vec<SaliencyRow>> = BTreeMap::new();
        let columns = ["image", "method", "tap", "mass", "area", "iou"];
        let unknown = rows(&folder.join("maps.csv"), columns, photographs, |at, texts| {
            let number = |text: &str| text.parse::<f32>().ok().filter(|v| v.is_finite());
            maps.entry(at).or_default().push(SaliencyRow {
                method: texts[1].to_owned(),
                tap: texts[2].to_owned(),
                mass: number(texts[3]),
                area: number(texts[4]),
                iou: number(texts[5]),
            });
        })?;
        let mut pictures: BTreeMap<u32, Vec<(String, String)>> = BTreeMap::new();
        // A run without overlays has no such folder.
        let listed = std::fs::read_dir(folder.join("overlays")).into_iter().flatten();
        for name in listed.filter_map(|entry| entry.ok()?.file_name().into_string().ok()) {
            let Some((number, method)) = name.strip_suffix(".png").and_then(|stem| stem.split_once('-'))
            else {
                continue;
            };
            match number.parse::<u32>() {
                Ok(at) if (at as usize) < photographs.len() && method != "photo" => {
                    pictures.entry(at).or_default().push((method.to_owned(), name.clone()));
                }
                _ => {}
            }
        }
        pictures.values_mut().for_each(|list| list.sort());
        Ok((Self { folder: folder.to_owned(), rows: maps, pictures }, unknown))
    }

    /// The maps of a photograph.
    pub(crate) fn rows(&self, photograph: u32) -> &[SaliencyRow] {
        self.rows.get(&photograph).map_or(&[], Vec::as_slice)
    }

    /// Methods whose pictures there are of a photograph, in the order of [`Saliency::picture`].
    pub(crate) fn methods(&self, photograph: u32) -> impl Iterator<Item = &str> {
        self.pictures.get(&photograph).into_iter().flatten().map(|(method, _)| method.as_str())
    }

    /// The bytes of a map's picture, a PNG.
    pub(crate) fn picture(&self, photograph: u32, at: usize) -> Result<Vec<u8>> {
        let missing = || Error::NoPicture { what: format!("saliency map {at} of photograph {photograph}") };
        let (_, name) = self.pictures.get(&photograph).and_then(|list| list.get(at)).ok_or_else(missing)?;
        let bytes = files::read(&self.folder.join("overlays").join(name), LARGEST_PICTURE)?;
        // Somebody else's file must not be shown as what it is not.
        if bytes.starts_with(b"\x89PNG\r\n\x1a\n") { Ok(bytes) } else { Err(missing()) }
    }
}
