//! COCO JSON: polygons, run lengths (plain and compressed) and boxes.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::prepare::PhotoBox;

#[derive(Deserialize)]
struct File {
    images: Vec<Picture>,
    annotations: Vec<Object>,
}

#[derive(Deserialize)]
struct Picture {
    id: u64,
    file_name: String,
    width: u32,
    height: u32,
}

#[derive(Deserialize)]
struct Object {
    image_id: u64,
    #[serde(default)]
    bbox: Option<[f64; 4]>,
    #[serde(default)]
    segmentation: Option<Segmentation>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Segmentation {
    Polygons(Vec<Vec<f64>>),
    Runs { size: [u32; 2], counts: Counts },
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Counts {
    Plain(Vec<u32>),
    Compressed(String),
}

/// The objects of one photograph.
#[derive(Debug)]
pub(crate) struct Shapes {
    width: u32,
    height: u32,
    objects: Vec<(Option<PhotoBox>, Option<Segmentation>)>,
}

/// Reads a file: shapes by `file_name`.
pub(super) fn read(path: &Path, limits: &Limits) -> Result<HashMap<String, Arc<Shapes>>> {
    let text = super::read_text(path, limits)?;
    parse(&text).map_err(|found| Error::NotOfFormat {
        path: path.into(),
        format: "COCO annotations",
        expected: "images and annotations".into(),
        found,
        advice: "mend the file",
    })
}

pub(crate) fn parse(text: &str) -> std::result::Result<HashMap<String, Arc<Shapes>>, String> {
    let file: File = serde_json::from_str(text).map_err(|e| e.to_string())?;
    let mut objects: HashMap<u64, Vec<_>> = HashMap::new();
    for object in file.annotations {
        let corners = object.bbox.map(|[x, y, w, h]| {
            let last = |start: f64, length: f64| ((start + length).ceil() as i64).saturating_sub(1);
            PhotoBox::new(x.floor() as i64, y.floor() as i64, last(x, w), last(y, h))
        });
        objects.entry(object.image_id).or_default().push((corners, object.segmentation));
    }
    let (mut ids, mut pictures) = (HashSet::new(), HashMap::new());
    for picture in &file.images {
        // Whose the objects are would be a matter of order.
        if !ids.insert(picture.id) {
            return Err(format!("two images with the id {}", picture.id));
        }
        let objects = objects.remove(&picture.id).unwrap_or_default();
        let shapes = Shapes { width: picture.width, height: picture.height, objects };
        if pictures.insert(picture.file_name.replace('\\', "/"), Arc::new(shapes)).is_some() {
            return Err(format!("two images with the file name {}", picture.file_name));
        }
    }
    Ok(pictures)
}

impl Shapes {
    /// Width and height of the photograph, as annotated.
    pub(crate) fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// One box an object; an object without a box gets that of its shape, if a pixel belongs to it. The
    /// error says in a few words what is wrong.
    pub(crate) fn boxes(&self, photo_pixels: u64) -> std::result::Result<Vec<PhotoBox>, String> {
        let (width, height) = self.size();
        // Shapes are drawn in a mask of the annotated size, which no decoder has confirmed.
        if u64::from(width) * u64::from(height) > photo_pixels {
            return Err(format!("expected at most {photo_pixels} pixels, found {width}x{height}"));
        }
        let of_shape = |shape: &Segmentation| -> std::result::Result<_, String> {
            let mut mask = vec![0; width as usize * height as usize];
            draw(shape, width, height, &mut mask)?;
            Ok(bounding_box(&mask, width))
        };
        let found = self.objects.iter().map(|(corners, shape)| match (corners, shape) {
            (None, Some(shape)) => of_shape(shape),
            _ => Ok(*corners),
        });
        Ok(found.collect::<std::result::Result<Vec<_>, String>>()?.into_iter().flatten().collect())
    }

    /// All objects as one mask, one byte a pixel; the error says in a few words what is wrong.
    pub(crate) fn mask(&self, width: u32, height: u32) -> std::result::Result<Vec<u8>, String> {
        if (width, height) != (self.width, self.height) {
            return Err(format!(
                "expected {width}x{height} as decoded, found {}x{}",
                self.width, self.height
            ));
        }
        let mut mask = vec![0; width as usize * height as usize];
        for (_, shape) in &self.objects {
            draw(shape.as_ref().ok_or("an object has no segmentation")?, width, height, &mut mask)?;
        }
        Ok(mask)
    }
}

/// The smallest inclusive box around a mask.
pub(crate) fn bounding_box(mask: &[u8], width: u32) -> Option<PhotoBox> {
    // Chunks of no length are no rows.
    let width = (width as usize).max(1);
    let (mut x0, mut x1, mut y0, mut y1) = (usize::MAX, 0, usize::MAX, 0);
    for (y, row) in mask.chunks_exact(width).enumerate() {
        if let (Some(first), Some(last)) =
            (row.iter().position(|&m| m != 0), row.iter().rposition(|&m| m != 0))
        {
            (x0, x1, y0, y1) = (x0.min(first), x1.max(last), y0.min(y), y);
        }
    }
    (x0 <= x1).then(|| PhotoBox::new(x0 as i64, y0 as i64, x1 as i64, y1 as i64))
}

fn draw(shape: &Segmentation, width: u32, height: u32, mask: &mut [u8]) -> std::result::Result<(), String> {
    match shape {
        Segmentation::Polygons(rings) => {
            for ring in rings {
                fill_polygon(ring, width, height, mask)?;
            }
            Ok(())
        }
        Segmentation::Runs { size, counts } => {
            if *size != [height, width] {
                return Err(format!(
                    "expected run lengths of {width}x{height}, found {}x{}",
                    size[1], size[0]
                ));
            }
            let counts = match counts {
                Counts::Plain(counts) => counts.clone(),
                Counts::Compressed(text) => decompress(text)?,
            };
            // Runs go down the columns, background first.
            let (pixels, height) = (mask.len(), height as usize);
            let mut at = 0usize;
            for (run, &count) in counts.iter().enumerate() {
                let end = at + count as usize;
                if end > pixels {
                    return Err(format!("expected run lengths of {pixels} pixels, found more"));
                }
                if run % 2 == 1 {
                    (at..end).for_each(|i| mask[i % height * width as usize + i / height] = 1);
                }
                at = end;
            }
            match at == pixels {
                true => Ok(()),
                false => Err(format!("expected run lengths of {pixels} pixels, found {at}")),
            }
        }
    }
}

/// COCO's text form: each number in groups of five bits from the low end, bit 5 says that more
/// follow, bit 4 of the last group is the sign; from the fourth number on, differences to the
/// number two before.
fn decompress(text: &str) -> std::result::Result<Vec<u32>, String> {
    let bad = || "expected run lengths in COCO's compressed text, found something else".to_string();
    let mut counts: Vec<i64> = Vec::new();
    let mut bytes = text.bytes();
    while let Some(mut byte) = bytes.next() {
        let (mut value, mut shift) = (0i64, 0);
        loop {
            let group = i64::from(byte.checked_sub(48).filter(|&g| g < 64).ok_or_else(bad)?);
            if shift > 40 {
                return Err(bad());
            }
            value |= (group & 31) << shift;
            shift += 5;
            if group & 32 == 0 {
                if group & 16 != 0 {
                    value |= -1 << shift;
                }
                break;
            }
            byte = bytes.next().ok_or_else(bad)?;
        }
        if counts.len() > 2 {
            value += counts[counts.len() - 2];
        }
        counts.push(value);
    }
    counts.into_iter().map(|count| u32::try_from(count).map_err(|_| bad())).collect()
}

/// Fills the pixels whose centres are inside a ring `x0 y0 x1 y1 …` (even-odd rule).
fn fill_polygon(ring: &[f64], width: u32, height: u32, mask: &mut [u8]) -> std::result::Result<(), String> {
    if ring.len() < 6 || ring.len() % 2 == 1 {
        return Err(format!("expected a polygon of three corners or more, found {} numbers", ring.len()));
    }
    // Far outside any photograph; also keeps the crossings below finite.
    if let Some(far) = ring.iter().find(|v| v.is_nan() || v.abs() > 1e9) {
        return Err(format!("expected corners within 1e9 pixels, found {far}"));
    }
    let corners: Vec<[f64; 2]> = ring.chunks_exact(2).map(|c| [c[0], c[1]]).collect();
    let low =
        corners.iter().map(|c| c[1]).fold(f64::MAX, f64::min).floor().clamp(0.0, f64::from(height)) as u32;
    let high =
        corners.iter().map(|c| c[1]).fold(f64::MIN, f64::max).ceil().clamp(0.0, f64::from(height)) as u32;
    let mut crossings = Vec::new();
    for y in low..high {
        let centre = f64::from(y) + 0.5;
        crossings.clear();
        for (at, &[x1, y1]) in corners.iter().enumerate() {
            let [x0, y0] = corners[(at + corners.len() - 1) % corners.len()];
            if (y0 <= centre) != (y1 <= centre) {
                crossings.push(x0 + (centre - y0) / (y1 - y0) * (x1 - x0));
            }
        }
        crossings.sort_by(f64::total_cmp);
        for pair in crossings.chunks_exact(2) {
            let edge = |x: f64| (x - 0.5).ceil().clamp(0.0, f64::from(width)) as usize;
            mask[y as usize * width as usize..][..width as usize][edge(pair[0])..edge(pair[1])].fill(1);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shapes(segmentation: &str) -> Shapes {
        let text = format!(
            r#"{{"images":[{{"id":1,"file_name":"a.jpg","width":4,"height":3}}],
            "annotations":[{{"image_id":1,"category_id":1,"segmentation":{segmentation}}}]}}"#
        );
        Arc::try_unwrap(parse(&text).unwrap().remove("a.jpg").unwrap()).unwrap()
    }

    #[test]
    fn the_three_forms_of_a_shape_agree() {
        // Columns 1 and 2 of rows 1 and 2, in a picture of 4×3.
        let expected = [0, 0, 0, 0, 0, 1, 1, 0, 0, 1, 1, 0];
        let polygon = "[[1,1,3,1,3,3,1,3]]";
        let plain = r#"{"size":[3,4],"counts":[4,2,1,2,3]}"#;
        // 4, 2, 1, then 2 − 2 = 0 and 3 − 1 = 2.
        let compressed = r#"{"size":[3,4],"counts":"42102"}"#;
        for form in [polygon, plain, compressed] {
            let shapes = shapes(form);
            assert_eq!(shapes.mask(4, 3).unwrap(), expected, "{form}");
            assert_eq!(shapes.boxes(12).unwrap(), [PhotoBox::new(1, 1, 2, 2)], "{form}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for form in [
            "[[1,1,3,1]]",
            r#"{"size":[3,4],"counts":[4,2,1,2,300]}"#,
            r#"{"size":[3,4],"counts":[4]}"#,
            r#"{"size":[4,3],"counts":[12]}"#,
            r#"{"size":[3,4],"counts":"ooooooooooooooooooo"}"#,
            r#"{"size":[3,4],"counts":"\u0001"}"#,
        ] {
            assert!(shapes(form).mask(4, 3).is_err(), "{form}");
            assert!(shapes(form).boxes(12).is_err(), "{form}");
        }
        assert!(shapes("[[1,1,3,1,3,3,1,3]]").mask(5, 3).unwrap_err().contains("5x3 as decoded"));
        assert!(shapes("[[0,0,1e300,1,-1e300,3]]").mask(4, 3).unwrap_err().contains("within 1e9"));
        assert!(parse("{}").is_err());
        let beside_a = |id: u64, name: &str| {
            let picture = |id, name| format!(r#"{{"id":{id},"file_name":"{name}","width":4,"height":3}}"#);
            let text =
                format!(r#"{{"images":[{},{}],"annotations":[]}}"#, picture(1, "a"), picture(id, name));
            parse(&text).unwrap_err()
        };
        assert!(beside_a(1, "b").contains("two images with the id 1"));
        assert!(beside_a(2, "a").contains("two images with the file name a"));
        let huge = r#"{"images":[{"id":1,"file_name":"a","width":4000000000,"height":4000000000}],"annotations":[]}"#;
        let huge = &parse(huge).unwrap()["a"];
        assert!(huge.boxes(1 << 27).unwrap_err().contains("at most 134217728 pixels, found 4000000000x"));
        assert!(huge.mask(4, 3).unwrap_err().contains("4x3 as decoded"));
        let far = r#"{"images":[{"id":1,"file_name":"a","width":4,"height":3}],
            "annotations":[{"image_id":1,"bbox":[-1e300,-1e300,1e300,1e300]}]}"#;
        assert_eq!(parse(far).unwrap()["a"].boxes(12).unwrap().len(), 1);
    }
}
