//! The architectures, one family a file.

pub mod resnet_small;
