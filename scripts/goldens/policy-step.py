#!/usr/bin/env python3
"""Records what one step of GRPO, RLOO and ReMax on given rollouts does to a model: loss, gradient norm, and the weights after AdamW, in float64.

Reads Tests/ModelingTests/Fixtures/tiny-llama (models.py) and the rollouts of Tests/ReinforcementTests/Fixtures/policy.json (policy.py); writes
policy-step.json beside it. The KL's reference is the same model with every weight times 0.9. Of each tensor's change it keeps the norm, a
projection (the signs of policy.py) and four entries, in the order of `tensors`. Adam's epsilon is of the size of the gradient's entries, so that
a change follows the gradient and not its sign alone.
"""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[0] = str(HERE / "lib")
sys.path.append(str(HERE))

import copy
import json
from dataclasses import asdict
from itertools import product

import torch
import transformers
from adamw import decay_groups
from golden import fixtures, header, write_json
from policy import CLIPS, PENALTIES, Settings, advantages, load, log_probabilities, policy_loss, round6, signs

OPTIMIZER = dict(learning_rate=1e-3, adam_beta1=0.9, adam_beta2=0.95, adam_epsilon=1e-2, weight_decay=0.1, max_grad_norm=1.0)
REFERENCE_SCALE = 0.9
ENTRIES = 4


def make_reference():
    model = load()
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(REFERENCE_SCALE)
    return model


def given_rollouts() -> list[dict]:
    """Those of policy.json, their reference the scaled model's."""
    rollouts = json.loads((fixtures("Reinforcement") / "policy.json").read_text())["rollouts"]
    reference = make_reference()
    for rollout in rollouts:
        for completion in rollout["completions"]:
            with torch.no_grad():
                completion["reference"] = log_probabilities(reference, rollout["prompt"], completion["ids"]).tolist()
    return rollouts


def make_cases() -> list[tuple[Settings, dict]]:
    """Every method x loss type x KL, the clips in turn; then what only a whole step has."""
    cases = []
    for number, (method, loss_type, (kl, kl_in)) in enumerate(product(["grpo", "rloo", "remax"], ["grpo", "dapo", "dr_grpo"], PENALTIES)):
        clip = list(CLIPS)[number % len(CLIPS)]
        cases.append((Settings(method, loss_type=loss_type, kl=kl, kl_in=kl_in, **CLIPS[clip]), {}))
    for method, loss_type in zip(["grpo", "rloo", "remax"], ["grpo", "dapo", "dr_grpo"]):
        cases.append((Settings(method, loss_type=loss_type, kl="k3"), {"num_iterations": 3}))
        cases.append((Settings(method, loss_type=loss_type, importance_sampling_level="sequence"), {}))
        cases.append((Settings(loss_type=loss_type, kl="k3", mask_truncated_completions=True), {}))
        cases.append((Settings(method, loss_type=loss_type, kl="k3"), {"drop_zero_variance": True}))
    return cases


def has_signal(s: Settings, rollouts: list[dict], number: int) -> bool:
    return any(abs(value) > 0 for value in advantages(s, rollouts)[number])


def step(s: Settings, more: dict, rollouts: list[dict]) -> dict:
    model = load()
    start = [weight.detach().clone() for weight in model.parameters()]
    o = OPTIMIZER
    optimizer = torch.optim.AdamW(decay_groups(model, o["weight_decay"]), lr=o["learning_rate"], betas=(o["adam_beta1"], o["adam_beta2"]),
                                  eps=o["adam_epsilon"])
    taken = rollouts
    if more.get("drop_zero_variance"):
        taken = [r for number, r in enumerate(rollouts) if has_signal(s, rollouts, number)]
    losses, norms, facts = [], [], []
    for _ in range(more.get("num_iterations", 1)):
        optimizer.zero_grad()
        now = [[log_probabilities(model, r["prompt"], c["ids"]) for c in r["completions"]] for r in taken]
        loss, found = policy_loss(s, taken, now)
        facts.append(found)
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), o["max_grad_norm"]).item())
        losses.append(loss.item())
        optimizer.step()
    changes = [(weight.detach() - before).flatten() for weight, before in zip(model.parameters(), start)]
    plain = {key: value for key, value in asdict(s).items() if value != getattr(Settings(), key) or key in ("method", "loss_type")}
    counts = {key: sum(f[key] for f in facts) for key in ("ratios", "clipped_low", "clipped_high")}
    return {**plain, **more, "loss": sum(losses) / len(losses), "grad_norm": round6(sum(norms) / len(norms)), **counts,
            "ratio_min": round6(min(f["ratio_min"] for f in facts)), "ratio_max": round6(max(f["ratio_max"] for f in facts)),
            "norms": [round6(c.norm().item()) for c in changes], "projections": [round6((c * signs(len(c))).sum().item()) for c in changes],
            "entries": [[round6(c[len(c) * i // ENTRIES].item()) for i in range(ENTRIES)] for c in changes]}


def record() -> None:
    rollouts = given_rollouts()
    written = [step(s, more, copy.deepcopy(rollouts)) for s, more in make_cases()]
    path = fixtures("Reinforcement") / "policy-step.json"
    write_json(path, {**header("policy-step.py", "torch", "transformers"), "optimizer": OPTIMIZER, "reference_scale": REFERENCE_SCALE,
                      "tensors": [name for name, _ in load().named_parameters()], "cases": written})
    print(len(written), "cases,", path.stat().st_size, "bytes; gradient norms", min(c["grad_norm"] for c in written), "to",
          max(c["grad_norm"] for c in written))


if __name__ == "__main__":
    torch.set_num_threads(1)
    transformers.utils.logging.disable_progress_bar()
    record()
