//! Entries of [`table`](super::table) for the families that come in many sizes, which can be evaluated and not trained.

/// Swin: its name, its size as the paper has it, how many weights it has, its sizes.
macro_rules! swin {
    ($name:literal, $size:literal, $weights:literal, $config:ident) => {
        Architecture {
            name: $name,
            summary: concat!("Swin-", $size, ", evaluation only, ", $weights, " weights"),
            paper: "Liu et al. 2021, arXiv 2103.14030",
            evaluation_only: true,
            input_size: 224,
            head: "head.fc",
            build: |params, classes| swin::build(params, classes, &SwinConfig::$config),
        }
    };
}

/// DINOv2: its name, its size and what else tells it apart, how many weights it has, its size for the builder, registers.
macro_rules! dinov2 {
    ($name:literal, $size:literal, $weights:literal, $paper:literal, $builder:ident, $registers:literal) => {
        Architecture {
            name: $name,
            summary: concat!("DINOv2 ViT-", $size, ", encoder, evaluation only, ", $weights, " weights"),
            paper: $paper,
            evaluation_only: true,
            input_size: 518,
            head: "head",
            build: |params, classes| {
                dino::build(params, classes, &DinoConfig::v2(Size::$builder, $registers))
            },
        }
    };
}

/// DINOv3: its name, its size and what else tells it apart, how many weights it has, its size for the builder, which of
/// queries, keys and values have a bias, and whether its perceptrons have gates.
macro_rules! dinov3 {
    ($name:literal, $size:literal, $weights:literal, $builder:ident, $bias:ident, $gated:literal) => {
        Architecture {
            name: $name,
            summary: concat!("DINOv3 ViT-", $size, ", encoder, evaluation only, ", $weights, " weights"),
            paper: "Siméoni et al. 2025, arXiv 2508.10104",
            evaluation_only: true,
            input_size: 256,
            head: "head",
            build: |params, classes| {
                let config = DinoConfig::v3(Size::$builder, QkvBias::$bias, $gated);
                dino::build(params, classes, &config)
            },
        }
    };
}

pub(super) use {dinov2, dinov3, swin};
