//! Learnt positions on another grid than they were learnt on, by the rules of the authors' code.

use candle_core::Tensor;

use crate::error::Result;

/// Positions of `grid` by `grid` patches as positions of `rows` by `columns`, by bicubic interpolation.
///
/// Networks with registers were published with a filter that widens where the grid shrinks (`antialias`). Those without
/// have none, and take the new grid for a tenth of a patch larger than it is.
///
/// # Shapes
/// - `positions`: `[grid · grid, width]`; output: `[1, rows · columns, width]`
pub(super) fn resampled(
    positions: &Tensor,
    grid: usize,
    [rows, columns]: [usize; 2],
    antialias: bool,
) -> Result<Tensor> {
    let width = positions.dim(1)?;
    if [rows, columns] == [grid, grid] {
        return Ok(positions.unsqueeze(0)?);
    }
    let matrix = |to: usize| -> Result<Tensor> {
        let values = match antialias {
            true => widened(grid, to),
            false => bicubic(grid, to, grid as f64 / (to as f64 + 0.1)),
        };
        let matrix = Tensor::from_vec(values, (to, grid), positions.device())?;
        Ok(matrix.to_dtype(positions.dtype())?)
    };
    let by_row = matrix(rows)?.matmul(&positions.reshape((grid, grid * width))?)?;
    let by_column = matrix(columns)?.broadcast_matmul(&by_row.reshape((rows, grid, width))?)?;
    Ok(by_column.reshape((1, rows * columns, width))?)
}

/// Keys' cubic convolution kernel with this slope at 1.
fn cubic(x: f64, slope: f64) -> f64 {
    let x = x.abs();
    if x < 1.0 {
        ((slope + 2.0) * x - (slope + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        (((x - 5.0) * x + 8.0) * x - 4.0) * slope
    } else {
        0.0
    }
}

/// `[to, from]`: each output is made of the four inputs around its place, those beyond the ends being the last ones.
fn bicubic(from: usize, to: usize, scale: f64) -> Vec<f64> {
    let mut matrix = vec![0.0; to * from];
    for (i, row) in matrix.chunks_exact_mut(from).enumerate() {
        let place = scale * (i as f64 + 0.5) - 0.5;
        let first = place.floor() - 1.0;
        for tap in 0..4 {
            let at = first + f64::from(tap);
            row[at.clamp(0.0, from as f64 - 1.0) as usize] += cubic(place - at, -0.75);
        }
    }
    matrix
}

/// `[to, from]`: the kernel is as wide as the step between two outputs, cut at the ends and brought to a sum of one.
fn widened(from: usize, to: usize) -> Vec<f64> {
    let scale = from as f64 / to as f64;
    let stretch = scale.max(1.0);
    let mut matrix = vec![0.0; to * from];
    for (i, row) in matrix.chunks_exact_mut(from).enumerate() {
        let place = scale * (i as f64 + 0.5);
        let first = (place - 2.0 * stretch + 0.5).max(0.0) as usize;
        let end = ((place + 2.0 * stretch + 0.5) as usize).min(from);
        for (at, weight) in row.iter_mut().enumerate().take(end).skip(first) {
            *weight = cubic((at as f64 - place + 0.5) / stretch, -0.5);
        }
        let sum: f64 = row.iter().sum();
        row.iter_mut().for_each(|weight| *weight /= sum);
    }
    matrix
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_of_an_output_add_up_to_one_and_the_same_grid_stays() {
        for (from, to) in [(37, 16), (37, 7), (4, 9), (5, 5)] {
            for matrix in [widened(from, to), bicubic(from, to, from as f64 / (to as f64 + 0.1))] {
                let sums = matrix.chunks_exact(from).map(|row| row.iter().sum::<f64>());
                assert!(sums.into_iter().all(|sum| (sum - 1.0).abs() < 1e-12), "{from} {to}");
            }
        }
        let same = bicubic(3, 3, 1.0);
        assert_eq!(same, [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]);
        // Half a step between two of four: Keys' weights at one half, of slope -0.75.
        let between = bicubic(8, 4, 2.0);
        assert_eq!(between[8..16], [0.0, -0.093_75, 0.593_75, 0.593_75, -0.093_75, 0.0, 0.0, 0.0]);
    }
}
