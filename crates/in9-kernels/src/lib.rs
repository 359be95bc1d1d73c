//! Fast, deterministic CPU kernels for Candle, forward and backward: convolution, batch norm, pooling, losses.
#![deny(missing_docs)]
