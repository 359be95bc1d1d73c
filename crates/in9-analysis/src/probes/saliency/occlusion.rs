//! Maps of classifiers that give scores and nothing else.

use super::map::Map;
use crate::error::Result;
use crate::probes::classifier::{Classifier, Pictures};

/// Cells of a side that a picture is divided into.
const CELLS: usize = 8;

/// Cells of a side that a grey square hides.
const HIDDEN: usize = 2;

/// How much the score of `classes[i]` falls where a grey square hides a part of picture `i`.
///
/// A picture is divided into 8 by 8 cells; squares of 2 by 2 of them are hidden one after another, 49 in all, and each
/// cell takes the mean fall over the squares that hide it; where the score rises the map is nought.
///
/// Source: M. D. Zeiler, R. Fergus, "Visualizing and understanding convolutional networks", ECCV 2014, section 4.2.
///
/// # Errors
/// If the classifier fails.
pub fn occlusion(
    classifier: &dyn Classifier,
    pictures: &Pictures,
    classes: &[u16],
    batch: usize,
) -> Result<Vec<Map>> {
    let whole = scores(classifier, pictures, classes)?;
    let places: Vec<(usize, usize)> =
        (0..=CELLS - HIDDEN).flat_map(|y| (0..=CELLS - HIDDEN).map(move |x| (y, x))).collect();
    let mut maps = Vec::with_capacity(pictures.count);
    for (k, picture) in pictures.pixels.chunks_exact(pictures.values()).enumerate() {
        let mut falls = Vec::with_capacity(places.len());
        for some in places.chunks(batch.max(1)) {
            let mut hidden =
                Pictures { pixels: picture.repeat(some.len()), count: some.len(), size: pictures.size };
            for (copy, place) in hidden.pixels.chunks_exact_mut(pictures.values()).zip(some) {
                hide(copy, pictures.size, *place);
            }
            let found = scores(classifier, &hidden, &vec![classes[k]; some.len()])?;
            falls.extend(found.into_iter().map(|score| (whole[k] - score).max(0.0)));
        }
        maps.push(Map::enlarged(&by_cell(&places, &falls), CELLS, CELLS, pictures.size));
    }
    Ok(maps)
}

/// The score of each picture's class.
fn scores(classifier: &dyn Classifier, pictures: &Pictures, classes: &[u16]) -> Result<Vec<f32>> {
    let scores = classifier.scores(pictures)?;
    let rows = scores.chunks_exact(classifier.classes()).zip(classes);
    Ok(rows.map(|(row, class)| row[usize::from(*class)]).collect())
}

/// Paints a square of cells grey.
fn hide(picture: &mut [f32], size: usize, (y, x): (usize, usize)) {
    let edge = |cell: usize| cell * size / CELLS;
    for plane in picture.chunks_exact_mut(size * size) {
        for row in plane.chunks_exact_mut(size).take(edge(y + HIDDEN)).skip(edge(y)) {
            row[edge(x)..edge(x + HIDDEN)].fill(0.5);
        }
    }
}

/// Mean fall of each cell over the squares that hide it.
fn by_cell(places: &[(usize, usize)], falls: &[f32]) -> Vec<f32> {
    let mut cells = vec![(0.0, 0.0); CELLS * CELLS];
    for (&(y, x), fall) in places.iter().zip(falls) {
        for (dy, dx) in (0..HIDDEN).flat_map(|dy| (0..HIDDEN).map(move |dx| (dy, dx))) {
            let cell: &mut (f32, f32) = &mut cells[(y + dy) * CELLS + x + dx];
            *cell = (cell.0 + fall, cell.1 + 1.0);
        }
    }
    cells.into_iter().map(|(sum, n)| sum / n).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Knows nothing but how bright the upper left pixel is.
    struct Corner;

    impl Classifier for Corner {
        fn classes(&self) -> usize {
            2
        }
        fn scores(&self, pictures: &Pictures) -> Result<Vec<f32>> {
            let picture = pictures.pixels.chunks_exact(pictures.values());
            Ok(picture.flat_map(|p| [p[0], 1.0 - p[0]]).collect())
        }
    }

    #[test]
    fn the_map_is_where_the_score_comes_from_whatever_the_batch() {
        let pictures = Pictures { pixels: vec![1.0; 3 * 16 * 16], count: 1, size: 16 };
        let map = occlusion(&Corner, &pictures, &[0], 64).unwrap().remove(0);
        // Only the first square hides the corner; it is the only one over the first cell.
        assert_eq!(map.values[0], 0.5);
        assert!(map.values[15] == 0.0 && map.values[16 * 16 - 1] == 0.0);
        assert_eq!(occlusion(&Corner, &pictures, &[0], 5).unwrap()[0], map);
        // The other class's score rises everywhere: nothing speaks for it.
        assert!(occlusion(&Corner, &pictures, &[1], 64).unwrap()[0].values.iter().all(|v| *v == 0.0));
    }

    #[test]
    fn pictures_smaller_than_the_cells_are_survived() {
        let pictures = Pictures { pixels: vec![1.0; 3 * 2 * 2], count: 1, size: 2 };
        assert_eq!(occlusion(&Corner, &pictures, &[0], 64).unwrap()[0].values.len(), 4);
    }
}
