//! Literal or clean: how the protocol is followed.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// How literally the protocol is followed.
///
/// | step | `paper` | `clean` |
/// | --- | --- | --- |
/// | resize | nearest neighbour, shorter side to size·256/224, central square | triangle filter with antialiasing, shorter side to size, central square; no resampling if that is the photograph itself |
/// | filters | on the 224² crop of the shorter side at 256, whatever the stored size | on the stored crop |
/// | box | right and bottom margins begin at xmax, ymax; GrabCut's rectangle ends before them | inclusive everywhere |
/// | compositing | a foreground pixel that is exactly black counts as background | by the mask |
/// | mask | nearest neighbour | majority of the covered area |
/// | mixed-same | a photograph may be its own background | not if its class has another |
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// As the paper's authors did it, to the letter.
    Paper,
    /// The same without the known slips.
    Clean,
}

/// Where masks come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MaskSource {
    /// GrabCut, started from the box.
    Grabcut,
    /// Files beside the source.
    Exact,
    /// A network that draws them ([`NetworkMasks`](crate::NetworkMasks)).
    Network,
}

impl Profile {
    /// The shorter side that goes with a stored size: size·256/224, rounded, for `paper` (the
    /// paper's 256 for 224); the size itself for `clean`.
    pub fn short_side(self, size: u32) -> u32 {
        match self {
            Self::Paper => (size * 256 + 112) / 224,
            Self::Clean => size,
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Paper => "paper",
            Self::Clean => "clean",
        })
    }
}

impl FromStr for Profile {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "paper" => Ok(Self::Paper),
            "clean" => Ok(Self::Clean),
            other => {
                Err(Error::Unknown { what: "profile", known: "paper, clean".into(), found: other.into() })
            }
        }
    }
}

impl fmt::Display for MaskSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Grabcut => "grabcut",
            Self::Exact => "exact",
            Self::Network => "network",
        })
    }
}

impl FromStr for MaskSource {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "grabcut" => Ok(Self::Grabcut),
            "exact" => Ok(Self::Exact),
            other => Err(Error::Unknown {
                what: "source of masks",
                known: "grabcut, exact".into(),
                found: other.into(),
            }),
        }
    }
}
