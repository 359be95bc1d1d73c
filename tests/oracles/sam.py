"""Reference values for the tests of SAM and MobileSAM (the authors' segment-anything, and timm's TinyViT).

    pip install segment-anything==1.0
    python tests/oracles/sam.py crates/in9-models/tests/sam

Needs torch, torchvision, timm, numpy. Writes one JSON file a network: its side in pixels, names and shapes of its tensors as
the authors' file has them, and the low-resolution logits of the mask for boxes. Networks are small; their weights and the
picture are formulas that the Rust side computes too (tests/parity/formula.rs).

Prompts and decoder are segment-anything's in both. MobileSAM's encoder is timm's TinyViT, which the same authors wrote, with
what MobileSAM changed in it: the last merging of tokens keeps their number, and SAM's neck takes the classifier's place.
"""

import functools
import json
import re
import sys
from pathlib import Path

import numpy as np
import timm
import torch
from segment_anything.modeling import ImageEncoderViT, MaskDecoder, PromptEncoder, Sam, TwoWayTransformer
from segment_anything.modeling.common import LayerNorm2d
from zoo_parity import round7, unit, value

SIDE, WIDTH = 96, 32
BOXES = [[20.5, 11.0, 80.25, 64.0], [0.0, 0.0, 96.0, 96.0], [40.0, 50.0, 41.0, 51.0]]


def whole(encoder) -> Sam:
    """As segment_anything/build_sam.py puts one together, but small."""
    grid = SIDE // 16
    transformer = TwoWayTransformer(depth=2, embedding_dim=WIDTH, mlp_dim=64, num_heads=8)
    decoder = MaskDecoder(
        num_multimask_outputs=3, transformer=transformer, transformer_dim=WIDTH, iou_head_depth=3, iou_head_hidden_dim=24
    )
    prompts = PromptEncoder(
        embed_dim=WIDTH, image_embedding_size=(grid, grid), input_image_size=(SIDE, SIDE), mask_in_chans=16
    )
    return Sam(encoder, prompts, decoder)


def vit() -> ImageEncoderViT:
    return ImageEncoderViT(
        img_size=SIDE, patch_size=16, embed_dim=32, depth=3, num_heads=2, out_chans=WIDTH, qkv_bias=True,
        norm_layer=functools.partial(torch.nn.LayerNorm, eps=1e-6), use_rel_pos=True, window_size=4, global_attn_indexes=[1],
    )


class Tiny(torch.nn.Module):
    """MobileSAM's encoder: mobile_sam/modeling/tiny_vit_sam.py."""

    def __init__(self):
        super().__init__()
        widths = (16, 32, 64, 64)
        self.vit = timm.models.tiny_vit.TinyVit(
            embed_dims=widths, depths=(1, 1, 2, 1), num_heads=(1, 1, 2, 2), window_sizes=(7, 5, 4, 3), num_classes=0
        )
        self.vit.stages[3].downsample.conv2.conv.stride = (1, 1)
        self.neck = torch.nn.Sequential(
            torch.nn.Conv2d(widths[3], WIDTH, 1, bias=False), LayerNorm2d(WIDTH),
            torch.nn.Conv2d(WIDTH, WIDTH, 3, padding=1, bias=False), LayerNorm2d(WIDTH),
        )

    def forward(self, x):
        return self.neck(self.vit.stages(self.vit.patch_embed(x)))


def authors_name(name: str) -> str:
    """The name in MobileSAM's file of what timm calls so."""
    name = name.removeprefix("image_encoder.vit.")
    if name.startswith("patch_embed."):
        name = name.replace("conv1.", "seq.0.").replace("conv2.", "seq.2.")
    name = re.sub(r"^stages\.(\d)\.downsample", lambda m: f"layers.{int(m[1]) - 1}.downsample", name)
    name = re.sub(r"^stages\.", "layers.", name)
    return "image_encoder." + name.replace(".conv.", ".c.")


def write(out: Path, name: str, library: str, model: Sam):
    model.eval()
    state, shapes = {}, []
    for key, tensor in model.state_dict().items():
        written = authors_name(key) if key.startswith("image_encoder.vit.") else key
        shapes.append((written, list(tensor.shape)))
        if tensor.is_floating_point():
            tensor = torch.from_numpy(value(written, tuple(tensor.shape), 1.0, False))
        state[key] = tensor
    model.load_state_dict(state)
    pixels = torch.from_numpy((unit("pixels", 3 * SIDE * SIDE) * 4 - 2).reshape(1, 3, SIDE, SIDE))
    cases = []
    with torch.no_grad():
        seen = model.image_encoder(pixels)
        for box in BOXES:
            sparse, dense = model.prompt_encoder(points=None, boxes=torch.tensor([box]), masks=None)
            logits, _ = model.mask_decoder(
                image_embeddings=seen, image_pe=model.prompt_encoder.get_dense_pe(), sparse_prompt_embeddings=sparse,
                dense_prompt_embeddings=dense, multimask_output=False,
            )
            cases.append({"corners": box, "logits": [round7(v) for v in logits.flatten()]})
    record = {"library": library, "side": SIDE, "tensors": shapes, "cases": cases}
    (out / f"{name}.json").write_text(json.dumps(record, indent=0).replace(",\n", ", ") + "\n")
    print(name, [(round(float(np.mean(c["logits"])), 3), round(float(np.std(c["logits"])), 3)) for c in cases])


def main(out: Path):
    out.mkdir(exist_ok=True)
    write(out, "vit", "segment-anything 1.0", whole(vit()))
    write(out, "tiny", f"segment-anything 1.0, timm {timm.__version__}", whole(Tiny()))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
