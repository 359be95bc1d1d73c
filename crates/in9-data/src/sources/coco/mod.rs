//! COCO JSON: polygons, run lengths (plain and compressed) and boxes.

mod draw;
mod elements;
mod segmentation;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use in9_base::files;
use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, SeqAccess, Visitor};

use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::prepare::PhotoBox;
use draw::{Steps, draw};
use elements::elements;

/// Most photographs and most objects of one file, so that neither takes more memory than its text; COCO has
/// 118,000 and 860,000.
const MOST_PICTURES: usize = 1 << 20;
const MOST_OBJECTS: usize = 2 << 20;

#[derive(serde::Deserialize)]
struct File {
    images: AtMost<Picture, MOST_PICTURES>,
    /// Taken apart object by object.
    #[serde(rename = "annotations")]
    _annotations: IgnoredAny,
}

#[derive(serde::Deserialize)]
struct Picture {
    id: u64,
    file_name: String,
    width: u32,
    height: u32,
}

#[derive(serde::Deserialize)]
struct Object {
    image_id: u64,
    #[serde(default)]
    bbox: Option<[f64; 4]>,
    /// Whether there is one: it stays text until its photograph is worked on, because as numbers it would take
    /// several times the memory.
    #[serde(default)]
    segmentation: Option<IgnoredAny>,
}

/// The objects of one photograph.
#[derive(Debug)]
pub(crate) struct Shapes {
    width: u32,
    height: u32,
    /// The file's text, in which the objects stand that have a shape. (An `Arc<str>` would copy it.)
    text: Arc<String>,
    objects: Vec<(Option<PhotoBox>, Option<Range<usize>>)>,
}

/// Reads a file: shapes by `file_name`.
pub(super) fn read(path: &Path, limits: &Limits) -> Result<HashMap<String, Arc<Shapes>>> {
    let text = files::read_text(path, limits.annotations_bytes)?;
    parse(&text.into()).map_err(|found| Error::NotOfFormat {
        path: path.into(),
        format: "COCO annotations",
        expected: "images and annotations".into(),
        found,
        advice: "mend the file",
    })
}

pub(crate) fn parse(text: &Arc<String>) -> std::result::Result<HashMap<String, Arc<Shapes>>, String> {
    let file: File = serde_json::from_str(text).map_err(|e| e.to_string())?;
    let mut objects: HashMap<u64, Vec<_>> = HashMap::new();
    let places = elements(text, "annotations").ok_or("the name annotations written in another way")?;
    for (at, place) in places.enumerate() {
        if at == MOST_OBJECTS {
            return Err(format!("a list of more than {MOST_OBJECTS}"));
        }
        let object: Object = serde_json::from_str(&text[place.clone()]).map_err(|e| {
            let start = text[..place.start].lines().count().max(1);
            format!("object {at}, in line {start}: {e}")
        })?;
        let corners = object.bbox.map(|[x, y, w, h]| {
            let last = |start: f64, length: f64| ((start + length).ceil() as i64).saturating_sub(1);
            PhotoBox::new(x.floor() as i64, y.floor() as i64, last(x, w), last(y, h))
        });
        let shape = object.segmentation.map(|_| place);
        objects.entry(object.image_id).or_default().push((corners, shape));
    }
    let (mut ids, mut pictures) = (HashSet::new(), HashMap::new());
    for picture in &file.images.0 {
        // Whose the objects are would be a matter of order.
        if !ids.insert(picture.id) {
            return Err(format!("two images with the id {}", picture.id));
        }
        let objects = objects.remove(&picture.id).unwrap_or_default();
        let text = Arc::clone(text);
        let shapes = Shapes { width: picture.width, height: picture.height, text, objects };
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

    /// One box an object of the photograph, which has the given size; an object without a box gets that of its
    /// shape, if a pixel belongs to it. The error says in a few words what is wrong.
    pub(crate) fn boxes(&self, width: u32, height: u32) -> std::result::Result<Vec<PhotoBox>, String> {
        let (mut steps, mut mask, mut boxes) = (Steps::of_a_photograph(), Vec::new(), Vec::new());
        for (corners, shape) in &self.objects {
            let found = match (corners, shape) {
                (None, Some(shape)) => {
                    self.check_size(width, height)?;
                    steps.take_pixels(u64::from(width) * u64::from(height))?;
                    mask.clear();
                    mask.resize(width as usize * height as usize, 0);
                    draw(&self.text[shape.clone()], (width, height), &mut mask, &mut steps)?;
                    bounding_box(&mask, width)
                }
                _ => *corners,
            };
            boxes.extend(found);
        }
        Ok(boxes)
    }

    /// All objects as one mask, one byte a pixel; the error says in a few words what is wrong.
    pub(crate) fn mask(&self, width: u32, height: u32) -> std::result::Result<Vec<u8>, String> {
        self.check_size(width, height)?;
        let (mut steps, mut mask) = (Steps::of_a_photograph(), vec![0; width as usize * height as usize]);
        for (_, shape) in &self.objects {
            let shape = shape.clone().ok_or("an object has no segmentation")?;
            draw(&self.text[shape], (width, height), &mut mask, &mut steps)?;
        }
        Ok(mask)
    }

    /// Refuses to draw in another size than the decoder has confirmed: a few digits could ask for any memory.
    fn check_size(&self, width: u32, height: u32) -> std::result::Result<(), String> {
        match (width, height) == self.size() {
            true => Ok(()),
            false => {
                Err(format!("expected {width}x{height} as decoded, found {}x{}", self.width, self.height))
            }
        }
    }
}

/// A list of at most `MOST` items, which ends the reading where there are more.
struct AtMost<T, const MOST: usize>(Vec<T>);

impl<'de, T: Deserialize<'de>, const MOST: usize> Deserialize<'de> for AtMost<T, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_seq(ListVisitor::<T, MOST>(PhantomData)).map(Self)
    }
}

struct ListVisitor<T, const MOST: usize>(PhantomData<T>);

impl<'de, T: Deserialize<'de>, const MOST: usize> Visitor<'de> for ListVisitor<T, MOST> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of at most {MOST}")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> std::result::Result<Vec<T>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            if items.len() == MOST {
                return Err(A::Error::custom(format!("a list of more than {MOST}")));
            }
            items.push(item);
        }
        Ok(items)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn shapes(segmentation: &str) -> Shapes {
        let text = format!(
            r#"{{"images":[{{"id":1,"file_name":"a.jpg","width":4,"height":3}}],
            "annotations":[{{"image_id":1,"category_id":1,"segmentation":{segmentation}}}]}}"#
        );
        Arc::try_unwrap(parse(&text.into()).unwrap().remove("a.jpg").unwrap()).unwrap()
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
            assert_eq!(shapes.boxes(4, 3).unwrap(), [PhotoBox::new(1, 1, 2, 2)], "{form}");
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
            assert!(shapes(form).boxes(4, 3).is_err(), "{form}");
        }
        assert!(shapes("[[1,1,3,1,3,3,1,3]]").mask(5, 3).unwrap_err().contains("5x3 as decoded"));
        assert!(shapes("[[0,0,1e300,1,-1e300,3]]").mask(4, 3).unwrap_err().contains("within 1e9"));
        assert!(parse(&Arc::new("{}".into())).is_err());
        let beside_a = |id: u64, name: &str| {
            let picture = |id, name| format!(r#"{{"id":{id},"file_name":"{name}","width":4,"height":3}}"#);
            let text =
                format!(r#"{{"images":[{},{}],"annotations":[]}}"#, picture(1, "a"), picture(id, name));
            parse(&text.into()).unwrap_err()
        };
        assert!(beside_a(1, "b").contains("two images with the id 1"));
        assert!(beside_a(2, "a").contains("two images with the file name a"));
        let huge = r#"{"images":[{"id":1,"file_name":"a","width":4000000000,"height":4000000000}],
            "annotations":[{"image_id":1,"segmentation":[]}]}"#;
        let huge = &parse(&Arc::new(huge.into())).unwrap()["a"];
        assert!(huge.boxes(4, 3).unwrap_err().contains("4x3 as decoded, found 4000000000x"));
        assert!(huge.mask(4, 3).unwrap_err().contains("4x3 as decoded"));
        let far = r#"{"images":[{"id":1,"file_name":"a","width":4,"height":3}],
            "annotations":[{"image_id":1,"bbox":[-1e300,-1e300,1e300,1e300]}]}"#;
        assert_eq!(parse(&Arc::new(far.into())).unwrap()["a"].boxes(4, 3).unwrap().len(), 1);
    }

    #[test]
    fn shapes_that_would_take_minutes_are_refused_within_their_steps() {
        // A square of a million corners, over the rows of a tall photograph.
        let ring: String = (0..1 << 20).map(|at| ["1,0,", "1,999,"][at % 2]).collect();
        let text = |width: u32, height: u32, objects: &str| {
            format!(
                r#"{{"images":[{{"id":1,"file_name":"a","width":{width},"height":{height}}}],"annotations":[{objects}]}}"#
            )
        };
        let object = |shape: &str| format!(r#"{{"image_id":1,"segmentation":{shape}}}"#);
        let steep = text(2, 1000, &object(&format!("[[{}]]", ring.trim_end_matches(','))));
        let steep = &parse(&steep.into()).unwrap()["a"];
        for error in [steep.mask(2, 1000).err(), steep.boxes(2, 1000).err()] {
            assert!(error.unwrap().contains("at most 268435456 steps"));
        }
        // A hundred thousand objects of two letters, each to be sought in the whole photograph.
        let many = vec![object("[]"); 100_000].join(",");
        let many = text(1000, 1000, &many);
        let many = &parse(&many.into()).unwrap()["a"];
        assert!(many.boxes(1000, 1000).unwrap_err().contains("steps"));
        assert_eq!(many.mask(1000, 1000).unwrap().len(), 1_000_000, "they are drawn into one mask");
    }

    #[test]
    fn a_file_takes_little_more_memory_than_its_text() {
        let many = |count: usize| {
            let objects = vec![r#"{"image_id":1}"#; count].join(",");
            parse(&format!(r#"{{"images":[],"annotations":[{objects}]}}"#).into())
        };
        assert!(many(1000).is_ok());
        assert!(many(MOST_OBJECTS + 1).unwrap_err().contains("a list of more than 2097152"));
        let shape = format!("[{}]", "[],".repeat(6 << 20).trim_end_matches(','));
        assert!(shapes(&shape).mask(4, 3).unwrap_err().contains("at most 16777216 bytes"));
    }
}
