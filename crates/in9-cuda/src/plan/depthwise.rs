//! Depthwise convolution.

use super::{Matrix, Reduction, convert};
use crate::Activation;
use crate::launch::arguments::{buffer, int, long, optional};
use crate::launch::{Argument, Element, Plan};

/// Sizes of a convolution in which every channel has one filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Depthwise {
    /// F32 or Bf16.
    pub element: Element,
    /// Images.
    pub n: usize,
    /// Channels.
    pub channels: usize,
    /// Height and width of the input.
    pub input: [usize; 2],
    /// Height and width of the output.
    pub output: [usize; 2],
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// Vertical and horizontal.
    pub stride: [usize; 2],
    /// Rows of zeros above and columns of zeros to the left.
    pub padding: [usize; 2],
    /// Vertical and horizontal.
    pub dilation: [usize; 2],
}

impl Depthwise {
    fn matrix(&self, [h, w]: [usize; 2]) -> Matrix {
        Matrix { rows: self.n * h * w, channels: self.channels, element: self.element }
    }

    fn shape(&self) -> impl Iterator<Item = Argument> {
        let pairs = [self.input, self.output, self.kernel, self.stride, self.padding, self.dilation];
        std::iter::once(self.channels).chain(pairs.into_iter().flatten()).map(int)
    }

    /// The filters with the taps first: those of a caller are `[channels, 1, kh, kw]`.
    fn taps_first(&self, plan: &mut Plan, filters: Argument) -> Argument {
        let taps = self.kernel[0] * self.kernel[1];
        let turned = plan.temporary(Element::F32, taps * self.channels);
        convert::launch_transpose(plan, [Element::F32; 2], [1, self.channels, taps], filters, turned);
        turned
    }

    /// Buffers: x, filters (f32, `[channels, 1, kh, kw]`), bias `[channels]` (if `with_bias`), y.
    pub fn forward(&self, activation: Activation, with_bias: bool) -> Plan {
        let (mut plan, y) = (Plan::new(4), self.matrix(self.output));
        let filters = self.taps_first(&mut plan, buffer(1));
        let mut arguments = vec![buffer(0), filters, optional(with_bias, 2, Element::F32), buffer(3)];
        arguments.push(long(y.vectors()));
        arguments.extend(self.shape());
        arguments.extend([activation.argument(), int(usize::from(with_bias))]);
        plan.each(format!("depthwise_{}", y.suffix()), y.vectors(), arguments);
        plan
    }

    /// The gradient with respect to the image. Buffers: dy, filters, dx.
    pub fn backward_data(&self) -> Plan {
        let (mut plan, x) = (Plan::new(3), self.matrix(self.input));
        let filters = self.taps_first(&mut plan, buffer(1));
        let mut arguments = vec![buffer(0), filters, buffer(2), long(x.vectors())];
        arguments.extend(self.shape());
        plan.each(format!("depthwise_dx_{}", x.suffix()), x.vectors(), arguments);
        plan
    }

    /// The gradient with respect to the filters. Buffers: x, dy, dw (f32, `[channels, 1, kh, kw]`).
    pub fn backward_weight(&self) -> Plan {
        let (mut plan, y) = (Plan::new(3), self.matrix(self.output));
        let [kh, kw] = self.kernel;
        let cut = Reduction::new(y.rows, self.channels, self.element);
        let pairs = kh * kw.div_ceil(2);
        let partial = plan.temporary(Element::F32, pairs * cut.parts * 2 * self.channels);
        let mut arguments = vec![buffer(0), buffer(1), partial, long(y.rows), int(cut.rows_each)];
        arguments.extend(self.shape());
        let grid = [cut.columns, cut.parts, pairs];
        plan.launch(format!("depthwise_dw_{}", y.suffix()), grid, cut.block, arguments);
        let arguments = vec![partial, buffer(2), int(cut.parts), int(self.channels), int(kh), int(kw)];
        plan.each("depthwise_dw_finish", self.channels * kh * kw, arguments);
        plan
    }
}
