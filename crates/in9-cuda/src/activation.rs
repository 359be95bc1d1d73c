//! Activation functions by number.

use crate::launch::Argument;

/// An activation function, in the order of the kernels' and of in9-kernels' enum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum Activation {
    /// The identity.
    #[default]
    None,
    /// `max(x, 0)`.
    Relu,
    /// `min(max(x, 0), 6)`.
    Relu6,
    /// `x · relu6(x + 3) / 6`.
    HardSwish,
    /// `x · sigmoid(x)`.
    Silu,
    /// `relu6(x + 3) / 6`.
    HardSigmoid,
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
}

impl Activation {
    /// All, in order.
    pub const ALL: [Self; 7] =
        [Self::None, Self::Relu, Self::Relu6, Self::HardSwish, Self::Silu, Self::HardSigmoid, Self::Sigmoid];

    pub(crate) fn argument(self) -> Argument {
        Argument::I32(self as i32)
    }
}
