//! The eight variants of ImageNet-9, the blurred ninth, and six controls.

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
    /// The object on its own photograph, from which it and a margin around it were removed by inpainting.
    BgInpainted,
    /// The object on its own tiled background.
    BgTiled,
    /// The object on the mean colour of its own background.
    BgFlat,
    /// The object on noise with the power spectrum of its own tiled background.
    BgNoise,
    /// The object's mask alone, white on black: outline, size and place.
    OnlyMask,
    /// The object's box alone, white on black: size and place.
    OnlyBox,
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

    /// The controls, none of which is the paper's: four that paste the object on a background made of its own photograph,
    /// each of which keeps less of it, and two that show where the object is but not what.
    pub const CONTROLS: [Self; 6] =
        [Self::BgInpainted, Self::BgTiled, Self::BgFlat, Self::BgNoise, Self::OnlyMask, Self::OnlyBox];

    /// All fifteen views.
    pub const ALL: [Self; 15] = [
        Self::Original,
        Self::OnlyBgB,
        Self::OnlyBgT,
        Self::NoFg,
        Self::OnlyFg,
        Self::MixedSame,
        Self::MixedRand,
        Self::MixedNext,
        Self::BgBlurred,
        Self::BgInpainted,
        Self::BgTiled,
        Self::BgFlat,
        Self::BgNoise,
        Self::OnlyMask,
        Self::OnlyBox,
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
            Self::BgTiled | Self::BgNoise => [true, true, true],
            Self::OnlyMask => [false, false, true],
            Self::OnlyBox => [false, false, false],
            Self::NoFg
            | Self::OnlyFg
            | Self::MixedSame
            | Self::MixedRand
            | Self::MixedNext
            | Self::BgBlurred
            | Self::BgInpainted
            | Self::BgFlat => [true, false, true],
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
            Self::BgInpainted => "bg-inpainted",
            Self::BgTiled => "bg-tiled",
            Self::BgFlat => "bg-flat",
            Self::BgNoise => "bg-noise",
            Self::OnlyMask => "only-mask",
            Self::OnlyBox => "only-box",
        }
    }

    /// The folder of this view in the official release (and, for those that it lacks, in our exports).
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
            Self::BgInpainted => "bg_inpainted",
            Self::BgTiled => "bg_tiled",
            Self::BgFlat => "bg_flat",
            Self::BgNoise => "bg_noise",
            Self::OnlyMask => "only_mask",
            Self::OnlyBox => "only_box",
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
