"""torchvision's names of the networks that in9-models names as timm does, with timm's beside them.

    python tests/oracles/zoo_names.py crates/in9-models/tests/weights/torchvision_names.csv

Needs torch, torchvision and timm. Parameters are paired by their order; that the pairs are right is shown by the two
libraries' networks giving the same logits with the same random weights.
"""

import csv
import sys

import timm
import torch
import torchvision

PAIRS = [
    ("efficientnet_b0", "efficientnet_b0"),
    ("convnext_tiny", "convnext_tiny"),
    ("vit_b_16", "vit_base_patch16_224"),
    ("swin_t", "swin_tiny_patch4_window7_224"),
]
# What follows from sizes, or counts steps.
NO_PARAMETERS = ("num_batches_tracked", "relative_position_index")
# timm lists the position before the patches.
FIRST = {"pos_embed": "patch_embed.proj.weight", "patch_embed.proj.weight": "patch_embed.proj.bias", "patch_embed.proj.bias": "pos_embed"}


def main() -> None:
    torch.manual_seed(0)
    with open(sys.argv[1], "w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["architecture", "torchvision", "timm"])
        for theirs, ours in PAIRS:
            first = torchvision.models.get_model(theirs, weights=None).eval()
            second = timm.create_model(ours, pretrained=False).eval()
            for name, value in first.named_parameters():
                if value.ndim < 2 or "layer_scale" in name:
                    value.data.uniform_(0.5, 1.5)
            for name, value in first.named_buffers():
                if "running" in name:
                    value.uniform_(0.5, 1.5)
            old = [n for n in first.state_dict() if not n.endswith(NO_PARAMETERS)]
            new = [n for n in second.state_dict() if not n.endswith(NO_PARAMETERS)]
            if theirs == "vit_b_16":
                new = [FIRST.get(n, n) for n in new]
            # timm lists the norm of a step between stages before its matrix.
            for i in [i for i, n in enumerate(new) if n.endswith("downsample.reduction.weight")]:
                new[i - 2 : i + 1] = new[i], new[i - 2], new[i - 1]
            assert len(old) == len(new), (len(old), len(new))
            state = {b: first.state_dict()[a].reshape(second.state_dict()[b].shape) for a, b in zip(old, new)}
            missing, unexpected = second.load_state_dict(state, strict=False)
            assert not unexpected and all(n.endswith("num_batches_tracked") for n in missing), (missing, unexpected)
            with torch.inference_mode():
                x = torch.randn(2, 3, 224, 224)
                a, b = first(x), second(x)
            apart = ((a - b).norm() / a.norm()).item()
            assert apart < 1e-5, apart
            print(f"{theirs}: {len(old)} tensors, logits {apart:.1e} apart", file=sys.stderr)
            table.writerows([ours, a, b] for a, b in zip(old, new))


if __name__ == "__main__":
    main()
