//! The sizes of a convolution, checked once.

use super::Conv2dConfig;
use crate::{Error, Result};

/// Sizes of one convolution in elements. All tensors are contiguous, in NCHW order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Geometry {
    /// Images of the batch.
    pub(crate) n: usize,
    /// Input channels.
    pub(crate) ci: usize,
    /// Height and width of the input.
    pub(crate) h: usize,
    pub(crate) w: usize,
    /// Output channels.
    pub(crate) co: usize,
    /// Height and width of the kernel.
    pub(crate) kh: usize,
    pub(crate) kw: usize,
    /// Vertical and horizontal stride.
    pub(crate) sy: usize,
    pub(crate) sx: usize,
    /// Padding.
    pub(crate) top: usize,
    pub(crate) left: usize,
    pub(crate) bottom: usize,
    pub(crate) right: usize,
    /// Vertical and horizontal dilation.
    pub(crate) dy: usize,
    pub(crate) dx: usize,
    pub(crate) groups: usize,
    /// Height and width of the output.
    pub(crate) oh: usize,
    pub(crate) ow: usize,
}

impl Geometry {
    pub(crate) fn new(x: &[usize], w: &[usize], config: &Conv2dConfig) -> Result<Self> {
        const OP: &str = "conv2d";
        let &[n, ci, h, width] = x else {
            return Err(Error::shape(OP, "x", "[batch, channels, height, width]", x));
        };
        let &[co, cig, kh, kw] = w else {
            return Err(Error::shape(OP, "w", "[out, in/groups, height, width]", w));
        };
        config.check()?;
        let groups = config.groups;
        if ci != cig * groups || !co.is_multiple_of(groups) || kh == 0 || kw == 0 {
            let expected = format!("[multiple of {groups}, {ci}/{groups}, ≥1, ≥1]");
            return Err(Error::shape(OP, "w", expected, w));
        }
        let [top, bottom, left, right] = config.padding;
        let [sy, sx] = config.stride;
        let [dy, dx] = config.dilation;
        let out = |size: usize, pad: usize, kernel: usize, dilation: usize, stride: usize| {
            (size + pad).checked_sub(dilation * (kernel - 1) + 1).map(|room| room / stride + 1)
        };
        let (Some(oh), Some(ow)) = (out(h, top + bottom, kh, dy, sy), out(width, left + right, kw, dx, sx))
        else {
            let expected =
                format!("an image that, padded, is at least as large as the {kh}×{kw} kernel, dilated");
            return Err(Error::shape(OP, "x", expected, x));
        };
        Ok(Self { n, ci, h, w: width, co, kh, kw, sy, sx, top, left, bottom, right, dy, dx, groups, oh, ow })
    }

    /// Input channels of a group.
    pub(crate) fn cig(&self) -> usize {
        self.ci / self.groups
    }

    /// Output channels of a group.
    pub(crate) fn cog(&self) -> usize {
        self.co / self.groups
    }

    /// Kernel taps.
    pub(crate) fn taps(&self) -> usize {
        self.kh * self.kw
    }

    /// Pixels of an input plane.
    pub(crate) fn plane_in(&self) -> usize {
        self.h * self.w
    }

    /// Pixels of an output plane.
    pub(crate) fn plane_out(&self) -> usize {
        self.oh * self.ow
    }

    /// Whether every channel has one filter of its own.
    pub(crate) fn is_depthwise(&self) -> bool {
        self.groups > 1 && self.groups == self.ci && self.groups == self.co
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_sizes_follow_the_floor_rule() {
        let config = Conv2dConfig::new(2, 3);
        let g = Geometry::new(&[1, 3, 224, 227], &[64, 3, 7, 7], &config).unwrap();
        assert_eq!((g.oh, g.ow), (112, 114));
    }

    #[test]
    fn a_kernel_larger_than_the_padded_image_is_rejected() {
        let error = Geometry::new(&[1, 3, 4, 4], &[8, 3, 7, 7], &Conv2dConfig::new(1, 1));
        assert!(error.unwrap_err().to_string().contains("x has shape"));
    }
}
