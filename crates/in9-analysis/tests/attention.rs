//! Saliency of transformers: attention rollout beside the maps of gradients.
#![cfg(all(feature = "cli", feature = "probes", feature = "transformers"))]

mod support;

use candle_core::{DType, Device};
use support::{finish, program, world};

/// A transformer has five kinds of map by default, Grad-CAM at the norm in front of its last attention; a network without
/// attention is refused the sixth in words.
#[test]
fn a_transformer_has_attention_rollout_beside_grad_cam() {
    let dir = tempfile::tempdir().unwrap();
    let dataset = world(dir.path());
    let arch = "deit_tiny_patch16_224";
    let model = in9_models::build(arch, 9, &in9_models::Params::random(5, DType::F32, &Device::Cpu)).unwrap();
    let weights = dir.path().join("deit.safetensors");
    candle_core::safetensors::save(&model.tensors(), &weights).unwrap();
    let out = dir.path().join("saliency");
    let saliency = |arch: &str, more: &[&str], code: i32| {
        let mut command = program();
        command.arg("saliency").arg("--weights").arg(&weights).args([
            "--arch",
            arch,
            "--normalization",
            "imagenet",
        ]);
        command.arg("--data").arg(dataset.path()).arg("--out").arg(&out);
        finish(
            command.args(["--size", "224", "--limit", "2", "--steps", "0", "--samples", "1"]).args(more),
            code,
        )
    };
    let (printed, _) = saliency(arch, &[], 0);
    assert!(printed.contains("blocks.11.norm1") && printed.contains("attention-rollout"), "{printed}");
    let text = std::fs::read_to_string(out.join("summary.json")).unwrap();
    let summary: serde_json::Value = serde_json::from_str(&text).unwrap();
    let methods: Vec<&str> =
        summary["methods"].as_array().unwrap().iter().map(|m| m["method"].as_str().unwrap()).collect();
    assert_eq!(methods, ["grad-cam", "hires-cam", "input-gradient", "smooth-grad", "attention-rollout"]);
    let of_rollout = &summary["methods"][4];
    assert_eq!((of_rollout["images"].as_u64(), of_rollout["empty"].as_u64()), (Some(2), Some(0)));
    assert!(out.join("overlays").read_dir().unwrap().count() == 2 * 6);

    let model = in9_models::build("resnet-tiny", 9, &in9_models::Params::random(5, DType::F32, &Device::Cpu))
        .unwrap();
    candle_core::safetensors::save(&model.tensors(), &weights).unwrap();
    let (_, said) = saliency("resnet-tiny", &["--methods", "attention-rollout"], 1);
    assert!(said.contains("whose tokens attend to each other") && said.contains("choose grad-cam"), "{said}");
}
