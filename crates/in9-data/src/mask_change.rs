//! Masks drawn otherwise than they are: with more around the object, with less of it, or with another outline.

use std::fmt;
use std::str::FromStr;

use rand_chacha::rand_core::Rng;

use crate::mask::{MaskBits, pack};
use crate::mask_noise::{MaskNoise, signed_distance};

/// A change of a mask, as another source of masks might have drawn it; distances in pixels of the stored mask, above 0.
///
/// ```
/// use in9_data::MaskChange;
/// let change: MaskChange = "grown:2".parse().unwrap();
/// assert_eq!(change, MaskChange::Grown(2.0));
/// assert_eq!((change.to_string(), change.words()), ("grown:2".into(), "grown by 2 pixels".into()));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MaskChange {
    /// Dilated by a disc of this radius: all that is nearer than this to the outline becomes object.
    Grown(f64),
    /// Eroded by a disc of this radius: all that is nearer than this to the outline becomes background. Of an object that
    /// is narrower everywhere, what is furthest inside stays.
    Shrunk(f64),
    /// Its outline displaced at random by this standard deviation, alike over a fourteenth of a side ([`MaskNoise`]).
    Displaced(f64),
}

/// Sides of a picture over which a displacement stays alike.
const CORRELATION: f64 = 1.0 / 14.0;
/// More pixels than any mask's side has.
const LARGEST: f64 = 4096.0;

impl MaskChange {
    /// The changed mask, packed as [`MaskBits`] are. An empty mask stays empty, a full one full. `random` is drawn from by
    /// [`MaskChange::Displaced`] only.
    pub fn of(&self, mask: &MaskBits<'_>, random: &mut impl Rng) -> Vec<u8> {
        match *self {
            Self::Grown(by) => outline_at(mask, -by),
            Self::Shrunk(by) => outline_at(mask, by),
            Self::Displaced(sigma) => {
                MaskNoise { sigma, correlation: mask.size() as f64 * CORRELATION }.displace(mask, random)
            }
        }
    }

    /// What was done, in words.
    pub fn words(&self) -> String {
        let pixels = |by: f64| format!("{by} pixel{}", if by == 1.0 { "" } else { "s" });
        match *self {
            Self::Grown(by) => format!("grown by {}", pixels(by)),
            Self::Shrunk(by) => format!("shrunk by {}", pixels(by)),
            Self::Displaced(by) => format!("outline displaced by {}", pixels(by)),
        }
    }
}

/// The mask whose outline lies `inside` pixels further in, or, if that is negative, further out.
fn outline_at(mask: &MaskBits<'_>, inside: f64) -> Vec<u8> {
    let Some(distance) = signed_distance(mask) else { return mask.bytes().to_vec() };
    let deepest = distance.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let moved: Vec<u8> =
        distance.iter().map(|d| u8::from(*d > inside || (deepest <= inside && *d >= deepest))).collect();
    let mut bits = Vec::with_capacity(mask.bytes().len());
    pack(&moved, &mut bits);
    bits
}

impl fmt::Display for MaskChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Grown(by) => write!(f, "grown:{by}"),
            Self::Shrunk(by) => write!(f, "shrunk:{by}"),
            Self::Displaced(by) => write!(f, "displaced:{by}"),
        }
    }
}

impl FromStr for MaskChange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let fault = || {
            format!("expected grown:PIXELS, shrunk:PIXELS or displaced:PIXELS, such as grown:2, found {text}")
        };
        let (kind, by) = text.split_once(':').ok_or_else(fault)?;
        let by = by.parse::<f64>().ok().filter(|by| *by > 0.0 && *by <= LARGEST).ok_or_else(fault)?;
        match kind {
            "grown" => Ok(Self::Grown(by)),
            "shrunk" => Ok(Self::Shrunk(by)),
            "displaced" => Ok(Self::Displaced(by)),
            _ => Err(fault()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::stream;
    use proptest::prelude::*;

    fn changed(change: &str, bits: &[u8], size: usize) -> Vec<u8> {
        change.parse::<MaskChange>().unwrap().of(&MaskBits::new(bits, size), &mut stream(1, "change", 0, 0))
    }

    fn packed(pixels: &[u8]) -> Vec<u8> {
        let mut bits = Vec::new();
        pack(pixels, &mut bits);
        bits
    }

    #[test]
    fn a_square_grows_into_a_round_one_and_shrinks_to_its_core() {
        // Three pixels a side in the middle of nine.
        let square = |from: usize, to: usize| -> Vec<u8> {
            (0..81)
                .map(|i| u8::from((from..to).contains(&(i % 9)) && (from..to).contains(&(i / 9))))
                .collect()
        };
        let bits = packed(&square(3, 6));
        // The outline runs half a pixel from the centres on either side of it.
        assert_eq!(changed("grown:1", &bits, 9), packed(&square(2, 7)));
        let mut round = square(1, 8);
        for (x, y) in [(1, 1), (1, 7), (7, 1), (7, 7)] {
            round[y * 9 + x] = 0;
        }
        assert_eq!(changed("grown:2", &bits, 9), packed(&round));
        assert_eq!(changed("shrunk:1", &bits, 9), packed(&square(4, 5)));
        assert_eq!(changed("shrunk:100", &bits, 9), packed(&square(4, 5)), "something is left of it");
        assert_ne!(changed("displaced:2", &bits, 9), bits);
    }

    #[test]
    fn what_is_no_change_is_refused() {
        for text in ["", "grown", "grown:", "grown:0", "shrunk:-1", "displaced:nan", "larger:2", "grown:5000"]
        {
            assert!(text.parse::<MaskChange>().unwrap_err().contains("such as grown:2"), "{text}");
        }
    }

    proptest! {
        /// Growing only adds, shrinking only takes away, further changes do more, and an outline stays where there was one.
        #[test]
        fn changes_are_nested(pixels in prop::collection::vec(0u8..2, 12 * 12), by in 0.5f64..4.0) {
            let bits = packed(&pixels);
            let within = |a: &[u8], b: &[u8]| a.iter().zip(b).all(|(a, b)| a & !b == 0);
            let [less, least] = [by, by + 1.0].map(|by| changed(&format!("shrunk:{by}"), &bits, 12));
            let [more, most] = [by, by + 1.0].map(|by| changed(&format!("grown:{by}"), &bits, 12));
            for pair in [&least, &less, &bits, &more, &most].windows(2) {
                prop_assert!(within(pair[0], pair[1]));
            }
            let empty = bits.iter().all(|byte| *byte == 0);
            prop_assert_eq!(least.iter().all(|byte| *byte == 0), empty);
        }
    }
}
