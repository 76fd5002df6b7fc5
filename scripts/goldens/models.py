#!/usr/bin/env python3
"""Records tiny random Llama, Qwen2 and Qwen3 checkpoints with transformers' logits, losses, gradients and greedy continuations.

Writes Tests/ModelingTests/Fixtures/<model>/{config.json, generation_config.json, model.safetensors, golden.safetensors, golden.json}.
Deterministic: the same versions give the same numbers to float32 rounding.
"""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parent / "lib")

import shutil

import torch
import transformers
from golden import fixtures, float32, header, write_json
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM, Qwen3Config, Qwen3ForCausalLM

CONTINUATION = 32
RECORD_LENGTHS = [24, 7, 1, 40, 2]

COMMON = dict(num_hidden_layers=2, max_position_embeddings=256, bos_token_id=1, eos_token_id=2, pad_token_id=None)


def rope(theta: float, **scaling) -> dict:
    return {"rope_parameters": {"rope_type": "default", "rope_theta": theta, **scaling}}


MODELS = {
    "tiny-llama": (
        LlamaForCausalLM,
        LlamaConfig(vocab_size=160, hidden_size=48, intermediate_size=80, num_attention_heads=3, num_key_value_heads=1,
                    rms_norm_eps=1e-5, tie_word_embeddings=True, **rope(100000.0), **COMMON),
    ),
    # Head size 8, theta 10,000 and 128 original positions put one frequency into each branch of llama3's scaling.
    "tiny-llama-untied": (
        LlamaForCausalLM,
        LlamaConfig(vocab_size=131, hidden_size=32, intermediate_size=72, num_attention_heads=4, num_key_value_heads=2,
                    rms_norm_eps=1e-6, tie_word_embeddings=False, **{**COMMON, "num_hidden_layers": 3},
                    **rope(10000.0, rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
                           original_max_position_embeddings=128)),
    ),
    "tiny-qwen2": (
        Qwen2ForCausalLM,
        Qwen2Config(vocab_size=128, hidden_size=48, intermediate_size=64, num_attention_heads=6, num_key_value_heads=2,
                    rms_norm_eps=1e-6, tie_word_embeddings=True, **rope(1000000.0), **COMMON),
    ),
    # Head size 16 where hidden size / heads would be 10.
    "tiny-qwen3": (
        Qwen3ForCausalLM,
        Qwen3Config(vocab_size=144, hidden_size=40, intermediate_size=56, num_attention_heads=4, num_key_value_heads=2, head_dim=16,
                    rms_norm_eps=1e-6, tie_word_embeddings=True, **rope(1000000.0), **COMMON),
    ),
}


def randomise(model, seed: int) -> None:
    """Weights large enough that attention is far from uniform and logits spread; norms and biases far from one and zero."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in sorted(model.named_parameters()):
            noise = torch.randn(weight.shape, generator=generator)
            if "norm" in name:
                weight.copy_(1 + 0.3 * noise)
            elif name.endswith("bias"):
                weight.copy_(0.5 * noise)
            elif "embed" in name or "lm_head" in name:
                weight.copy_(0.4 * noise)
            else:
                weight.copy_(noise * 1.3 / weight.shape[1] ** 0.5)


def greedy(model, prompt: list[int]) -> tuple[list[int], float]:
    """The continuation without a cache (the plain definition) and the narrowest lead of a chosen token."""
    ids, margin = list(prompt), float("inf")
    for _ in range(CONTINUATION):
        best = model(torch.tensor([ids])).logits[0, -1].topk(2)
        margin = min(margin, (best.values[0] - best.values[1]).item())
        ids.append(best.indices[0].item())
    return ids[len(prompt):], margin


def records(vocabulary: int, seed: int) -> tuple[list[list[int]], list[list[int]]]:
    """Random ids; the second half of each record is trained, as a completion is."""
    generator = torch.Generator().manual_seed(seed + 1)
    ids = [torch.randint(3, vocabulary, (length,), generator=generator).tolist() for length in RECORD_LENGTHS]
    masks = [[int(t > 0 and t >= len(record) // 2) for t in range(len(record))] for record in ids]
    return ids, masks


def build(family, config, first_seed: int):
    """The first seed whose greedy continuations are varied and never near a tie."""
    for seed in range(first_seed, first_seed + 200):
        torch.manual_seed(seed)
        model = family(config).eval()
        randomise(model, seed)
        ids, masks = records(config.vocab_size, seed)
        with torch.no_grad():
            continuations = [(prompt, *greedy(model, prompt)) for prompt in (ids[0][:8], ids[3], ids[1][:1])]
        if all(len(set(c)) >= 6 and margin > 0.02 for _, c, margin in continuations):
            return model, ids, masks, continuations
    raise SystemExit("no seed gives clear continuations")


def evaluate(model, ids, masks):
    """Logits (T, vocabulary), next-token losses (T) with 0 at the start of a record, and the mean over the mask."""
    logits = torch.cat([model(torch.tensor([record])).logits[0] for record in ids])
    losses, start = [], 0
    for record in ids:
        losses.append(torch.zeros(1))
        here = logits[start:start + len(record) - 1]
        losses.append(torch.nn.functional.cross_entropy(here, torch.tensor(record[1:], dtype=torch.long), reduction="none"))
        start += len(record)
    nll = torch.cat(losses)
    mask = torch.tensor(sum(masks, []))
    return logits, nll, (nll * mask).sum() / mask.sum(), mask


def record(name: str, seed: int) -> None:
    family, config = MODELS[name]
    model, ids, masks, continuations = build(family, config, seed)
    folder = fixtures("Modeling") / name
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder)
    model = family.from_pretrained(folder, dtype=torch.float32).eval()

    logits, nll, loss, mask = evaluate(model, ids, masks)
    loss.backward()
    gradients = {f"grad.{key}": weight.grad.contiguous() for key, weight in model.named_parameters()}
    norm = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(g) for g in gradients.values()]))
    lengths = torch.tensor([0] + [len(r) for r in ids])
    save_file(
        {"ids": torch.tensor(sum(ids, []), dtype=torch.int32), "mask": mask.to(torch.int32),
         "offsets": lengths.cumsum(0).to(torch.int32), "logits": logits.detach(), "nll": nll.detach(), **gradients},
        folder / "golden.safetensors")
    write_json(folder / "golden.json", {
        **header("models.py", "torch", "transformers", "safetensors"),
        "loss": float32(loss.item()), "targets": int(mask.sum()), "grad_norm": float32(norm.item()),
        "logit_scale": float32(logits.abs().max().item()),
        "greedy": [{"prompt": p, "continuation": c, "smallest_margin": float32(m)} for p, c, m in continuations],
    })
    print(name, "loss", loss.item(), "grad norm", norm.item(), "logits", logits.abs().max().item(),
          "margins", [round(m, 3) for *_, m in continuations])


if __name__ == "__main__":
    torch.set_num_threads(1)
    transformers.utils.logging.disable_progress_bar()
    for place, name in enumerate(MODELS):
        record(name, 1000 * (place + 1))
