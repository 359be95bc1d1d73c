//! The windows of a pooling layer: the pixels that each output depends on.

use crate::{Error, Result};
use std::ops::Range;

/// The input rows of each output row and the input columns of each output column, clipped to the image;
/// never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Windows {
    pub(crate) rows: Vec<Range<usize>>,
    pub(crate) columns: Vec<Range<usize>>,
}

impl Windows {
    /// Windows of a constant size at a constant stride. `plane` (the size of the image), `kernel` and `stride`
    /// are `[vertical, horizontal]`, `padding` is `[top, bottom, left, right]`.
    pub(crate) fn sliding(
        op: &'static str,
        plane: [usize; 2],
        kernel: [usize; 2],
        stride: [usize; 2],
        padding: [usize; 4],
    ) -> Result<Self> {
        for (parameter, value) in [("kernel", kernel), ("stride", stride)] {
            if value.contains(&0) {
                return Err(Error::Zero { op, parameter });
            }
        }
        let [top, bottom, left, right] = padding;
        if top.max(bottom) >= kernel[0] || left.max(right) >= kernel[1] {
            return Err(Error::Padding { op, padding, kernel });
        }
        let axis = |axis: usize, before: usize, after: usize| {
            let (size, kernel, stride) = (plane[axis], kernel[axis], stride[axis]);
            let room = (size + before + after).checked_sub(kernel);
            let Some(room) = room.filter(|_| size > 0) else {
                let expected = "a padded image of at least the kernel's size";
                return Err(Error::shape(op, "x", expected, &plane));
            };
            let range = |o: usize| {
                let start = o * stride;
                start.saturating_sub(before)..(start + kernel - before).min(size)
            };
            Ok((0..=room / stride).map(range).collect())
        };
        Ok(Self { rows: axis(0, top, bottom)?, columns: axis(1, left, right)? })
    }

    /// Windows that divide the image into `out` parts of nearly equal size. Part `i` is
    /// `floor(i * size / out)..ceil((i + 1) * size / out)`.
    pub(crate) fn adaptive(op: &'static str, plane: [usize; 2], out: [usize; 2]) -> Result<Self> {
        if out.contains(&0) {
            return Err(Error::Zero { op, parameter: "out" });
        }
        if plane.contains(&0) {
            return Err(Error::shape(op, "x", "an image with pixels", &plane));
        }
        let axis = |size: usize, out: usize| {
            let range = |i: usize| i * size / out..((i + 1) * size).div_ceil(out);
            (0..out).map(range).collect()
        };
        Ok(Self { rows: axis(plane[0], out[0]), columns: axis(plane[1], out[1]) })
    }

    /// Outputs of an image and channel.
    pub(crate) fn len(&self) -> usize {
        self.rows.len() * self.columns.len()
    }

    /// Calls `f` with the index of each output and its window.
    #[inline]
    pub(crate) fn each(&self, mut f: impl FnMut(usize, &Range<usize>, &Range<usize>)) {
        for (oy, rows) in self.rows.iter().enumerate() {
            for (ox, columns) in self.columns.iter().enumerate() {
                f(oy * self.columns.len() + ox, rows, columns);
            }
        }
    }
}

/// Images, channels, height and width of `x`.
pub(super) fn dims4(op: &'static str, x: &candle_core::Tensor) -> Result<[usize; 4]> {
    match x.dims() {
        &[n, c, h, w] => Ok([n, c, h, w]),
        other => Err(Error::shape(op, "x", "[batch, channels, height, width]", other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_clipped_to_the_image() {
        let w = Windows::sliding("t", [5, 4], [3, 2], [2, 2], [1, 1, 0, 0]).unwrap();
        assert_eq!(w.rows, [0..2, 1..4, 3..5]);
        assert_eq!(w.columns, [0..2, 2..4]);
    }

    #[test]
    fn adaptive_windows_cover_the_image() {
        let w = Windows::adaptive("t", [7, 3], [3, 5]).unwrap();
        assert_eq!(w.rows, [0..3, 2..5, 4..7]);
        assert_eq!(w.columns, [0..1, 0..2, 1..2, 1..3, 2..3]);
    }

    #[test]
    fn padding_of_a_whole_kernel_is_rejected() {
        let error = Windows::sliding("t", [5, 5], [2, 2], [1, 1], [2, 0, 0, 0]).unwrap_err();
        assert!(matches!(error, Error::Padding { padding: [2, 0, 0, 0], kernel: [2, 2], .. }), "{error}");
    }
}
