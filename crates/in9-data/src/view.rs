//! The eight variants of ImageNet-9 and the blurred ninth.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// One way to put foreground and background together (protocol §1.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum View {
    /// The photograph.
    Original,
    /// The photograph with its box black.
    OnlyBgB,
    /// The photograph with its box filled by the tiled background.
    OnlyBgT,
    /// The photograph with the object's pixels black.
    NoFg,
    /// The object on black.
    OnlyFg,
    /// The object on the tiled background of another sample of its own class.
    MixedSame,
    /// The object on the tiled background of a sample of a random class.
    MixedRand,
    /// The object on the tiled background of a sample of the next class.
    MixedNext,
    /// The object on its own background, blurred (appendix D of the paper, never released).
    BgBlurred,
}

impl View {
    /// The eight views of the paper, in its order.
    pub const PAPER: [Self; 8] = [
        Self::Original,
        Self::OnlyBgB,
        Self::OnlyBgT,
        Self::NoFg,
        Self::OnlyFg,
        Self::MixedSame,
        Self::MixedRand,
        Self::MixedNext,
    ];

    /// All nine views.
    pub const ALL: [Self; 9] = [
        Self::Original,
        Self::OnlyBgB,
        Self::OnlyBgT,
        Self::NoFg,
        Self::OnlyFg,
        Self::MixedSame,
        Self::MixedRand,
        Self::MixedNext,
        Self::BgBlurred,
    ];

    /// The views that a pairing serves.
    pub const MIXED: [Self; 3] = [Self::MixedSame, Self::MixedRand, Self::MixedNext];

    /// Whether the view takes its background from a second sample.
    pub fn needs_background(self) -> bool {
        Self::MIXED.contains(&self)
    }

    /// Which layers of the foreground's sample a picture is drawn from: photo, tiled background, mask.
    pub(crate) fn layers(self) -> [bool; 3] {
        match self {
            Self::Original | Self::OnlyBgB => [true, false, false],
            Self::OnlyBgT => [false, true, false],
            _ => [true, false, true],
        }
    }

    /// The kebab-case name used on command lines and in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Original => "original",
            Self::OnlyBgB => "only-bg-b",
            Self::OnlyBgT => "only-bg-t",
            Self::NoFg => "no-fg",
            Self::OnlyFg => "only-fg",
            Self::MixedSame => "mixed-same",
            Self::MixedRand => "mixed-rand",
            Self::MixedNext => "mixed-next",
            Self::BgBlurred => "bg-blurred",
        }
    }

    /// The folder of this view in the official release (and, for the ninth, in our exports).
    pub fn release_folder(self) -> &'static str {
        match self {
            Self::Original => "original",
            Self::OnlyBgB => "only_bg_b",
            Self::OnlyBgT => "only_bg_t",
            Self::NoFg => "no_fg",
            Self::OnlyFg => "only_fg",
            Self::MixedSame => "mixed_same",
            Self::MixedRand => "mixed_rand",
            Self::MixedNext => "mixed_next",
            Self::BgBlurred => "bg_blurred",
        }
    }
}

impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for View {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|view| view.name() == text).ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(|view| view.name()).collect();
            Error::Unknown { what: "view", known: names.join(", "), found: text.into() }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_in_text_and_serde() {
        for view in View::ALL {
            assert_eq!(view.name().parse::<View>().unwrap(), view);
            assert_eq!(serde_json::to_string(&view).unwrap(), format!("\"{view}\""));
            assert_eq!(view.release_folder().replace('_', "-"), view.name());
        }
        assert!("mixed".parse::<View>().is_err());
    }
}
