"""Reference values for the tests of CLIP and SigLIP (open_clip and Hugging Face transformers).

    python tests/oracles/zero_shot.py OUT_DIR

OUT_DIR is crates/in9-models/tests/zero_shot. Needs torch, timm, open_clip_torch, transformers, numpy.

Writes two small vocabularies, which the `tokenizers` library learns from the words below: CLIP's kind as a list of
merges, and as vocab.json beside merges.txt; SigLIP's kind as tokenizer.json. Then what the libraries' own tokenizers
make of a thousand sentences, and one JSON file a network: its configuration as the library writes it, names and shapes
of its tensors, and the scores of two pictures.

Weights, pictures and sentences are formulas that the Rust side computes too (tests/parity/formula.rs), so that no
weight file exists. Networks are small, or of published widths with two blocks a tower.
"""

import functools
import gzip
import json
import sys
import tempfile
import zlib
from pathlib import Path

import numpy as np
import open_clip
import timm
import torch
import transformers
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from zoo_parity import round7, unit, value

CLASSES = ["dog", "sea-lion", "vehicle", "musical_instrument"]
TEMPLATES = ["a photo of a {}.", "art of the {}, it's 1 of 100!"]
CONTEXT = 24

# What sentences are made of: letters, digits, punctuation, other scripts and combining marks, blanks.
FRAGMENTS = (
    "a photo of the dog sea lion musical instrument vehicle it's they're I'll don't 1234 3.14 100% (bird) [fish] "
    "#tag a-b under_score naïve café Zürich İstanbul ΑΒΓ привет 日本語 한국어 مرحبا ẞtraße e\u0301clair 🐕 👩‍🚀 !!! ... "
    "Mixed CASE UPPER photoof  reptile, carnivore; primate: insect? \"quoted\" x=y a/b c\\d <tag> @home ~ `tick` ^ $5 &"
).split(" ") + ["\t", "\n", "  "]


def sentence(index: int) -> str:
    u = [float(v) for v in unit(f"sentence{index}", 14)]
    words = [FRAGMENTS[int(v * len(FRAGMENTS))] for v in u[2 : 3 + int(u[0] * 11)]]
    return ("" if u[1] < 0.125 else " ").join(words)


SENTENCES = [sentence(i) for i in range(1000)]


def clip_merges() -> list:
    """Merges of a byte-pair vocabulary over the words above."""
    tokenizer = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    words = Regex(r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(words, "removed", True), pre_tokenizers.ByteLevel(False, use_regex=False)]
    )
    trainer = trainers.BpeTrainer(vocab_size=700, end_of_word_suffix="</w>", show_progress=False)
    tokenizer.train_from_iterator([*SENTENCES, *CLASSES, *TEMPLATES], trainer)
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    return [tuple(pair) for pair in merges][:180]


def clip_vocabulary(merges: list) -> dict:
    letters = list(open_clip.tokenizer.bytes_to_unicode().values())
    tokens = letters + [letter + "</w>" for letter in letters] + ["".join(pair) for pair in merges]
    return {token: i for i, token in enumerate([*tokens, "<|startoftext|>", "<|endoftext|>"])}


def siglip_tokenizer(out: Path):
    """A vocabulary of pieces, as SigLIP's, which ends texts with a token and fills them up with it."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    specials = ["<pad>", "</s>", "<unk>"]
    trainer = trainers.UnigramTrainer(
        vocab_size=400, special_tokens=specials, unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    tokenizer.post_processor = processors.TemplateProcessing("$A </s>", special_tokens=[("</s>", 1)])
    tokenizer.save(str(out / "siglip" / "tokenizer.json"), pretty=False)
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="</s>", pad_token="</s>", unk_token="<unk>"
    )


def crc(ids) -> int:
    return zlib.crc32(np.asarray(ids, dtype="<u4").tobytes())


def strip(ids, end: int) -> list:
    """Tokens up to the first end of the text."""
    ids = [int(i) for i in ids]
    return ids[: ids.index(end) + 1]


def tokens(name: str, both: dict) -> dict:
    """What libraries make of the sentences; they have to agree where there are two."""
    (first, ids), *others = both.items()
    for other, theirs in others:
        differ = [i for i, (a, b) in enumerate(zip(ids, theirs)) if a != b]
        if differ:
            i = differ[0]
            raise SystemExit(f"{name}: {first} and {other} differ on {len(differ)}: {SENTENCES[i]!r} {ids[i]} {theirs[i]}")
    return {"libraries": list(both), "first": ids[:10], "crc32": [crc(i) for i in ids]}


def by_formula(model) -> dict:
    state = {k: torch.from_numpy(value(k, tuple(v.shape), 1.0, False)) for k, v in model.state_dict().items()}
    model.load_state_dict(state)
    model.eval()
    return {k: list(v.shape) for k, v in state.items()}


def pictures(size: int) -> torch.Tensor:
    noise = unit(f"input{size}.0", 6 * size * size) * 4 - 2
    return torch.from_numpy(noise.reshape(2, 3, size, size))


def shortened(shapes: dict) -> list:
    """Names and shapes, those of equal blocks once, with `*` for the block and how many there are."""
    rows = {}
    for name, shape in shapes.items():
        parts = name.split(".")
        place = [i for i, part in enumerate(parts) if part.isdigit() and parts[i - 1] in ("resblocks", "layers", "blocks")]
        if place:
            parts[place[0]] = "*"
        row = rows.setdefault(".".join(parts), [0, shape])
        row[0] += 1
        assert row[1] == shape
    return [[name, count, shape] for name, (count, shape) in rows.items()]


def write(out: Path, name: str, library, config: dict, files: dict, shapes: dict, size: int, image, text, scale, bias):
    """One network's reference; `text` embeds a list of sentences."""
    with torch.no_grad():
        normed = torch.nn.functional.normalize
        heads = []
        for cls in CLASSES:
            embedded = normed(text([t.format(cls.replace("-", " ").replace("_", " ")) for t in TEMPLATES]), dim=-1)
            heads.append(normed(embedded.mean(0), dim=-1))
        logits = scale.exp() * normed(image(pictures(size)), dim=-1) @ torch.stack(heads).T + bias
    record = {
        "library": f"{library.__name__} {library.__version__}, torch {torch.__version__.split('+')[0]}, timm {timm.__version__}",
        "config": config,
        "files": files,
        "tensors": shortened(shapes),
        "size": size,
        "classes": CLASSES,
        "templates": TEMPLATES,
        "logits": [round7(v) for v in logits.flatten()],
    }
    (out / f"{name}.json").write_text(json.dumps(record, indent=0).replace(",\n", ", ") + "\n")
    print(name, sum(int(np.prod(s)) for s in shapes.values()), [round(float(v), 3) for v in logits.flatten()], flush=True)


def open_clip_clip(out: Path, name: str, tokenize, width, patch, size, layers, text_width, embedding, quick, vocabulary):
    config = {
        "embed_dim": embedding,
        "quick_gelu": quick,
        "vision_cfg": {"image_size": size, "layers": layers, "width": width, "patch_size": patch},
        "text_cfg": {
            "context_length": CONTEXT,
            "vocab_size": vocabulary,
            "width": text_width,
            "heads": text_width // 64,
            "layers": layers,
        },
    }
    model = open_clip.model.CLIP(**config)
    shapes = by_formula(model)
    config = {"model_cfg": config, "preprocess_cfg": {"mean": [0.48, 0.46, 0.41], "std": [0.27, 0.26, 0.28]}}
    text = lambda texts: model.encode_text(tokenize(texts))
    bias = torch.tensor(0.0)
    write(out, name, open_clip, config, {}, shapes, size, model.encode_image, text, model.logit_scale, bias)


def features(output):
    """The embedding, whichever way this version of transformers returns it."""
    return output if torch.is_tensor(output) else output.pooler_output


def transformers_clip(out: Path, name: str, tokenize, width, patch, size, layers, text_width, embedding, act, vocabulary):
    config = transformers.CLIPConfig(
        text_config=dict(
            vocab_size=vocabulary, hidden_size=text_width, intermediate_size=4 * text_width, projection_dim=embedding,
            num_hidden_layers=layers, num_attention_heads=text_width // 64, max_position_embeddings=CONTEXT,
            hidden_act=act, eos_token_id=vocabulary - 1, bos_token_id=vocabulary - 2, pad_token_id=vocabulary - 1,
        ),
        vision_config=dict(
            hidden_size=width, intermediate_size=4 * width, projection_dim=embedding, num_hidden_layers=layers,
            num_attention_heads=width // 64, image_size=size, patch_size=patch, hidden_act=act,
        ),
        projection_dim=embedding,
    )
    model = transformers.CLIPModel(config)
    shapes = by_formula(model)
    files = {"preprocessor_config.json": {"image_mean": [0.48, 0.46, 0.41], "image_std": [0.27, 0.26, 0.28]}}
    text = lambda texts: features(model.get_text_features(**tokenize(texts)))
    image = lambda x: features(model.get_image_features(pixel_values=x))
    bias = torch.tensor(0.0)
    write(out, name, transformers, config.to_diff_dict(), files, shapes, size, image, text, model.logit_scale, bias)


def transformers_siglip(out: Path, name: str, tokenize, vocabulary):
    common = dict(hidden_size=96, intermediate_size=200, num_hidden_layers=2, num_attention_heads=6)
    config = transformers.SiglipConfig(
        text_config=dict(vocab_size=vocabulary, max_position_embeddings=CONTEXT, pad_token_id=1, **common),
        vision_config=dict(image_size=64, patch_size=16, **common),
    )
    model = transformers.SiglipModel(config)
    shapes = by_formula(model)
    files = {
        "preprocessor_config.json": {"image_mean": [0.5] * 3, "image_std": [0.5] * 3},
        "tokenizer_config.json": {"tokenizer_class": "SiglipTokenizer"},
    }

    def text(texts):
        ids = torch.tensor([tokenize(t) for t in texts])
        return features(model.get_text_features(input_ids=ids))

    image = lambda x: features(model.get_image_features(pixel_values=x))
    write(
        out, name, transformers, config.to_diff_dict(), files, shapes, 64, image, text, model.logit_scale, model.logit_bias
    )


def open_clip_siglip(out: Path, name: str, tokenize, vocabulary):
    config = {
        "embed_dim": 96,
        "init_logit_bias": -10,
        "custom_text": True,
        "vision_cfg": {
            "image_size": 64,
            "timm_model_name": "vit_base_patch16_siglip_224",
            "timm_model_pretrained": False,
            "timm_pool": "map",
            "timm_proj": "none",
        },
        "text_cfg": {
            "context_length": CONTEXT,
            "vocab_size": vocabulary,
            "tokenizer_kwargs": {"clean": "canonicalize"},
            "width": 96,
            "heads": 6,
            "layers": 2,
            "no_causal_mask": True,
            "proj_bias": True,
            "pool_type": "last",
            "norm_kwargs": {"eps": 1e-6},
            "act_kwargs": {"approximate": "tanh"},
            "pad_id": 1,
        },
    }
    create = timm.create_model
    # The published networks of that name, with fewer blocks and channels.
    timm.create_model = functools.partial(create, depth=2, embed_dim=96, num_heads=12, img_size=64)
    kwargs = {k: v for k, v in config.items() if k != "custom_text"}
    model = open_clip.model.CustomTextCLIP(**kwargs)
    timm.create_model = create
    shapes = by_formula(model)
    text = lambda texts: model.encode_text(torch.tensor([tokenize(t) for t in texts]))
    bias = model.logit_bias
    write(out, name, open_clip, {"model_cfg": config}, {}, shapes, 64, model.encode_image, text, model.logit_scale, bias)


def canonical(text: str) -> str:
    return open_clip.tokenizer.canonicalize_text(text)


def main() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    out = Path(sys.argv[1])
    for folder in ("clip", "siglip"):
        (out / folder).mkdir(parents=True, exist_ok=True)

    merges = clip_merges()
    vocabulary = clip_vocabulary(merges)
    lines = "".join(f"{a} {b}\n" for a, b in merges)
    (out / "clip" / "merges.txt").write_text("#version: 0.2\n" + lines)
    (out / "clip" / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False, separators=(",", ":")) + "\n")
    with tempfile.TemporaryDirectory() as folder:
        packed = Path(folder) / "merges.txt.gz"
        packed.write_bytes(gzip.compress(('"bpe_simple_vocab" - #version: 0.2\n' + lines).rstrip("\n").encode()))
        simple = open_clip.tokenizer.SimpleTokenizer(str(packed), context_length=CONTEXT)
    fast = transformers.CLIPTokenizerFast(str(out / "clip" / "vocab.json"), str(out / "clip" / "merges.txt"))
    end = vocabulary["<|endoftext|>"]
    long = 10 * CONTEXT
    clip = {
        "open_clip": [strip(row, end) for row in simple(SENTENCES, context_length=long)],
        "transformers": [fast(s)["input_ids"] for s in SENTENCES],
    }
    pieces = siglip_tokenizer(out)
    siglip = {"transformers": [pieces(canonical(s))["input_ids"] for s in SENTENCES]}
    record = {
        "fragments": FRAGMENTS,
        "clip": tokens("clip", clip),
        "siglip": tokens("siglip", siglip),
    }
    (out / "tokens.json").write_text(json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n")

    own = lambda texts: simple(texts)
    theirs = lambda texts: fast(texts, padding="max_length", max_length=CONTEXT, truncation=True, return_tensors="pt")
    tokens_of = lambda text: pieces(canonical(text), padding="max_length", max_length=CONTEXT, truncation=True)["input_ids"]
    n = len(vocabulary)
    open_clip_clip(out, "open-clip-tiny", own, 128, 16, 64, 2, 64, 32, False, n)
    open_clip_clip(out, "open-clip-b-32", own, 768, 32, 224, 2, 512, 512, True, n)
    open_clip_clip(out, "open-clip-b-16", own, 768, 16, 224, 2, 512, 512, False, n)
    open_clip_clip(out, "open-clip-l-14", own, 1024, 14, 224, 2, 768, 768, True, n)
    transformers_clip(out, "transformers-clip-tiny", theirs, 128, 16, 64, 2, 64, 32, "gelu", n)
    transformers_clip(out, "transformers-clip-b-32", theirs, 768, 32, 224, 2, 512, 512, "quick_gelu", n)
    transformers_siglip(out, "transformers-siglip-tiny", tokens_of, len(pieces))
    open_clip_siglip(out, "open-clip-siglip-tiny", tokens_of, len(pieces))


if __name__ == "__main__":
    main()
