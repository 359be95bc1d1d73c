//! What the format's library does not check, or only after it has built everything: repeated names,
//! the number of tensors and of their axes.
//!
//! The library reads the header into maps, of which the last entry of a name would silently win, and
//! through a buffer that takes some 30 times the space of a list of numbers.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::weights::fault::{Checked, fault, shown};

/// Most axes of a tensor; no list in the header is longer.
const AXES: usize = 64;

/// Checks a JSON header with at most `tensors` entries.
pub(super) fn check(json: &[u8], tensors: usize) -> Checked<()> {
    let mut reader = serde_json::Deserializer::from_slice(json);
    // One more for the metadata.
    let most = tensors.saturating_add(1);
    reader
        .deserialize_map(Entries { most, depth: 0 })
        .and_then(|()| reader.end())
        .map_err(|e| fault("header", "a JSON object with each name once", shown(&e.to_string())))
}

/// A JSON object with at most `most` entries whose names differ.
struct Entries {
    most: usize,
    depth: usize,
}

impl<'de> Visitor<'de> for Entries {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with each name once")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            map.next_value_seed(Entry { depth: self.depth + 1 })?;
            if seen.len() == self.most {
                return Err(A::Error::custom(format!("more than the limit, at most {}", self.most)));
            }
            if let Some(key) = seen.replace(key) {
                return Err(A::Error::custom(format!("duplicate name `{}`", shown(&key))));
            }
        }
        Ok(())
    }
}

/// Anything that stands in the header.
struct Entry {
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Entry {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Entry {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a tensor's type, shape and place, or a text")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        // The header, its entries; nothing deeper is an object.
        if self.depth > 1 {
            return Err(A::Error::custom("an object too deep inside"));
        }
        // Metadata may have many texts, a tensor has three fields.
        Entries { most: 1 << 12, depth: self.depth }.visit_map(map)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let mut len = 0;
        while list.next_element::<IgnoredAny>()?.is_some() {
            len += 1;
            if len > AXES {
                return Err(A::Error::custom(format!("a list of more than {AXES} numbers")));
            }
        }
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}
