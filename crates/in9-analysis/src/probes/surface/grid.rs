//! The ways in which objects are pasted.

use in9_data::{Paste, Place, rng};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Where an object is pasted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Position {
    /// Where it is in its photograph.
    Own,
    /// In the middle.
    Centre,
    /// In a corner, drawn for each photograph.
    Corner,
}

/// How large an object is pasted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// As in its photograph.
    Own,
    /// So that the longer side of its bounding box is this share of the picture's side, above 0 and at most 1.
    Share(f64),
}

/// The levels of each axis; every combination is a cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Grid {
    /// Where.
    pub positions: Vec<Position>,
    /// How large.
    pub sizes: Vec<Side>,
    /// Widths of the soft edge, shares of the picture's side, at least 0.
    pub edges: Vec<f64>,
    /// How near the background's colours are brought to the object's own background's, 0 to 1.
    pub similarities: Vec<f64>,
}

impl Default for Grid {
    fn default() -> Self {
        Self {
            positions: vec![Position::Own, Position::Centre, Position::Corner],
            sizes: vec![Side::Own, Side::Share(0.3), Side::Share(0.6)],
            edges: vec![0.0, 0.04],
            similarities: vec![0.0, 1.0],
        }
    }
}

/// One way to paste.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// Where.
    pub position: Position,
    /// How large.
    pub size: Side,
    /// Width of the soft edge, a share of the picture's side.
    pub edge: f64,
    /// How near the background's colours are brought to the object's own background's, 0 to 1.
    pub similarity: f64,
}

/// An axis of the grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Axis {
    /// Where.
    Position,
    /// How large.
    Size,
    /// How soft the edge.
    Edge,
    /// How like the background.
    Similarity,
}

impl Grid {
    /// Every cell; the last axis turns fastest.
    pub fn cells(&self) -> Vec<Cell> {
        let mut cells = Vec::new();
        for &position in &self.positions {
            for &size in &self.sizes {
                for &edge in &self.edges {
                    cells.extend(self.similarities.iter().map(|&similarity| Cell {
                        position,
                        size,
                        edge,
                        similarity,
                    }));
                }
            }
        }
        cells
    }

    /// The levels of an axis by name.
    pub fn levels(&self, axis: Axis) -> Vec<String> {
        match axis {
            Axis::Position => self.positions.iter().map(ToString::to_string).collect(),
            Axis::Size => self.sizes.iter().map(ToString::to_string).collect(),
            Axis::Edge => self.edges.iter().map(ToString::to_string).collect(),
            Axis::Similarity => self.similarities.iter().map(ToString::to_string).collect(),
        }
    }
}

impl Axis {
    /// All axes.
    pub const ALL: [Self; 4] = [Self::Position, Self::Size, Self::Edge, Self::Similarity];

    /// Name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Position => "position",
            Self::Size => "size",
            Self::Edge => "edge",
            Self::Similarity => "similarity",
        }
    }
}

impl Cell {
    /// The name of its level on an axis.
    pub fn level(&self, axis: Axis) -> String {
        match axis {
            Axis::Position => self.position.to_string(),
            Axis::Size => self.size.to_string(),
            Axis::Edge => self.edge.to_string(),
            Axis::Similarity => self.similarity.to_string(),
        }
    }

    /// How the object of the photograph `id` is pasted in this cell; `seed` draws its corner, the same in every cell.
    pub fn paste(&self, id: &str, seed: u64) -> Paste {
        let place = match self.position {
            Position::Own => Place::Own,
            Position::Centre => Place::At { x: 0.5, y: 0.5 },
            Position::Corner => {
                let drawn = rng::below(&mut rng::stream(seed, "surface-corner", rng::text_key(id), 0), 4);
                Place::At { x: f64::from(drawn & 1), y: f64::from(drawn >> 1) }
            }
        };
        let side = match self.size {
            Side::Own => None,
            Side::Share(share) => Some(share),
        };
        Paste { place, side, feather: self.edge, similarity: self.similarity }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Own => "own",
            Self::Centre => "centre",
            Self::Corner => "corner",
        })
    }
}

impl FromStr for Position {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "own" => Ok(Self::Own),
            "centre" => Ok(Self::Centre),
            "corner" => Ok(Self::Corner),
            _ => Err(format!("expected own, centre or corner, found {text}")),
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own => f.write_str("own"),
            Self::Share(share) => write!(f, "{share}"),
        }
    }
}

impl FromStr for Side {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.parse::<f64>()) {
            ("own", _) => Ok(Self::Own),
            (_, Ok(share)) if share > 0.0 && share <= 1.0 => Ok(Self::Share(share)),
            _ => {
                Err(format!("expected own or a share of the picture's side above 0, at most 1, found {text}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_combination_is_one_cell_and_names_are_read_again() {
        let grid = Grid::default();
        let cells = grid.cells();
        assert_eq!(cells.len(), 36);
        assert!(cells.iter().enumerate().all(|(i, cell)| !cells[..i].contains(cell)));
        for axis in Axis::ALL {
            let levels = grid.levels(axis);
            assert!(cells.iter().all(|cell| levels.contains(&cell.level(axis))));
        }
        for size in &grid.sizes {
            assert_eq!(size.to_string().parse::<Side>().unwrap(), *size);
        }
        for position in &grid.positions {
            assert_eq!(position.to_string().parse::<Position>().unwrap(), *position);
        }
        assert!(
            "0".parse::<Side>().is_err() && "1.5".parse::<Side>().is_err() && "nan".parse::<Side>().is_err()
        );
    }

    #[test]
    fn a_photograph_has_one_corner_and_photographs_have_all_four() {
        let cell = |edge| Cell { position: Position::Corner, size: Side::Own, edge, similarity: 0.0 };
        let corner = |id: &str, edge| cell(edge).paste(id, 0).place;
        assert_eq!(corner("a", 0.0), corner("a", 0.5));
        let all: Vec<Place> = (0..40).map(|i| corner(&i.to_string(), 0.0)).collect();
        for (x, y) in [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)] {
            assert!(all.contains(&Place::At { x, y }));
        }
    }
}
