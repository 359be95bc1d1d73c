//! Views written out: the release's folders, NumPy arrays, WebDataset archives.

mod hub;

use std::path::{Path, PathBuf};

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};
use in9_base::files::{self, Owner};
use in9_base::rng;
use rayon::prelude::*;

use crate::dataset::{Dataset, Split};
use crate::error::{Error, Result};
use crate::pairing::Pairing;
use crate::show::view_of;
use crate::view::View;

pub use hub::export_hub;

/// Which files belong to an export of folders.
const FOLDERS: Owner = Owner {
    made_by: "in9-data export (folders)",
    names: &["*/*/*/*.png", "*/*/*/*.JPEG", "fg_mask/*/*/*.npy", "pairs.csv"],
};

/// Which files belong to an export of arrays.
const ARRAYS: Owner = Owner {
    made_by: "in9-data export (arrays)",
    names: &["images.npy", "labels.npy", "ids.txt", "classes.txt"],
};

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// `OUT/<view>/val/<class folder>/<id>.<ext>` as in the official release (mixed views:
    /// `fg_<id>_bg_<id>`), and `OUT/fg_mask/val/<class folder>/<id>.npy`. Split `test` stands under `val`, as it does
    /// there, every other split under its own name.
    Folder,
    /// `OUT/images.npy` (u8 `[n, size, size, 3]`), `OUT/labels.npy` (i64 `[n]`), `OUT/ids.txt`, and the classes' names
    /// in the order of their numbers in `OUT/classes.txt`, a line each.
    Npy,
    /// `OUT`, a tar of `<id>.png|jpg`, `<id>.cls` and `<id>.json`.
    WebDataset,
}

/// How pictures are encoded in folders and archives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureCode {
    /// Lossless.
    Png,
    /// JPEG of quality 75, as the authors' library writes by default.
    Jpeg,
}

impl PictureCode {
    fn extension(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "JPEG",
        }
    }

    fn encode(self, rgb: &[u8], size: usize) -> std::io::Result<Vec<u8>> {
        let (mut bytes, side) = (Vec::new(), size as u32);
        match self {
            Self::Png => PngEncoder::new(&mut bytes).write_image(rgb, side, side, ExtendedColorType::Rgb8),
            Self::Jpeg => JpegEncoder::new_with_quality(&mut bytes, 75).write_image(
                rgb,
                side,
                side,
                ExtendedColorType::Rgb8,
            ),
        }
        .map_err(std::io::Error::other)?;
        Ok(bytes)
    }
}

/// Writes one view of a split; returns the number of pictures.
///
/// # Errors
/// If the split cannot give the view, its pairing or a layer cannot be read, a file cannot be written, or
/// the folder holds what no export has written.
pub fn export(
    dataset: &Dataset,
    split: &Split,
    view: View,
    format: ExportFormat,
    code: PictureCode,
    out: &Path,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<u64> {
    split.check_view(view)?;
    let pairing = match view.needs_background() {
        true => Some(Pairing::frozen(dataset, split, view)?),
        false => None,
    };
    let job = Job { dataset, split, view, pairing: pairing.as_ref(), code, out, progress };
    match format {
        ExportFormat::Folder => job.folder()?,
        ExportFormat::Npy => job.npy()?,
        ExportFormat::WebDataset => job.web_dataset()?,
    }
    Ok(split.len() as u64)
}

/// Which foregrounds are put on which backgrounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pairs {
    /// Each foreground on so many backgrounds of the split, drawn by the seed.
    Drawn {
        /// Backgrounds of each foreground.
        each: u32,
        /// Seed of the draw.
        seed: u64,
    },
    /// (foreground, background) by their ids.
    Listed(Vec<(String, String)>),
}

/// Writes foregrounds on the tiled backgrounds of other photographs, for those who probe a classifier by hand:
/// `OUT/mixed_rand/val/<class folder>/fg_<id>_bg_<id>.<ext>` and `OUT/pairs.csv` (foreground, background, image). Answers
/// to them are scored like those to any other picture. Returns the number of pictures.
///
/// # Errors
/// As [`export`]; [`Error::UnknownId`] for an id that the split does not have.
pub fn export_pairs(
    dataset: &Dataset,
    split: &Split,
    pairs: &Pairs,
    code: PictureCode,
    out: &Path,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<u64> {
    split.check_view(View::MixedRand)?;
    let pairs = indices(split, pairs)?;
    FOLDERS.claim(out)?;
    let job = Job { dataset, split, view: View::MixedRand, pairing: None, code, out, progress };
    let done = std::sync::atomic::AtomicU64::new(0);
    for &(foreground, _) in &pairs {
        files::create_folder(&job.place(View::MixedRand.release_folder(), foreground))?;
    }
    let names = pairs.par_iter().map(|&(foreground, background)| {
        let (fore, back) = (&split.sample(foreground).id, &split.sample(background).id);
        let folder = job.place(View::MixedRand.release_folder(), foreground);
        let path = folder.join(format!("fg_{fore}_bg_{back}.{}", code.extension()));
        let mut rgb = vec![0; 3 * split.size() * split.size()];
        let layers = split.layers_for(View::MixedRand, foreground)?;
        let crop_box = split.sample(foreground).crop_box;
        let tiled = split.tiled(background)?;
        crate::compose::compose(View::MixedRand, &layers, crop_box, Some(tiled), split.size(), &mut rgb);
        files::write_within(&path, code.encode(&rgb, split.size()).map_err(|e| Error::write(&path, e))?)?;
        progress(done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1, pairs.len() as u64);
        let image = path.strip_prefix(out).unwrap_or(&path).to_string_lossy().replace('\\', "/");
        Ok([fore.clone(), back.clone(), image])
    });
    let names: Vec<[String; 3]> = names.collect::<Result<_>>()?;
    write(&out.join("pairs.csv"), |file| {
        let mut table = csv::Writer::from_writer(file);
        table.write_record(["foreground", "background", "image"])?;
        for row in &names {
            table.write_record(row)?;
        }
        table.flush()
    })?;
    files::sync_tree(out)?;
    Ok(pairs.len() as u64)
}

/// The pairs by their numbers in the split.
fn indices(split: &Split, pairs: &Pairs) -> Result<Vec<(usize, usize)>> {
    let find = |id: &String| {
        let unknown = || Error::UnknownId { split: split.name().to_owned(), id: id.clone() };
        split.find(id).ok_or_else(unknown)
    };
    match pairs {
        Pairs::Listed(ids) => ids.iter().map(|(fore, back)| Ok((find(fore)?, find(back)?))).collect(),
        Pairs::Drawn { each, seed } => {
            let n = split.len();
            let of = |foreground: usize| {
                let key = rng::text_key(&split.sample(foreground).id);
                let mut all: Vec<u32> = (0..n as u32).collect();
                rng::shuffle(&mut rng::stream(*seed, "export-pairs", key, 0), &mut all);
                all.truncate(*each as usize);
                all.sort_unstable();
                all.into_iter().map(move |background| (foreground, background as usize))
            };
            Ok((0..n).flat_map(of).collect())
        }
    }
}

struct Job<'a> {
    dataset: &'a Dataset,
    split: &'a Split,
    view: View,
    pairing: Option<&'a Pairing>,
    code: PictureCode,
    out: &'a Path,
    progress: &'a (dyn Fn(u64, u64) + Sync),
}

impl Job<'_> {
    fn name(&self, index: usize) -> String {
        let id = &self.split.sample(index).id;
        match self.pairing {
            Some(pairing) => format!("fg_{id}_bg_{}", self.split.sample(pairing.0[index] as usize).id),
            None => id.clone(),
        }
    }

    fn picture(&self, index: usize) -> Result<Vec<u8>> {
        view_of(self.split, index, self.view, self.pairing)
    }

    fn class_folder(&self, index: usize) -> &str {
        &self.dataset.taxonomy().classes[usize::from(self.split.sample(index).class)].folder
    }

    /// The folder of a sample's picture. The release has its test photographs under `val`.
    fn place(&self, kind: &str, index: usize) -> PathBuf {
        let split = if self.split.name() == "test" { "val" } else { self.split.name() };
        self.out.join(kind).join(split).join(self.class_folder(index))
    }

    fn folder(&self) -> Result<()> {
        FOLDERS.claim(self.out)?;
        let place = |kind: &str, index: usize| self.place(kind, index);
        for index in 0..self.split.len() {
            files::create_folder(&place(self.view.release_folder(), index))?;
            if self.split.has_layers() {
                files::create_folder(&place("fg_mask", index))?;
            }
        }
        let done = std::sync::atomic::AtomicU64::new(0);
        (0..self.split.len()).into_par_iter().try_for_each(|index| {
            let size = self.split.size();
            let file = format!("{}.{}", self.name(index), self.code.extension());
            let path = place(self.view.release_folder(), index).join(file);
            let bytes = self.code.encode(&self.picture(index)?, size).map_err(|e| Error::write(&path, e))?;
            files::write_within(&path, bytes)?;
            if self.split.has_layers() {
                let path = place("fg_mask", index).join(format!("{}.npy", self.split.sample(index).id));
                let mut mask = vec![0; size * size];
                self.split.layers(index)?.mask.expand_into(&mut mask);
                let mut bytes = npy_header("|b1", &[size, size]);
                bytes.extend_from_slice(&mask);
                files::write_within(&path, bytes)?;
            }
            let done = done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
            (self.progress)(done, self.split.len() as u64);
            Ok::<_, Error>(())
        })?;
        Ok(files::sync_tree(self.out)?)
    }

    fn npy(&self) -> Result<()> {
        ARRAYS.claim(self.out)?;
        let (n, size) = (self.split.len(), self.split.size());
        write(&self.out.join("images.npy"), |file| {
            file.write_all(&npy_header("|u1", &[n, size, size, 3]))?;
            for index in 0..n {
                file.write_all(&self.picture(index).map_err(std::io::Error::other)?)?;
                (self.progress)(index as u64 + 1, n as u64);
            }
            Ok(())
        })?;
        write(&self.out.join("labels.npy"), |file| {
            file.write_all(&npy_header("<i8", &[n]))?;
            self.split.samples().try_for_each(|sample| file.write_all(&i64::from(sample.class).to_le_bytes()))
        })?;
        write(&self.out.join("classes.txt"), |file| {
            self.dataset.taxonomy().classes.iter().try_for_each(|class| writeln!(file, "{}", class.name))
        })?;
        write(&self.out.join("ids.txt"), |file| {
            (0..n).try_for_each(|index| writeln!(file, "{}", self.name(index)))
        })
    }

    fn web_dataset(&self) -> Result<()> {
        let n = self.split.len();
        write(self.out, |file| {
            let mut archive = tar::Builder::new(file);
            let mut add = |name: String, bytes: &[u8]| {
                let mut header = tar::Header::new_ustar();
                header.set_size(bytes.len() as u64);
                header.set_mode(0o644);
                archive.append_data(&mut header, name, bytes)
            };
            let extension = if self.code == PictureCode::Png { "png" } else { "jpg" };
            for index in 0..n {
                let (key, sample) = (format!("{index:08}"), self.split.sample(index));
                let background = self.pairing.map(|p| self.split.sample(p.0[index] as usize).id.as_str());
                let about = serde_json::json!({
                    "id": sample.id, "fine": sample.fine, "view": self.view.name(),
                    "box": sample.crop_box, "background": background,
                });
                let picture = self.picture(index).map_err(std::io::Error::other)?;
                add(format!("{key}.{extension}"), &self.code.encode(&picture, self.split.size())?)?;
                add(format!("{key}.cls"), sample.class.to_string().as_bytes())?;
                add(format!("{key}.json"), about.to_string().as_bytes())?;
                (self.progress)(index as u64 + 1, n as u64);
            }
            archive.finish()
        })
    }
}

/// Writes a file that appears whole. An error of ours that went through the writing comes out as itself.
fn write(path: &Path, fill: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>) -> Result<()> {
    match files::write(path, fill) {
        Err(in9_base::Error::Io { source, .. }) if source.get_ref().is_some_and(|e| e.is::<Error>()) => {
            match source.into_inner().map(|inner| inner.downcast::<Error>()) {
                Some(Ok(error)) => Err(*error),
                _ => unreachable!("an error is what it was just found to be"),
            }
        }
        other => Ok(other?),
    }
}

/// The header of a NumPy file, version 1: C order, padded to 64 bytes.
fn npy_header(kind: &str, shape: &[usize]) -> Vec<u8> {
    let dimensions: String = shape.iter().map(|length| format!("{length},")).collect();
    let mut text = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({dimensions}), }}");
    while (10 + text.len() + 1) % 64 != 0 {
        text.push(' ');
    }
    text.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend_from_slice(&(text.len() as u16).to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn npy_headers_are_read_by_an_independent_reader() {
        let mut bytes = npy_header("|u1", &[2, 3]);
        assert_eq!(bytes.len() % 64, 0);
        bytes.extend([1, 2, 3, 4, 5, 6]);
        let file = npyz::NpyFile::new(&bytes[..]).unwrap();
        assert_eq!((file.shape(), file.order()), (&[2, 3][..], npyz::Order::C));
        assert_eq!(file.into_vec::<u8>().unwrap(), [1, 2, 3, 4, 5, 6]);
    }
}
