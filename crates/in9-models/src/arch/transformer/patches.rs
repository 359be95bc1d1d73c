//! Pictures as tokens: one of each patch.

use candle_core::Tensor;

use super::SMALL;
use crate::error::{Error, Result};
use crate::init::Init;
use crate::layers::Linear;
use crate::params::{Kind, Params};

/// A convolution whose stride is as long as its kernel: every patch is one row of a matrix product.
pub(crate) struct Patches {
    /// From the pixels of a patch, `3 · side · side`, to a token.
    layer: Linear,
    /// Side of a patch, in pixels.
    side: usize,
}

impl Patches {
    /// Parameters `name.weight`, `[width, 3, side, side]`, and, if it has one, `name.bias`.
    pub(crate) fn new(
        params: &Params,
        name: &str,
        side: usize,
        width: usize,
        has_bias: bool,
    ) -> Result<Self> {
        let params = params.at(name);
        let kernel = params.get("weight", &[width, 3, side, side], Kind::Weight, SMALL)?.value;
        let bias = match has_bias {
            true => Some(params.get("bias", &[width], Kind::Bias, Init::Constant(0.0))?.value),
            false => None,
        };
        Ok(Self { layer: Linear::of(kernel.reshape((width, 3 * side * side))?, bias), side })
    }

    /// The tokens, row by row, and how many rows and columns of patches there are. Pixels at the right and at the bottom
    /// that fill no patch are left out.
    ///
    /// # Shapes
    /// - `x`: `[n, 3, h, w]`
    /// - output: `[n, rows · columns, width]`
    ///
    /// # Errors
    /// [`Error::Shape`] for pictures smaller than a patch.
    pub(crate) fn forward(&self, x: &Tensor) -> Result<(Tensor, [usize; 2])> {
        let (n, _, height, width) = x.dims4()?;
        let side = self.side;
        let (rows, columns) = (height / side, width / side);
        if rows * columns == 0 {
            return Err(Error::Shape {
                what: "pictures in patches".into(),
                expected: format!("[n, 3, h, w] of at least {side} pixels a side"),
                found: x.dims().to_vec(),
            });
        }
        let x = x.narrow(2, 0, rows * side)?.narrow(3, 0, columns * side)?.contiguous()?;
        let lines = x.reshape((n * 3 * rows, side, columns, side))?.transpose(1, 2)?;
        let patches = lines.reshape((n, 3, rows * columns, side * side))?.transpose(1, 2)?;
        let tokens = self.layer.forward(&patches.reshape((n, rows * columns, 3 * side * side))?)?;
        Ok((tokens, [rows, columns]))
    }
}
