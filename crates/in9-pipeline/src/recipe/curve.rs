//! Curves of a recipe: networks that differ in one thing, which the report joins.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Networks along one axis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Curve {
    /// What differs along it.
    pub kind: CurveKind,
    /// Its points; several networks may share a place.
    #[serde(rename = "point")]
    pub points: Vec<CurvePoint>,
}

/// What differs along a [`Curve`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum CurveKind {
    /// Multiple of a training set's size (paper, Figure 11).
    Size,
    /// Number of training classes (Figure 10).
    Granularity,
}

/// A network on a [`Curve`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CurvePoint {
    /// Place on the axis: a multiple, or a number of classes.
    pub x: f64,
    /// Name of a network that is tested on the main dataset.
    pub network: String,
}

impl fmt::Display for CurveKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Size => "size",
            Self::Granularity => "granularity",
        })
    }
}
