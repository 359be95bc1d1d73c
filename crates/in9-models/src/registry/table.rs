//! The table itself: one line an architecture.

use super::Architecture;
use crate::arch::resnet_small;

/// Every architecture, in the order of `in9-models list`.
pub static ARCHITECTURES: &[Architecture] = &[
    Architecture {
        name: "resnet-small",
        summary: "residual network of 8 basic blocks for 64×64 photographs, 2.8 M weights",
        input_size: 64,
        head: "fc",
        build: |params, classes| resnet_small::build(params, classes, 32),
    },
    Architecture {
        name: "resnet-tiny",
        summary: "resnet-small at half the width, 0.7 M weights",
        input_size: 64,
        head: "fc",
        build: |params, classes| resnet_small::build(params, classes, 16),
    },
];
