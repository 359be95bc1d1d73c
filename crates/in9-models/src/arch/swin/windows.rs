//! Windows over a grid of tokens, straight or shifted by half a window.

use candle_core::Tensor;

use crate::error::Result;

/// How a grid of tokens falls into windows.
pub(crate) struct Windows {
    /// Tokens a side of a window.
    side: usize,
    rows: usize,
    columns: usize,
    /// Rows and columns with those that fill the last windows.
    whole: [usize; 2],
    /// By how many rows and columns windows are shifted, when they are: none where one window is all.
    shift: [usize; 2],
    /// What keeps apart, in shifted windows, tokens that are no neighbours, `[windows, 1, area, area]`.
    mask: Option<Tensor>,
}

/// What is added to the product of two tokens that must not attend to each other.
const APART: f32 = -100.0;

impl Windows {
    /// For `rows` by `columns` tokens; the mask is on the device and in the type of `like`.
    pub(crate) fn new(side: usize, rows: usize, columns: usize, like: &Tensor) -> Result<Self> {
        let whole = [rows, columns].map(|tokens| tokens.next_multiple_of(side));
        let shift = whole.map(|tokens| if tokens > side { side / 2 } else { 0 });
        let mask = match shift {
            [0, 0] => None,
            _ => {
                let area = side * side;
                let windows = whole[0] * whole[1] / area;
                let values = mask(side, whole, shift);
                let mask = Tensor::from_vec(values, (windows, 1, area, area), like.device())?;
                Some(mask.to_dtype(like.dtype())?)
            }
        };
        Ok(Self { side, rows, columns, whole, shift, mask })
    }

    /// The mask of straight or of shifted windows.
    pub(super) fn mask(&self, shifted: bool) -> Option<&Tensor> {
        self.mask.as_ref().filter(|_| shifted)
    }

    /// The tokens by window.
    ///
    /// # Shapes
    /// - `x`: `[n, rows, columns, width]`
    /// - output: `[n · windows, area, width]`
    pub(crate) fn cut(&self, x: &Tensor, shifted: bool) -> Result<Tensor> {
        let (n, _, _, width) = x.dims4()?;
        let ([rows, columns], side) = (self.whole, self.side);
        let mut x = x.pad_with_zeros(1, 0, rows - self.rows)?.pad_with_zeros(2, 0, columns - self.columns)?;
        if shifted {
            for (axis, shift) in (1..).zip(self.shift) {
                x = turned(&x, axis, shift)?;
            }
        }
        let x = x.contiguous()?.reshape(&[n, rows / side, side, columns / side, side, width])?;
        let windows = n * (rows / side) * (columns / side);
        Ok(x.permute([0, 1, 3, 2, 4, 5])?.contiguous()?.reshape((windows, side * side, width))?)
    }

    /// What [`Windows::cut`] cut, back in its place; what filled the last windows is gone.
    ///
    /// # Shapes
    /// - `x`: `[n · windows, area, width]`
    /// - output: `[n, rows, columns, width]`
    pub(crate) fn joined(&self, x: &Tensor, shifted: bool) -> Result<Tensor> {
        let (windows, _, width) = x.dims3()?;
        let ([rows, columns], side) = (self.whole, self.side);
        let n = windows / (rows / side * (columns / side));
        let x = x.reshape(&[n, rows / side, columns / side, side, side, width])?;
        let mut x = x.permute([0, 1, 3, 2, 4, 5])?.contiguous()?.reshape((n, rows, columns, width))?;
        if shifted {
            for (axis, (shift, whole)) in (1..).zip(self.shift.into_iter().zip(self.whole)) {
                x = turned(&x, axis, (whole - shift) % whole)?;
            }
        }
        Ok(x.narrow(1, 0, self.rows)?.narrow(2, 0, self.columns)?.contiguous()?)
    }
}

/// The first `by` entries along an axis put behind the others.
fn turned(x: &Tensor, axis: usize, by: usize) -> Result<Tensor> {
    if by == 0 {
        return Ok(x.clone());
    }
    let rest = x.dim(axis)? - by;
    Ok(Tensor::cat(&[&x.narrow(axis, by, rest)?, &x.narrow(axis, 0, by)?], axis)?)
}

/// Zero where two tokens of a shifted window stood side by side before the shift, [`APART`] where one of them came from the
/// other end of the grid, `[windows, area, area]`.
fn mask(side: usize, whole: [usize; 2], shift: [usize; 2]) -> Vec<f32> {
    // Only the last window along an axis holds tokens of both ends; the last `shift` of its places are those of the other.
    let other_end = |axis: usize, at: usize| at >= whole[axis] - shift[axis];
    let mut values = Vec::new();
    for window_row in 0..whole[0] / side {
        for window_column in 0..whole[1] / side {
            let token = |i: usize| {
                let (row, column) = (window_row * side + i / side, window_column * side + i % side);
                (other_end(0, row), other_end(1, column))
            };
            for a in 0..side * side {
                values.extend((0..side * side).map(|b| if token(a) == token(b) { 0.0 } else { APART }));
            }
        }
    }
    values
}

/// For each pair of tokens of a window, by rows, where the table has the bias of their distance.
pub(super) fn places(side: usize) -> Vec<u32> {
    let steps = 2 * side - 1;
    let mut places = Vec::with_capacity(side.pow(4));
    for a in 0..side * side {
        for b in 0..side * side {
            let down = a / side + side - 1 - b / side;
            let across = a % side + side - 1 - b % side;
            places.push((down * steps + across) as u32);
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{DType, Device};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_cut_is_joined_again(rows in 1usize..12, columns in 1usize..12, shifted: bool) {
            let x = Tensor::arange(0f32, (2 * rows * columns * 3) as f32, &Device::Cpu).unwrap();
            let x = x.reshape((2, rows, columns, 3)).unwrap();
            let windows = Windows::new(4, rows, columns, &x).unwrap();
            let cut = windows.cut(&x, shifted).unwrap();
            prop_assert_eq!(cut.dims()[1..].to_vec(), vec![16, 3]);
            let joined = windows.joined(&cut, shifted).unwrap();
            let flat = |x: &Tensor| x.flatten_all().unwrap().to_vec1::<f32>().unwrap();
            prop_assert_eq!(flat(&joined), flat(&x));
        }
    }

    #[test]
    fn shifted_windows_keep_the_ends_apart() {
        let like = Tensor::zeros(1, DType::F32, &Device::Cpu).unwrap();
        let windows = Windows::new(2, 4, 4, &like).unwrap();
        assert!(windows.mask(false).is_none());
        let mask = windows.mask(true).unwrap().squeeze(1).unwrap().to_vec3::<f32>().unwrap();
        assert!(mask[0].iter().flatten().all(|value| *value == 0.0));
        // The window at the top right: its right column came from the left end.
        assert_eq!(mask[1][0], [0.0, APART, 0.0, APART]);
        assert_eq!(mask[2][0], [0.0, 0.0, APART, APART]);
        assert_eq!(mask[3][0], [0.0, APART, APART, APART]);
        // One window alone is not shifted.
        assert!(Windows::new(2, 2, 2, &like).unwrap().mask(true).is_none());
    }

    #[test]
    fn the_table_has_a_place_for_each_distance() {
        let places = places(3);
        assert_eq!((places.len(), places[0]), (81, 12), "no distance is in the middle");
        // From the first to the last token, and back.
        assert_eq!((places[8], places[8 * 9]), (0, 24));
    }
}
