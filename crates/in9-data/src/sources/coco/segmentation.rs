//! The shape of an object, in each of its forms.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// An object of the file, of which nothing but the shape is kept.
#[derive(serde::Deserialize)]
pub(super) struct Shaped {
    pub(super) segmentation: Segmentation,
}

/// Told apart by the first byte: to try one form after the other, as an untagged enum does, takes sixteen times the
/// memory of the text.
pub(super) enum Segmentation {
    Polygons(Vec<Vec<f64>>),
    Runs(Runs),
}

#[derive(serde::Deserialize)]
pub(super) struct Runs {
    pub(super) size: [u32; 2],
    pub(super) counts: Counts,
}

pub(super) enum Counts {
    Plain(Vec<u32>),
    Compressed(String),
}

impl<'de> Deserialize<'de> for Segmentation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Shapes;
        impl<'de> Visitor<'de> for Shapes {
            type Value = Segmentation;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("polygons or run lengths")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Segmentation, A::Error> {
                let mut rings = Vec::new();
                while let Some(ring) = list.next_element()? {
                    rings.push(ring);
                }
                Ok(Segmentation::Polygons(rings))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Segmentation, A::Error> {
                Runs::deserialize(MapAccessDeserializer::new(map)).map(Segmentation::Runs)
            }
        }
        deserializer.deserialize_any(Shapes)
    }
}

impl<'de> Deserialize<'de> for Counts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Lengths;
        impl<'de> Visitor<'de> for Lengths {
            type Value = Counts;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("run lengths, as numbers or compressed text")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Counts, E> {
                Ok(Counts::Compressed(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Counts, A::Error> {
                let mut counts = Vec::new();
                while let Some(count) = list.next_element()? {
                    counts.push(count);
                }
                Ok(Counts::Plain(counts))
            }
        }
        deserializer.deserialize_any(Lengths)
    }
}
