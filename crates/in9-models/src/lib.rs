//! The networks of the ImageNet-9 paper on Candle: architectures, weights, training, prediction.
#![deny(missing_docs)]
