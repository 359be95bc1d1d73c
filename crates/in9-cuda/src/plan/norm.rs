//! Batch normalisation, its gradients, running statistics, and the epilogue of convolutions.

use super::{Matrix, Reduction};
use crate::Activation;
use crate::launch::arguments::{buffer, float, int, long, optional};
use crate::launch::{Argument, Element, Plan};

const WITH_SCALE: usize = 1;
const WITH_OFFSET: usize = 2;
const WITH_RESIDUAL: usize = 4;

/// Batch normalisation in training: `y = activation(gamma (x - mean) / sqrt(var + eps) + beta + residual)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchNorm {
    /// The activations.
    pub x: Matrix,
    /// Added to the variance.
    pub eps: f64,
    /// After the residual.
    pub activation: Activation,
    /// Whether there is a residual, laid out as x.
    pub residual: bool,
}

impl BatchNorm {
    fn with(&self) -> usize {
        WITH_SCALE | WITH_OFFSET | if self.residual { WITH_RESIDUAL } else { 0 }
    }

    /// Scale and offset of each channel, as two temporaries.
    fn affine(&self, plan: &mut Plan, [mean, var, gamma, beta]: [Argument; 4]) -> [Argument; 2] {
        let channels = self.x.channels;
        let scale = plan.temporary(Element::F32, channels);
        let offset = plan.temporary(Element::F32, channels);
        let arguments = vec![mean, var, gamma, beta, scale, offset, float(self.eps), int(channels)];
        plan.each("affine", channels, arguments);
        [scale, offset]
    }

    /// Buffers: x, gamma, beta, residual, y, mean `[channels]`, biased variance `[channels]`; y, mean and variance
    /// are written.
    pub fn forward(&self) -> Plan {
        let mut plan = Plan::new(7);
        let [x, gamma, beta, mean, var] = [0, 1, 2, 5, 6].map(buffer);
        let (m, cut) = (self.x, Reduction::new(self.x.rows, self.x.channels, self.x.element));
        let partial = plan.temporary(Element::F32, cut.parts * 2 * m.channels);
        plan.launch(
            format!("moments_{}", m.suffix()),
            cut.grid(),
            cut.block,
            vec![x, partial, long(m.rows), int(m.channels), int(cut.rows_each)],
        );
        plan.each(
            format!("moments_finish_{}", m.element.suffix(1)),
            m.channels,
            vec![x, partial, mean, var, int(cut.parts), long(m.rows), int(m.channels)],
        );
        let [scale, offset] = self.affine(&mut plan, [mean, var, gamma, beta]);
        let residual = optional(self.residual, 3, m.element);
        let rest = [long(m.vectors()), int(m.channels), self.activation.argument(), int(self.with())];
        let arguments = [x, scale, offset, residual, buffer(4)].into_iter().chain(rest).collect();
        plan.each(format!("normalize_{}", m.suffix()), m.vectors(), arguments);
        plan
    }

    /// Buffers: x, gamma, beta, residual, mean, variance, dy, and written: dx, the residual's gradient, dgamma, dbeta.
    pub fn backward(&self) -> Plan {
        let mut plan = Plan::new(11);
        let [x, gamma, beta, mean, var, dy] = [0, 1, 2, 4, 5, 6].map(buffer);
        let (m, cut) = (self.x, Reduction::new(self.x.rows, self.x.channels, self.x.element));
        let residual = optional(self.residual, 3, m.element);
        let [scale, offset] = self.affine(&mut plan, [mean, var, gamma, beta]);
        let partial = plan.temporary(Element::F32, cut.parts * 2 * m.channels);
        let mean_d = plan.temporary(Element::F32, m.channels);
        let slopes = plan.temporary(Element::F32, m.channels);
        let (activation, with) = (self.activation.argument(), int(self.with()));
        let sizes = [long(m.rows), int(m.channels), int(cut.rows_each), activation, with];
        let arguments = [x, dy, residual, mean, scale, offset, partial].into_iter().chain(sizes).collect();
        plan.launch(format!("norm_sums_{}", m.suffix()), cut.grid(), cut.block, arguments);
        let sizes = [int(cut.parts), long(m.rows), int(m.channels), float(self.eps)];
        let arguments =
            [partial, var, buffer(9), buffer(10), mean_d, slopes].into_iter().chain(sizes).collect();
        plan.each("norm_finish", m.channels, arguments);
        let sizes = [long(m.vectors()), int(m.channels), activation, with];
        let dresidual = optional(self.residual, 8, m.element);
        let inputs = [x, dy, residual, mean, scale, offset, mean_d, slopes, buffer(7), dresidual];
        let arguments = inputs.into_iter().chain(sizes).collect();
        plan.each(format!("norm_dx_{}", m.suffix()), m.vectors(), arguments);
        plan
    }
}

/// `running += momentum (batch - running)`, the variance unbiased by `count`, the elements of a channel.
///
/// Buffers: running mean and variance (changed), the batch's mean and biased variance.
pub fn running_statistics(channels: usize, momentum: f64, count: usize) -> Plan {
    let mut plan = Plan::new(4);
    let unbiased = count as f64 / (count as f64 - 1.0).max(1.0);
    let mut arguments: Vec<_> = (0..4).map(buffer).collect();
    arguments.extend([float(momentum), float(unbiased), int(channels)]);
    plan.each("running_statistics", channels, arguments);
    plan
}

/// `y = activation(x + bias + residual)`: what follows a convolution.
///
/// Buffers: x, bias `[channels]`, residual, y. y may be x.
pub fn epilogue(x: Matrix, activation: Activation, bias: bool, residual: bool) -> Plan {
    let mut plan = Plan::new(4);
    let with = if bias { WITH_OFFSET } else { 0 } | if residual { WITH_RESIDUAL } else { 0 };
    let arguments = vec![
        buffer(0),
        Argument::Absent(Element::F32),
        optional(bias, 1, Element::F32),
        optional(residual, 2, x.element),
        buffer(3),
        long(x.vectors()),
        int(x.channels),
        activation.argument(),
        int(with),
    ];
    plan.each(format!("normalize_{}", x.suffix()), x.vectors(), arguments);
    plan
}

/// The gradient of a bias: the sum of each channel. Buffers: dy, db `[channels]`.
pub fn bias_gradient(dy: Matrix) -> Plan {
    let mut plan = Plan::new(2);
    let cut = Reduction::new(dy.rows, dy.channels, dy.element);
    let partial = plan.temporary(Element::F32, cut.parts * 2 * dy.channels);
    let sizes = vec![buffer(0), partial, long(dy.rows), int(dy.channels), int(cut.rows_each)];
    plan.launch(format!("row_sums_{}", dy.suffix()), cut.grid(), cut.block, sizes);
    let arguments = vec![partial, buffer(1), int(cut.parts), int(dy.channels)];
    plan.each("row_sums_finish", dy.channels, arguments);
    plan
}
