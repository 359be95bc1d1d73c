//! Photographs on disk, as ILSVRC-2012 lays them out.

use std::io::Cursor;
use std::path::Path;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};

use crate::error::{Error, Result};
use crate::layout::Flaw;
use crate::photograph::Photograph;

/// Where one photograph's files go, relative to the world's folder.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// `train/<wnid>` or `val`.
    pub(crate) folder: String,
    /// File name without extension.
    pub(crate) stem: String,
}

/// The folders of photographs, annotations and masks.
pub(crate) const DATA: &str = "ILSVRC/Data/CLS-LOC";
pub(crate) const ANNOTATIONS: &str = "ILSVRC/Annotations/CLS-LOC";
pub(crate) const MASKS: &str = "masks";

/// Writes the JPEG, the XML (unless nobody drew a box) and the mask.
pub(crate) fn write(root: &Path, place: &Place, wnid: &str, photo: &Photograph) -> Result<()> {
    let Place { folder, stem } = place;
    save(&root.join(format!("{DATA}/{folder}/{stem}.JPEG")), &jpeg(photo, &place.stem)?)?;
    if photo.flaw != Flaw::Unannotated {
        let xml = annotation(folder, stem, wnid, photo);
        save(&root.join(format!("{ANNOTATIONS}/{folder}/{stem}.xml")), xml.as_bytes())?;
    }
    save(&root.join(format!("{MASKS}/{folder}/{stem}.png")), &png(photo, &place.stem)?)
}

/// Writes one file of a world that is renamed into place as a whole.
pub(crate) fn save(path: &Path, bytes: &[u8]) -> Result<()> {
    Ok(in9_base::files::write_within(path, bytes)?)
}

/// The photograph as an ordinary JPEG.
pub(crate) fn jpeg(photo: &Photograph, stem: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(photo.rgb.len() / 4);
    JpegEncoder::new_with_quality(&mut bytes, photo.quality)
        .write_image(&photo.rgb, photo.width as u32, photo.height as u32, ExtendedColorType::Rgb8)
        .map_err(|source| Error::Encode { photograph: stem.into(), source })?;
    Ok(bytes)
}

fn png(photo: &Photograph, stem: &str) -> Result<Vec<u8>> {
    let mut bytes = Cursor::new(Vec::with_capacity(4096));
    PngEncoder::new_with_quality(&mut bytes, CompressionType::Fast, FilterType::NoFilter)
        .write_image(&photo.mask, photo.width as u32, photo.height as u32, ExtendedColorType::L8)
        .map_err(|source| Error::Encode { photograph: stem.into(), source })?;
    Ok(bytes.into_inner())
}

/// The PASCAL-VOC annotation. Box corners are pixel indices from 0, inclusive.
pub(crate) fn annotation(folder: &str, stem: &str, wnid: &str, photo: &Photograph) -> String {
    // A resized photograph keeps the annotation of an original twice as large.
    let k = if photo.flaw == Flaw::Resized { 2 } else { 1 };
    let mut xml = format!(
        "<annotation>\n\t<folder>{}</folder>\n\t<filename>{stem}</filename>\n\t<source>\n\t\t<database>toy world</database>\n\t</source>\n\
         \t<size>\n\t\t<width>{}</width>\n\t\t<height>{}</height>\n\t\t<depth>3</depth>\n\t</size>\n\t<segmented>0</segmented>\n",
        folder.rsplit('/').next().unwrap_or(folder),
        photo.width * k,
        photo.height * k,
    );
    for b in &photo.boxes {
        let [x0, y0, x1, y1] = b.map(|v| v * k as u32);
        xml += &format!(
            "\t<object>\n\t\t<name>{wnid}</name>\n\t\t<pose>Unspecified</pose>\n\t\t<truncated>0</truncated>\n\t\t<difficult>0</difficult>\n\
             \t\t<bndbox>\n\t\t\t<xmin>{x0}</xmin>\n\t\t\t<ymin>{y0}</ymin>\n\t\t\t<xmax>{x1}</xmax>\n\t\t\t<ymax>{y1}</ymax>\n\t\t</bndbox>\n\t</object>\n",
        );
    }
    xml + "</annotation>\n"
}

/// A line of `LOC_val_solution.csv`: `id,wnid x0 y0 x1 y1 ` once a box.
pub(crate) fn solution(stem: &str, wnid: &str, photo: &Photograph) -> String {
    let boxes: String = photo.boxes.iter().map(|[a, b, c, d]| format!("{wnid} {a} {b} {c} {d} ")).collect();
    format!("{stem},{boxes}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenes::Scene;

    fn photograph(flaw: Flaw) -> Photograph {
        let (width, height) = (4, 3);
        let boxes = vec![[1, 0, 2, 2]];
        let (rgb, mask) = (vec![90; 36], vec![0, 255, 255, 0, 0, 255, 255, 0, 0, 255, 255, 0]);
        Photograph { width, height, rgb, mask, boxes, scene: Scene::Sea, flaw, quality: 90 }
    }

    #[test]
    fn annotations_and_solutions_name_the_box() {
        let xml = annotation("train/n90000011", "n90000011_7", "n90000011", &photograph(Flaw::None));
        for part in
            ["<folder>n90000011<", "<width>4<", "<height>3<", "<xmin>1<", "<ymin>0<", "<xmax>2<", "<ymax>2<"]
        {
            assert!(xml.contains(part), "{part} not in {xml}");
        }
        assert_eq!(xml.matches("<object>").count(), 1);
        assert!(annotation("val", "x", "n90000011", &photograph(Flaw::Resized)).contains("<width>8<"));
        assert_eq!(solution("x", "n90000011", &photograph(Flaw::None)), "x,n90000011 1 0 2 2 \n");
    }

    #[test]
    fn masks_come_back_exactly() {
        let photo = photograph(Flaw::None);
        let mask = image::load_from_memory(&png(&photo, "x").unwrap()).unwrap().into_luma8();
        assert_eq!((mask.dimensions(), mask.as_raw()), ((4, 3), &photo.mask));
    }
}
