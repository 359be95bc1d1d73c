"""Attention rollout and Grad-CAM of timm's and transformers' transformers, for crates/in9-models/tests/rollout.rs.

    python tests/oracles/rollout.py crates/in9-models/tests/rollout.json

Needs torch, timm, transformers, numpy. Networks are small; weights and pictures are formulas that the Rust side computes too
(tests/parity/formula.rs). Rollout is the plain product of matrices of Abnar and Zuidema (2020), in f64, from the attentions
that the libraries compute; of Swin with one matrix over all tokens for each block, into which the attention of each window is
written token by token.
"""

import functools
import json
import sys
from pathlib import Path

import numpy as np
import timm
import torch
import transformers

from encoders import by_formula, pictures
from zoo_parity import round7, unit, value

HEADS = 4


def attentions(model, x) -> list:
    """What goes into the dropout behind each softmax, [n, heads, queries, keys], from first to last."""
    seen, hooks = [], []
    for module in model.modules():
        if hasattr(module, "fused_attn"):
            module.fused_attn = False
            hooks.append(module.attn_drop.register_forward_hook(lambda _m, inputs, _o: seen.append(inputs[0].double().numpy())))
    with torch.no_grad():
        model(x)
    for hook in hooks:
        hook.remove()
    return seen


def rolled(matrices) -> np.ndarray:
    """The product, from first to last, of the mean of each matrix [tokens, tokens] with the identity."""
    shares = np.eye(matrices[0].shape[-1])
    for matrix in matrices:
        shares = (matrix + np.eye(len(matrix))) / 2 @ shares
    return shares


def of_class_token(model, x, patches: int) -> list:
    seen = attentions(model, x)
    maps = [rolled([layer[i].mean(0) for layer in seen])[0, -patches:] for i in range(len(x))]
    return [round7(v) for v in np.concatenate(maps)]


def of_swin(model, x, side: int, window: int) -> list:
    from timm.models.swin_transformer import window_partition

    seen = iter(attentions(model, x))
    maps = [np.eye(side * side) for _ in x]
    for stage in model.layers:
        if side * side != len(maps[0]):
            raise AssertionError
        if type(stage.downsample).__name__ == "PatchMerging":
            # Each token becomes the mean of four.
            half = side // 2
            maps = [m.reshape(half, 2, half, 2, -1).mean((1, 3)).reshape(half * half, -1) for m in maps]
            side = half
        for block in stage.blocks:
            attention = next(seen)
            shift = block.shift_size[0]
            numbers = torch.roll(torch.arange(side * side).reshape(1, side, side, 1), (-shift, -shift), (1, 2))
            windows = window_partition(numbers, (window, window)).reshape(-1, window * window).numpy()
            for i in range(len(x)):
                matrix = np.zeros((side * side, side * side))
                for w, tokens in enumerate(windows):
                    matrix[np.ix_(tokens, tokens)] = attention[i * len(windows) + w].mean(0)
                maps[i] = (matrix @ maps[i] + maps[i]) / 2
    return [round7(v) for v in np.concatenate([m.mean(0) for m in maps])]


def grad_cam(model, layer, front: int, x, grid, classes) -> list:
    """ReLU(sum of channels weighted by their mean gradients) of the patches, of the logit of each picture's class."""
    kept = []
    hook = layer.register_forward_hook(lambda _m, _i, output: (output.retain_grad(), kept.append(output))[1])
    logits = model(x)
    logits[range(len(x)), classes].sum().backward()
    hook.remove()
    activation, gradient = kept[0].detach(), kept[0].grad
    if activation.ndim == 4:  # Swin: [n, rows, columns, width]
        activation, gradient = activation.flatten(1, 2), gradient.flatten(1, 2)
    activation, gradient = activation[:, front:].double(), gradient[:, front:].double()
    maps = torch.relu((activation * gradient.mean(1, keepdim=True)).sum(-1))
    assert maps.shape == (len(x), grid[0] * grid[1])
    return [round7(v) for v in maps.flatten().numpy()]


def case(name: str, model, front: int, layer: str, grid, size, rollout) -> dict:
    # As they begin, gradients of all tokens but those of the first are small.
    shapes = by_formula(model)
    x = pictures(*size)
    module = functools.reduce(getattr, layer.split("."), model)
    record = {
        "name": name, "tensors": list(shapes.items()), "height": size[0], "width": size[1], "grid": list(grid),
        "rollout": rollout(model, x), "layer": layer, "classes": [1, 5],
        "grad_cam": grad_cam(model, module, front, x, grid, [1, 5]),
    }
    spread = np.std(record["rollout"]) / np.mean(record["rollout"])
    print(name, "spread of the rollout", round(float(spread), 4), "largest of the map", max(record["grad_cam"]), flush=True)
    return record


def image_tower(folder: Path, name: str) -> dict:
    """The rollout of the image tower of the reference `name` of tests/zero_shot, from the attentions that transformers gives."""
    reference = json.loads((folder / f"{name}.json").read_text())
    clip = "siglip" not in name
    config = (transformers.CLIPConfig if clip else transformers.SiglipConfig)(**reference["config"])
    config._attn_implementation = "eager"
    model = (transformers.CLIPModel if clip else transformers.SiglipModel)(config)
    model.load_state_dict({k: torch.from_numpy(value(k, tuple(v.shape), 1.0, False)) for k, v in model.state_dict().items()})
    model.eval()
    size = reference["size"]
    x = torch.from_numpy((unit(f"input{size}.0", 6 * size * size) * 4 - 2).reshape(2, 3, size, size))
    queries = []
    if not clip:
        # Of the learnt query, the mean over the heads.
        model.vision_model.head.attention.register_forward_hook(lambda _m, _i, output: queries.append(output[1]))
    with torch.no_grad():
        seen = model.vision_model(pixel_values=x, output_attentions=True).attentions
    maps = []
    for i in range(2):
        shares = rolled([layer[i].double().mean(0).numpy() for layer in seen])
        maps.append(shares[0, 1:] if clip else queries[0][i, 0].double().numpy() @ shares)
    print(name, "spread of the rollout", round(float(np.std(maps) / np.mean(maps)), 4), flush=True)
    return {"name": name, "rollout": [round7(v) for v in np.concatenate(maps)]}


def main() -> None:
    torch.set_num_threads(1)
    sizes = dict(depth=12, num_heads=HEADS, embed_dim=32, num_classes=8)
    vit = timm.models.vision_transformer.VisionTransformer(img_size=224, patch_size=16, **sizes)
    token = lambda grid: lambda model, x: of_class_token(model, x, grid[0] * grid[1])
    cases = [case("vit", vit, 1, "blocks.11.norm1", (14, 14), (224, 224), token((14, 14)))]
    sizes = dict(depth=2, num_heads=HEADS, embed_dim=64, num_classes=8)
    dinov2 = timm.models.vision_transformer.VisionTransformer(
        img_size=56, patch_size=14, init_values=1e-5, reg_tokens=4, no_embed_class=True, dynamic_img_size=True, **sizes
    )
    cases.append(case("dinov2", dinov2, 5, "blocks.1.norm1", (2, 7), (28, 98), token((2, 7))))
    dinov3 = timm.models.eva.Eva(
        img_size=64, patch_size=16, dynamic_img_size=True, qkv_bias=False, init_values=1e-5, rope_type="dinov3",
        rope_temperature=100, rope_rotate_half=True, use_rot_pos_emb=True, use_abs_pos_emb=False, num_reg_tokens=4,
        use_fc_norm=False, swiglu_mlp=False, global_pool="token",
        norm_layer=functools.partial(timm.layers.LayerNorm, eps=1e-5), **sizes,
    )
    cases.append(case("dinov3", dinov3, 5, "blocks.1.norm1", (2, 5), (32, 80), token((2, 5))))
    swin = timm.models.swin_transformer.SwinTransformer(
        img_size=224, embed_dim=32, depths=(2, 2, 2, 2), num_heads=(1, 2, 4, 8), window_size=7, num_classes=8
    )
    cases.append(swin_case(swin))
    folder = Path(sys.argv[1]).parent / "zero_shot"
    towers = [image_tower(folder, name) for name in ("transformers-clip-tiny", "transformers-siglip-tiny")]
    version = f"timm {timm.__version__}, torch {torch.__version__.split('+')[0]}, transformers {transformers.__version__}"
    Path(sys.argv[1]).write_text(json.dumps({"library": version, "cases": cases, "towers": towers}, indent=0).replace(",\n", ", ") + "\n")


def swin_case(swin) -> dict:
    """The rollout of a picture has a share for each of 56 by 56 patches, of which every 41st is kept."""
    record = case("swin", swin, 0, "layers.3", (7, 7), (224, 224), lambda model, x: of_swin(model, x, 56, 7))
    record["rollout"] = record["rollout"][::41]
    return record


if __name__ == "__main__":
    main()
