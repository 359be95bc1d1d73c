//! The table itself.

use super::Architecture;
#[cfg(feature = "transformers")]
use super::encoders::{dinov2, dinov3, swin};
use crate::arch::efficientnet::{self, Variant};
use crate::arch::mobilenet_v3::{self, Size as MobileNet};
use crate::arch::resnet::{self, Blocks};
use crate::arch::{alexnet, dpn, mobilenet_v2, mobilenet_v3_timm, resnet_small, shufflenet_v2, vgg};
#[cfg(feature = "transformers")]
use crate::arch::{
    convnext, dino, dino::DinoConfig, dino::Size, swin, swin::SwinConfig, transformer::QkvBias, vit,
};

const B0: Variant = Variant { lite: false, width: 1.0, depth: 1.0, tensorflow: true };
const LITE0: Variant = Variant { lite: true, ..B0 };

/// Every architecture, in the order of `in9-models list`.
pub static ARCHITECTURES: &[Architecture] = &[
    Architecture {
        name: "resnet-small",
        summary: "residual network of 8 basic blocks for 64×64 photographs, 2.8 M weights",
        paper: "He et al. 2015, arXiv 1512.03385",
        evaluation_only: false,
        input_size: 64,
        head: "fc",
        build: |params, classes| resnet_small::build(params, classes, 32),
    },
    Architecture {
        name: "resnet-tiny",
        summary: "resnet-small at half the width, 0.7 M weights",
        paper: "He et al. 2015, arXiv 1512.03385",
        evaluation_only: false,
        input_size: 64,
        head: "fc",
        build: |params, classes| resnet_small::build(params, classes, 16),
    },
    Architecture {
        name: "alexnet",
        summary: "AlexNet, one tower, no batch norm, 61.1 M weights",
        paper: "Krizhevsky 2014, arXiv 1404.5997",
        evaluation_only: false,
        input_size: 224,
        head: "classifier.6",
        build: alexnet::build,
    },
    Architecture {
        name: "vgg16_bn",
        summary: "VGG16 with batch norm, 138.4 M weights",
        paper: "Simonyan and Zisserman 2014, arXiv 1409.1556",
        evaluation_only: false,
        input_size: 224,
        head: "classifier.6",
        build: vgg::build,
    },
    Architecture {
        name: "resnet18",
        summary: "ResNet-18, 11.7 M weights",
        paper: "He et al. 2015, arXiv 1512.03385",
        evaluation_only: false,
        input_size: 224,
        head: "fc",
        build: |params, classes| resnet::build(params, classes, [2, 2, 2, 2], Blocks::Basic),
    },
    Architecture {
        name: "resnet34",
        summary: "ResNet-34, 21.8 M weights",
        paper: "He et al. 2015, arXiv 1512.03385",
        evaluation_only: false,
        input_size: 224,
        head: "fc",
        build: |params, classes| resnet::build(params, classes, [3, 4, 6, 3], Blocks::Basic),
    },
    Architecture {
        name: "resnet50",
        summary: "ResNet-50, 25.6 M weights",
        paper: "He et al. 2015, arXiv 1512.03385",
        evaluation_only: false,
        input_size: 224,
        head: "fc",
        build: |params, classes| {
            resnet::build(params, classes, [3, 4, 6, 3], Blocks::Bottleneck { width: 64 })
        },
    },
    Architecture {
        name: "resnet101",
        summary: "ResNet-101, 44.5 M weights",
        paper: "He et al. 2015, arXiv 1512.03385",
        evaluation_only: false,
        input_size: 224,
        head: "fc",
        build: |params, classes| {
            resnet::build(params, classes, [3, 4, 23, 3], Blocks::Bottleneck { width: 64 })
        },
    },
    Architecture {
        name: "resnet152",
        summary: "ResNet-152, 60.2 M weights",
        paper: "He et al. 2015, arXiv 1512.03385",
        evaluation_only: false,
        input_size: 224,
        head: "fc",
        build: |params, classes| {
            resnet::build(params, classes, [3, 8, 36, 3], Blocks::Bottleneck { width: 64 })
        },
    },
    Architecture {
        name: "wide_resnet50_2",
        summary: "ResNet-50 with twice the width in its bottlenecks, 68.9 M weights",
        paper: "Zagoruyko and Komodakis 2016, arXiv 1605.07146",
        evaluation_only: false,
        input_size: 224,
        head: "fc",
        build: |params, classes| {
            resnet::build(params, classes, [3, 4, 6, 3], Blocks::Bottleneck { width: 128 })
        },
    },
    Architecture {
        name: "shufflenet_v2_x0_5",
        summary: "ShuffleNetV2 at half width, 1.4 M weights",
        paper: "Ma et al. 2018, arXiv 1807.11164",
        evaluation_only: false,
        input_size: 224,
        head: "fc",
        build: |params, classes| shufflenet_v2::build(params, classes, [48, 96, 192]),
    },
    Architecture {
        name: "shufflenet_v2_x1_0",
        summary: "ShuffleNetV2, 2.3 M weights",
        paper: "Ma et al. 2018, arXiv 1807.11164",
        evaluation_only: false,
        input_size: 224,
        head: "fc",
        build: |params, classes| shufflenet_v2::build(params, classes, [116, 232, 464]),
    },
    Architecture {
        name: "mobilenet_v2",
        summary: "MobileNetV2, 3.5 M weights",
        paper: "Sandler et al. 2018, arXiv 1801.04381",
        evaluation_only: false,
        input_size: 224,
        head: "classifier.1",
        build: mobilenet_v2::build,
    },
    Architecture {
        name: "mobilenet_v3_small",
        summary: "MobileNetV3 small, torchvision's form, 2.5 M weights",
        paper: "Howard et al. 2019, arXiv 1905.02244",
        evaluation_only: false,
        input_size: 224,
        head: "classifier.3",
        build: |params, classes| mobilenet_v3::build(params, classes, MobileNet::Small),
    },
    Architecture {
        name: "mobilenet_v3_large",
        summary: "MobileNetV3 large, torchvision's form, 5.5 M weights",
        paper: "Howard et al. 2019, arXiv 1905.02244",
        evaluation_only: false,
        input_size: 224,
        head: "classifier.3",
        build: |params, classes| mobilenet_v3::build(params, classes, MobileNet::Large),
    },
    Architecture {
        name: "mobilenetv3_small_100",
        summary: "MobileNetV3 small, timm's form, 2.5 M weights",
        paper: "Howard et al. 2019, arXiv 1905.02244",
        evaluation_only: false,
        input_size: 224,
        head: "classifier",
        build: |params, classes| mobilenet_v3_timm::build(params, classes, MobileNet::Small, false),
    },
    Architecture {
        name: "mobilenetv3_large_100",
        summary: "MobileNetV3 large, timm's form, 5.5 M weights",
        paper: "Howard et al. 2019, arXiv 1905.02244",
        evaluation_only: false,
        input_size: 224,
        head: "classifier",
        build: |params, classes| mobilenet_v3_timm::build(params, classes, MobileNet::Large, false),
    },
    Architecture {
        name: "tf_mobilenetv3_small_100",
        summary: "MobileNetV3 small, timm's form, TensorFlow padding, 2.5 M weights",
        paper: "Howard et al. 2019, arXiv 1905.02244",
        evaluation_only: false,
        input_size: 224,
        head: "classifier",
        build: |params, classes| mobilenet_v3_timm::build(params, classes, MobileNet::Small, true),
    },
    Architecture {
        name: "tf_mobilenetv3_large_100",
        summary: "MobileNetV3 large, timm's form, TensorFlow padding, 5.5 M weights",
        paper: "Howard et al. 2019, arXiv 1905.02244",
        evaluation_only: false,
        input_size: 224,
        head: "classifier",
        build: |params, classes| mobilenet_v3_timm::build(params, classes, MobileNet::Large, true),
    },
    Architecture {
        name: "efficientnet_b0",
        summary: "EfficientNet-B0, 5.3 M weights",
        paper: "Tan and Le 2019, arXiv 1905.11946",
        evaluation_only: false,
        input_size: 224,
        head: "classifier",
        build: |params, classes| efficientnet::build(params, classes, Variant { tensorflow: false, ..B0 }),
    },
    Architecture {
        name: "tf_efficientnet_b0",
        summary: "EfficientNet-B0, TensorFlow padding, 5.3 M weights",
        paper: "Tan and Le 2019, arXiv 1905.11946",
        evaluation_only: false,
        input_size: 224,
        head: "classifier",
        build: |params, classes| efficientnet::build(params, classes, B0),
    },
    Architecture {
        name: "efficientnet_lite0",
        summary: "EfficientNet-Lite0, 4.7 M weights",
        paper: "Tan and Le 2019, arXiv 1905.11946",
        evaluation_only: false,
        input_size: 224,
        head: "classifier",
        build: |params, classes| efficientnet::build(params, classes, Variant { tensorflow: false, ..LITE0 }),
    },
    Architecture {
        name: "tf_efficientnet_lite0",
        summary: "EfficientNet-Lite0, TensorFlow padding, 4.7 M weights",
        paper: "Tan and Le 2019, arXiv 1905.11946",
        evaluation_only: false,
        input_size: 224,
        head: "classifier",
        build: |params, classes| efficientnet::build(params, classes, LITE0),
    },
    Architecture {
        name: "tf_efficientnet_lite1",
        summary: "EfficientNet-Lite1, TensorFlow padding, 5.4 M weights",
        paper: "Tan and Le 2019, arXiv 1905.11946",
        evaluation_only: false,
        input_size: 240,
        head: "classifier",
        build: |params, classes| efficientnet::build(params, classes, Variant { depth: 1.1, ..LITE0 }),
    },
    Architecture {
        name: "tf_efficientnet_lite2",
        summary: "EfficientNet-Lite2, TensorFlow padding, 6.1 M weights",
        paper: "Tan and Le 2019, arXiv 1905.11946",
        evaluation_only: false,
        input_size: 260,
        head: "classifier",
        build: |params, classes| {
            efficientnet::build(params, classes, Variant { width: 1.1, depth: 1.2, ..LITE0 })
        },
    },
    Architecture {
        name: "dpn92",
        summary: "Dual-path network of 92 layers, 37.7 M weights",
        paper: "Chen et al. 2017, arXiv 1707.01629",
        evaluation_only: false,
        input_size: 224,
        head: "classifier",
        build: dpn::build,
    },
    #[cfg(feature = "transformers")]
    Architecture {
        name: "vit_base_patch16_224",
        summary: "ViT-B/16, evaluation only, 86.6 M weights",
        paper: "Dosovitskiy et al. 2020, arXiv 2010.11929",
        evaluation_only: true,
        input_size: 224,
        head: "head",
        build: |params, classes| vit::build(params, classes, 768, 12),
    },
    #[cfg(feature = "transformers")]
    Architecture {
        name: "deit_tiny_patch16_224",
        summary: "DeiT-Ti, evaluation only, 5.7 M weights",
        paper: "Touvron et al. 2020, arXiv 2012.12877",
        evaluation_only: true,
        input_size: 224,
        head: "head",
        build: |params, classes| vit::build(params, classes, 192, 3),
    },
    #[cfg(feature = "transformers")]
    Architecture {
        name: "deit_small_patch16_224",
        summary: "DeiT-S, evaluation only, 22.1 M weights",
        paper: "Touvron et al. 2020, arXiv 2012.12877",
        evaluation_only: true,
        input_size: 224,
        head: "head",
        build: |params, classes| vit::build(params, classes, 384, 6),
    },
    #[cfg(feature = "transformers")]
    Architecture {
        name: "deit_base_patch16_224",
        summary: "DeiT-B, evaluation only, 86.6 M weights",
        paper: "Touvron et al. 2020, arXiv 2012.12877",
        evaluation_only: true,
        input_size: 224,
        head: "head",
        build: |params, classes| vit::build(params, classes, 768, 12),
    },
    #[cfg(feature = "transformers")]
    Architecture {
        name: "convnext_tiny",
        summary: "ConvNeXt-T, evaluation only, 28.6 M weights",
        paper: "Liu et al. 2022, arXiv 2201.03545",
        evaluation_only: true,
        input_size: 288,
        head: "head.fc",
        build: convnext::build,
    },
    #[cfg(feature = "transformers")]
    swin!("swin_tiny_patch4_window7_224", "T", "28.3 M", TINY),
    #[cfg(feature = "transformers")]
    swin!("swin_small_patch4_window7_224", "S", "49.6 M", SMALL),
    #[cfg(feature = "transformers")]
    swin!("swin_base_patch4_window7_224", "B", "87.8 M", BASE),
    #[cfg(feature = "transformers")]
    dinov2!("vit_small_patch14_dinov2", "S/14", "22.1 M", "Oquab et al. 2023, arXiv 2304.07193", Small, 0),
    #[cfg(feature = "transformers")]
    dinov2!("vit_base_patch14_dinov2", "B/14", "86.6 M", "Oquab et al. 2023, arXiv 2304.07193", Base, 0),
    #[cfg(feature = "transformers")]
    dinov2!("vit_large_patch14_dinov2", "L/14", "304.4 M", "Oquab et al. 2023, arXiv 2304.07193", Large, 0),
    #[cfg(feature = "transformers")]
    dinov2!(
        "vit_small_patch14_reg4_dinov2",
        "S/14, four registers",
        "22.1 M",
        "Darcet et al. 2023, arXiv 2309.16588",
        Small,
        4
    ),
    #[cfg(feature = "transformers")]
    dinov2!(
        "vit_base_patch14_reg4_dinov2",
        "B/14, four registers",
        "86.6 M",
        "Darcet et al. 2023, arXiv 2309.16588",
        Base,
        4
    ),
    #[cfg(feature = "transformers")]
    dinov2!(
        "vit_large_patch14_reg4_dinov2",
        "L/14, four registers",
        "304.4 M",
        "Darcet et al. 2023, arXiv 2309.16588",
        Large,
        4
    ),
    #[cfg(feature = "transformers")]
    dinov3!("vit_small_patch16_dinov3", "S/16", "21.6 M", Small, None, false),
    #[cfg(feature = "transformers")]
    dinov3!("vit_small_plus_patch16_dinov3", "S+/16", "28.7 M", Small, None, true),
    #[cfg(feature = "transformers")]
    dinov3!("vit_base_patch16_dinov3", "B/16", "85.7 M", Base, None, false),
    #[cfg(feature = "transformers")]
    dinov3!("vit_large_patch16_dinov3", "L/16", "303.1 M", Large, None, false),
    #[cfg(feature = "transformers")]
    dinov3!(
        "vit_small_patch16_dinov3_qkvb",
        "S/16, biases of queries and values",
        "21.6 M",
        Small,
        NotKeys,
        false
    ),
    #[cfg(feature = "transformers")]
    dinov3!(
        "vit_small_plus_patch16_dinov3_qkvb",
        "S+/16, biases of queries and values",
        "28.7 M",
        Small,
        NotKeys,
        true
    ),
    #[cfg(feature = "transformers")]
    dinov3!(
        "vit_base_patch16_dinov3_qkvb",
        "B/16, biases of queries and values",
        "85.7 M",
        Base,
        NotKeys,
        false
    ),
    #[cfg(feature = "transformers")]
    dinov3!(
        "vit_large_patch16_dinov3_qkvb",
        "L/16, biases of queries and values",
        "303.1 M",
        Large,
        NotKeys,
        false
    ),
];
