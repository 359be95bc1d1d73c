//! Passes of a network that come again and again with other numbers: on a GPU they are captured once and launched as a
//! whole, with the same bits.

#[cfg(feature = "cuda")]
mod fixed;
mod passes;
#[cfg(feature = "cuda")]
mod step;
#[cfg(feature = "cuda")]
pub(crate) mod step_keys;

pub(crate) use passes::Passes;
#[cfg(feature = "cuda")]
pub(crate) use step::CapturedStep;
