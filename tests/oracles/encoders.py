"""Reference values for the tests of Swin, DINOv2 and DINOv3 (torchvision, timm, transformers, and the authors' own code).

    git clone https://github.com/facebookresearch/dinov2 DINOV2
    python tests/oracles/encoders.py crates/in9-models/tests/encoders DINOV2

Needs torch, torchvision, timm, transformers, numpy. Writes one JSON file a network: its sizes, names and shapes of its
tensors as the library writes them, and the features of two pictures of several sizes. Networks are small; their weights and
pictures are formulas that the Rust side computes too (tests/parity/formula.rs). Positions are five times as large as the
formula has them, so that they count.
"""

import functools
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import safetensors.torch
import timm
import torch
import torchvision
import transformers
from zoo_parity import round7, unit, value

WIDTH, LAYERS, HEADS, PATCH, GRID = 64, 2, 4, 14, 4


def weight(name: str, shape) -> np.ndarray:
    return value(name, tuple(shape), 1.0, False) * np.float32(5 if "pos" in name and "bias" not in name else 1)


def by_formula(model) -> dict:
    """Sets the weights; names and shapes."""
    state = {
        k: torch.from_numpy(weight(k, v.shape)) if v.is_floating_point() else v for k, v in model.state_dict().items()
    }
    model.load_state_dict(state)
    model.eval()
    return {k: list(v.shape) for k, v in state.items()}


def pictures(height: int, width: int) -> torch.Tensor:
    noise = unit(f"input{height}x{width}", 6 * height * width) * 4 - 2
    return torch.from_numpy(noise.reshape(2, 3, height, width))


def write(out: Path, name: str, library: str, sizes: dict, shapes: dict, features, *asked):
    """One network's reference; `features` makes `[2, width]` of pictures of the sizes `asked`."""
    cases = []
    for height, width in asked:
        with torch.no_grad():
            found = features(pictures(height, width))
        assert found.ndim == 2
        cases.append({"height": height, "width": width, "features": [round7(v) for v in found.flatten()]})
    record = {"library": library, "sizes": sizes, "tensors": list(shapes.items()), "cases": cases}
    (out / f"{name}.json").write_text(json.dumps(record, indent=0).replace(",\n", ", ") + "\n")
    print(name, [round(float(np.std(c["features"])), 3) for c in cases], flush=True)


def torchvision_swin(out: Path):
    model = torchvision.models.swin_transformer.SwinTransformer(
        patch_size=[4, 4], embed_dim=32, depths=[2, 2, 2, 2], num_heads=[1, 2, 4, 8], window_size=[7, 7], num_classes=8
    )
    shapes = by_formula(model)
    model.head = torch.nn.Identity()
    version = f"torchvision {torchvision.__version__.split('+')[0]}"
    sizes = {"kind": "swin", "width": 32, "blocks": [2, 2, 2, 2]}
    # Odd numbers of tokens, windows that are filled up, pixels that fill no patch.
    write(out, "torchvision-swin", version, sizes, shapes, model, (224, 224), (75, 50), (30, 30))


def timm_swin(out: Path):
    model = timm.models.swin_transformer.SwinTransformer(
        img_size=224, embed_dim=32, depths=(2, 2, 2, 2), num_heads=(1, 2, 4, 8), window_size=7, num_classes=8
    )
    shapes = by_formula(model)
    features = lambda x: model.forward_head(model.forward_features(x), pre_logits=True)
    sizes = {"kind": "swin", "width": 32, "blocks": [2, 2, 2, 2]}
    write(out, "timm-swin", f"timm {timm.__version__}", sizes, shapes, features, (224, 224))


def dino_sizes(kind: str, registers: int, **more) -> dict:
    return {"kind": kind, "width": WIDTH, "layers": LAYERS, "heads": HEADS, "registers": registers, **more}


def authors_dinov2(out: Path, registers: int):
    from dinov2.models.vision_transformer import DinoVisionTransformer
    from dinov2.layers import MemEffAttention, NestedTensorBlock as Block

    # As dinov2/hub/backbones.py makes the published ones.
    resampling = dict(interpolate_antialias=True, interpolate_offset=0.0) if registers else {}
    model = DinoVisionTransformer(
        img_size=PATCH * GRID, patch_size=PATCH, embed_dim=WIDTH, depth=LAYERS, num_heads=HEADS, init_values=1.0,
        block_fn=functools.partial(Block, attn_class=MemEffAttention), block_chunks=0, num_register_tokens=registers,
        **resampling,
    )
    shapes = by_formula(model)
    side = PATCH * GRID
    sizes = dino_sizes("dinov2", registers, grid=GRID)
    name = "authors-dinov2" + (f"-reg{registers}" if registers else "")
    asked = [(side, side), (7 * PATCH, 7 * PATCH), (3 * PATCH, 2 * PATCH), (PATCH, 9 * PATCH)]
    write(out, name, "facebookresearch/dinov2 b8931f7", sizes, shapes, model, *asked)


def timm_dinov2(out: Path, registers: int):
    model = timm.models.vision_transformer.VisionTransformer(
        img_size=PATCH * GRID, patch_size=PATCH, embed_dim=WIDTH, depth=LAYERS, num_heads=HEADS, init_values=1e-5,
        reg_tokens=registers, no_embed_class=registers > 0, dynamic_img_size=True, num_classes=8,
    )
    shapes = by_formula(model)
    features = lambda x: model.forward_head(model.forward_features(x), pre_logits=True)
    sizes = dino_sizes("dinov2", registers, grid=GRID)
    side = PATCH * GRID
    # Without registers timm resamples positions by another rule than the authors.
    asked = [(side, side)] + [(2 * PATCH, 7 * PATCH)] * (registers > 0)
    name = "timm-dinov2" + (f"-reg{registers}" if registers else "")
    write(out, name, f"timm {timm.__version__}", sizes, shapes, features, *asked)


def timm_dinov3(out: Path, bias: bool, gated: bool):
    model = timm.models.eva.Eva(
        img_size=64, patch_size=16, dynamic_img_size=True, embed_dim=WIDTH, depth=LAYERS, num_heads=HEADS,
        qkv_bias=bias, init_values=1e-5, rope_type="dinov3", rope_temperature=100, rope_rotate_half=True,
        use_rot_pos_emb=True, use_abs_pos_emb=False, num_reg_tokens=4, use_fc_norm=False, swiglu_mlp=gated,
        swiglu_align_to=8 * gated, global_pool="token", num_classes=8,
        norm_layer=functools.partial(timm.layers.LayerNorm, eps=1e-5),
    )
    shapes = by_formula(model)
    features = lambda x: model.forward_head(model.forward_features(x), pre_logits=True)
    sizes = dino_sizes("dinov3", 4, bias=bias, gated=gated)
    name = "timm-dinov3" + ("-qkvb" if bias else "") + ("-gated" if gated else "")
    write(out, name, f"timm {timm.__version__}", sizes, shapes, features, (64, 64), (32, 80))


def saved(model_class, config):
    """A model of transformers with weights by the formula of the names in its own file; names and shapes there."""
    with tempfile.TemporaryDirectory() as folder:
        model_class(config).save_pretrained(folder)
        path = Path(folder) / "model.safetensors"
        shapes = {k: list(v.shape) for k, v in safetensors.torch.load_file(path).items()}
        state = {k: torch.from_numpy(weight(k, shape)) for k, shape in shapes.items()}
        safetensors.torch.save_file(state, path, metadata={"format": "pt"})
        model, told = model_class.from_pretrained(folder, output_loading_info=True)
    assert not any(told[k] for k in ("missing_keys", "unexpected_keys", "mismatched_keys")), told
    model.eval()
    return model, shapes


def transformers_dinov2(out: Path, registers: int):
    common = dict(
        hidden_size=WIDTH, num_hidden_layers=LAYERS, num_attention_heads=HEADS, image_size=PATCH * GRID,
        patch_size=PATCH,
    )
    if registers:
        config = transformers.Dinov2WithRegistersConfig(num_register_tokens=registers, **common)
        model, shapes = saved(transformers.Dinov2WithRegistersModel, config)
    else:
        model, shapes = saved(transformers.Dinov2Model, transformers.Dinov2Config(**common))
    features = lambda x: model(pixel_values=x).pooler_output
    sizes = dino_sizes("dinov2", registers, grid=GRID)
    side = PATCH * GRID
    asked = [(side, side)] + [(6 * PATCH, 3 * PATCH)] * (registers > 0)
    name = "transformers-dinov2" + (f"-reg{registers}" if registers else "")
    write(out, name, f"transformers {transformers.__version__}", sizes, shapes, features, *asked)


def transformers_dinov3(out: Path, gated: bool):
    config = transformers.DINOv3ViTConfig(
        hidden_size=WIDTH, intermediate_size=4 * WIDTH, num_hidden_layers=LAYERS, num_attention_heads=HEADS,
        image_size=64, patch_size=16, num_register_tokens=4, use_gated_mlp=gated,
        hidden_act="silu" if gated else "gelu",
    )
    model, shapes = saved(transformers.DINOv3ViTModel, config)
    features = lambda x: model(pixel_values=x).pooler_output
    sizes = dino_sizes("dinov3", 4, bias=True, gated=gated)
    name = "transformers-dinov3" + ("-gated" if gated else "")
    write(out, name, f"transformers {transformers.__version__}", sizes, shapes, features, (64, 64), (80, 48))


def main() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    sys.path.insert(0, sys.argv[2])
    torchvision_swin(out)
    timm_swin(out)
    for registers in (0, 4):
        authors_dinov2(out, registers)
        timm_dinov2(out, registers)
        transformers_dinov2(out, registers)
    for bias, gated in ((False, False), (True, False), (False, True)):
        timm_dinov3(out, bias, gated)
    for gated in (False, True):
        transformers_dinov3(out, gated)


if __name__ == "__main__":
    main()
