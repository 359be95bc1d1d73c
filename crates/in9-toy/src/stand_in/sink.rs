//! Where a stand-in's photographs and boxes go: folders, or archives.

use std::io::{self, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use in9_base::files::{self, create_folder};

use crate::error::Result;
use crate::ilsvrc::{self, ANNOTATIONS, DATA};

use super::BoxForm;
use super::labels::Label;

/// One photograph with what is told of it.
pub(super) struct Entry {
    /// `train/<wnid>` or `val`.
    pub(super) folder: String,
    /// File name without extension.
    pub(super) stem: String,
    pub(super) wnid: String,
    /// The bytes of its file.
    pub(super) photograph: Vec<u8>,
    /// Its PASCAL-VOC annotation, if somebody drew a box.
    pub(super) xml: Option<String>,
    /// Its line of Kaggle's table.
    pub(super) solution: Option<String>,
    /// What is odd about it; empty if nothing.
    pub(super) dirt: &'static str,
}

/// Labels that are drawn together.
const AT_ONCE: usize = 31;

/// Draws the photographs of some labels.
type Draw<'a> = dyn FnMut(&[Label]) -> Result<Vec<Entry>> + 'a;

/// Writes one part as Kaggle lays it out.
pub(super) fn write_folders(
    root: &Path,
    train: bool,
    boxes: BoxForm,
    labels: &[Label],
    draw: &mut Draw<'_>,
) -> Result<()> {
    let trees: &[&str] = if boxes == BoxForm::Csv { &[DATA] } else { &[DATA, ANNOTATIONS] };
    for tree in trees {
        match train {
            true => labels
                .iter()
                .try_for_each(|label| create_folder(&root.join(tree).join("train").join(&label.wnid)))?,
            false => create_folder(&root.join(tree).join("val"))?,
        }
    }
    for part in labels.chunks(AT_ONCE) {
        for entry in draw(part)? {
            let Entry { folder, stem, .. } = &entry;
            ilsvrc::save(&root.join(format!("{DATA}/{folder}/{stem}.JPEG")), &entry.photograph)?;
            if let Some(xml) = entry.xml.as_ref().filter(|_| boxes != BoxForm::Csv) {
                ilsvrc::save(&root.join(format!("{ANNOTATIONS}/{folder}/{stem}.xml")), xml.as_bytes())?;
            }
        }
    }
    Ok(())
}

/// Writes one part as image-net.org does: photographs in an archive (of an archive an id, for training), boxes in
/// a compressed one.
pub(super) fn write_archives(
    root: &Path,
    train: bool,
    boxes: BoxForm,
    labels: &[Label],
    draw: &mut Draw<'_>,
) -> Result<()> {
    let (photographs, annotations) = match train {
        true => ("ILSVRC2012_img_train.tar", "ILSVRC2012_bbox_train_v2.tar.gz"),
        false => ("ILSVRC2012_img_val.tar", "ILSVRC2012_bbox_val_v3.tgz"),
    };
    let mut xml = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    let mut failed = None;
    let written = files::write(&root.join(photographs), |out| {
        let mut archive = tar::Builder::new(out);
        for part in labels.chunks(AT_ONCE) {
            let entries = match draw(part) {
                Ok(entries) => entries,
                Err(error) => {
                    failed = Some(error);
                    return Err(io::Error::other("a photograph could not be drawn"));
                }
            };
            for entry in entries.iter().filter(|_| !train) {
                add(&mut archive, &format!("{}.JPEG", entry.stem), &entry.photograph)?;
            }
            for of_id in entries.chunk_by(|a, b| a.wnid == b.wnid).filter(|_| train) {
                let mut inner = tar::Builder::new(Vec::new());
                for entry in of_id {
                    add(&mut inner, &format!("{}.JPEG", entry.stem), &entry.photograph)?;
                }
                add(&mut archive, &format!("{}.tar", of_id[0].wnid), &inner.into_inner()?)?;
            }
            for entry in &entries {
                let folder = if train { &entry.wnid } else { "val" };
                if let Some(text) = &entry.xml {
                    add(&mut xml, &format!("{folder}/{}.xml", entry.stem), text.as_bytes())?;
                }
            }
        }
        archive.finish()
    });
    if let Some(error) = failed {
        return Err(error);
    }
    written?;
    if boxes != BoxForm::Csv {
        let path = root.join(annotations);
        let packed = xml.into_inner().and_then(GzEncoder::finish);
        ilsvrc::save(&path, &packed.map_err(in9_base::Error::write(&path))?)?;
    }
    Ok(())
}

/// Adds a file to an archive; its header holds no time and no owner.
fn add(archive: &mut tar::Builder<impl Write>, name: &str, bytes: &[u8]) -> io::Result<()> {
    let mut header = tar::Header::new_ustar();
    header.set_size(bytes.len() as u64);
    header.set_mode(0o644);
    archive.append_data(&mut header, name, bytes)
}
