#!/usr/bin/env python3
"""Records 20 AdamW steps of torch on tiny-llama, as transformers' Trainer takes them: schedule, clipping, decay groups, token-count normalisation.

Reads Tests/ModelingTests/Fixtures/tiny-llama (models.py first); writes Tests/TrainingTests/Fixtures/adamw-{cosine,linear}.json.
"""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parent / "lib")

import torch
import transformers
from golden import fixtures, float32, header, write_json
from transformers import LlamaForCausalLM, get_scheduler

STEPS, MICRO_BATCHES, RECORDS = 20, 2, 3

COMMON = dict(max_steps=STEPS, adam_epsilon=1e-8, gradient_accumulation_steps=MICRO_BATCHES)

# The first clips every step; the second some, and leaves the defaults where it can.
RUNS = {
    "cosine": dict(learning_rate=1e-3, warmup_steps=4, weight_decay=0.01, adam_beta1=0.9, adam_beta2=0.999, max_grad_norm=1.0, **COMMON),
    "linear": dict(learning_rate=4e-3, warmup_steps=0, weight_decay=0.1, adam_beta1=0.8, adam_beta2=0.95, max_grad_norm=12.0, **COMMON),
}


def make_record(generator) -> dict:
    """Counts up in fixed strides below 100 (learnable); the first tokens are the prompt, and not trained."""
    def draw(low: int, high: int) -> int:
        return int(torch.randint(low, high, (1,), generator=generator))

    length, start, stride = draw(4, 15), draw(0, 97), draw(1, 5)
    prompt = draw(1, length)
    return {"ids": [3 + (start + stride * t) % 97 for t in range(length)], "mask": [int(t >= prompt) for t in range(length)]}


def make_batches() -> list:
    generator = torch.Generator().manual_seed(20)
    return [[[make_record(generator) for _ in range(RECORDS)] for _ in range(MICRO_BATCHES)] for _ in range(STEPS)]


def loss_sum(model, record: dict) -> torch.Tensor:
    """Negative log-likelihood summed over the trained tokens of one record."""
    ids, mask = torch.tensor([record["ids"]]), torch.tensor(record["mask"][1:])
    nll = torch.nn.functional.cross_entropy(model(ids).logits[0, :-1], ids[0, 1:], reduction="none")
    return (nll * mask).sum()


def decay_groups(model, weight_decay: float) -> list[dict]:
    """Trainer's rule: no decay for biases and norm weights."""
    plain = {name for name, _ in model.named_parameters() if name.endswith("bias") or "norm" in name}
    return [{"params": [w for n, w in model.named_parameters() if n not in plain], "weight_decay": weight_decay},
            {"params": [w for n, w in model.named_parameters() if n in plain], "weight_decay": 0.0}]


def train(schedule: str, batches: list, dtype: torch.dtype):
    s = RUNS[schedule]
    model = LlamaForCausalLM.from_pretrained(fixtures("Modeling") / "tiny-llama", dtype=dtype)
    optimizer = torch.optim.AdamW(decay_groups(model, s["weight_decay"]), lr=s["learning_rate"],
                                  betas=(s["adam_beta1"], s["adam_beta2"]), eps=s["adam_epsilon"])
    scheduler = get_scheduler(schedule, optimizer, num_warmup_steps=s["warmup_steps"], num_training_steps=s["max_steps"])
    steps = []
    for micro_batches in batches:
        targets = sum(sum(record["mask"]) for batch in micro_batches for record in batch)
        optimizer.zero_grad()
        total = 0.0
        for batch in micro_batches:
            loss = sum(loss_sum(model, record) for record in batch) / targets
            loss.backward()
            total += loss.item()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), s["max_grad_norm"]).item()
        steps.append({"loss": total, "grad_norm": norm, "lr": scheduler.get_last_lr()[0]})
        optimizer.step()
        scheduler.step()
    return steps, model


def sample(weight: torch.Tensor, generator) -> dict:
    flat = weight.detach().flatten()
    indices = torch.randint(0, flat.numel(), (24,), generator=generator)
    return {"norm": float32(flat.norm().item()), "indices": indices.tolist(), "values": [float32(v) for v in flat[indices].tolist()]}


def record(schedule: str) -> None:
    batches = make_batches()
    steps, model = train(schedule, batches, torch.float32)
    wide, _ = train(schedule, batches, torch.float64)
    drift = max(abs(a["loss"] - b["loss"]) for a, b in zip(steps, wide))
    generator = torch.Generator().manual_seed(21)
    write_json(fixtures("Training") / f"adamw-{schedule}.json", {
        **header("adamw.py", "torch", "transformers"),
        "model": "ModelingTests/Fixtures/tiny-llama",
        "settings": {"lr_scheduler_type": schedule, **RUNS[schedule]},
        "largest_loss_difference_from_float64": drift,
        "steps": [{"loss": s["loss"], "grad_norm": float32(s["grad_norm"]), "lr": s["lr"], "micro_batches": b}
                  for s, b in zip(steps, batches)],
        "final": {name: sample(weight, generator) for name, weight in model.named_parameters()},
    })
    print(schedule, "float64 differs by", drift, *(f"{s['loss']:.4f}/{s['grad_norm']:.2f}/{s['lr']:.2e}" for s in steps))


if __name__ == "__main__":
    torch.set_num_threads(1)
    transformers.utils.logging.disable_progress_bar()
    for schedule in RUNS:
        record(schedule)
