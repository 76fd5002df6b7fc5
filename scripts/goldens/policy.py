#!/usr/bin/env python3
"""Records the loss and the gradients of one optimizer step of GRPO, RLOO and ReMax on given rollouts, by torch autograd in float64.

    python3 scripts/goldens/policy.py                records
    python3 scripts/goldens/policy.py --check-trl    compares with TRL's own loss (wants trl==1.16.0 installed); records nothing

Reads Tests/ModelingTests/Fixtures/tiny-llama (models.py first); writes Tests/ReinforcementTests/Fixtures/policy.json: the rollouts (the
log-probabilities of the policy that drew them and of the reference differ from the model's own, so that ratios are clipped on either side),
then a case for every method x loss type x clip x KL, with the loss, what was clipped, and of each tensor's gradient the norm and a
projection: the sum of the entries, entry i with sign + where bit 15 of i * 2654435761 (mod 2^32) is 0.
"""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parent / "lib")

import argparse
from dataclasses import asdict, dataclass
from itertools import product
from types import SimpleNamespace

import torch
import transformers
from golden import fixtures, float32, header, write_json
from transformers import LlamaForCausalLM

BETA = 0.2
PROMPT_LENGTHS = [6, 1, 9, 4]
COMPLETION_LENGTHS = [[7, 3, 5, 1], [4, 8, 2, 6], [8, 8, 3, 5], [2, 6, 4, 7]]

# Groups with two values, with weighted components and a reward that is missing, with few distinct values, and without any difference.
REWARDS = [[1.0, 0.0, 0.0, 1.0], [1.0, 0.1, None, 0.0], [0.9, 0.1, 0.1, 0.0], [0.1, 0.1, 0.1, 0.1]]
GREEDY_REWARDS = [0.0, 0.9, 0.1, 0.1]

CLIPS = {"symmetric": dict(epsilon=0.2), "higher": dict(epsilon=0.2, epsilon_high=0.28), "dual": dict(epsilon=0.2, epsilon_high=0.28, delta=1.5)}
PENALTIES = [("none", "loss"), *product(["k1", "k2", "k3"], ["loss", "reward"])]


@dataclass
class Settings:
    """One case, under TRL's names where it has them."""

    method: str = "grpo"
    scale_rewards: str = "group"
    advantage_delta: float = 1e-4
    loss_type: str = "dapo"
    epsilon: float = 0.2
    epsilon_high: float | None = None
    delta: float | None = None
    kl: str = "none"
    kl_in: str = "loss"
    importance_sampling_level: str = "token"
    mask_truncated_completions: bool = False
    max_completion_length: int = 8


# MARK: - The model and its rollouts


def load() -> LlamaForCausalLM:
    return LlamaForCausalLM.from_pretrained(fixtures("Modeling") / "tiny-llama", dtype=torch.float64).eval()


def log_probabilities(model, prompt: list[int], completion: list[int]) -> torch.Tensor:
    """log p of each completion token, from a pass over this record alone."""
    logits = model(torch.tensor([prompt + completion])).logits[0, len(prompt) - 1:-1]
    return logits.log_softmax(-1).gather(1, torch.tensor(completion)[:, None])[:, 0]


def make_rollouts(model) -> list[dict]:
    """Completions drawn from the model; the policy that is said to have drawn them, and the reference, lie beside it by random steps."""
    generator = torch.Generator().manual_seed(30)
    rollouts = []
    for number, (prompt_length, lengths) in enumerate(zip(PROMPT_LENGTHS, COMPLETION_LENGTHS)):
        prompt = torch.randint(3, 160, (prompt_length,), generator=generator).tolist()
        completions = []
        for place, length in enumerate(lengths):
            ids = list(prompt)
            with torch.no_grad():
                for _ in range(length):
                    ids.append(torch.multinomial(model(torch.tensor([ids])).logits[0, -1].softmax(-1), 1, generator=generator).item())
                now = log_probabilities(model, prompt, ids[prompt_length:])
            step = lambda scale: scale * torch.randn(length, generator=generator, dtype=torch.float64)
            drift = 0.3 * torch.randn(1, generator=generator, dtype=torch.float64)
            old, reference = ((now + by).clamp(max=-0.01) for by in (drift + step(0.35), step(0.5)))
            completions.append({"ids": ids[prompt_length:], "reward": REWARDS[number][place], "truncated": length == max(lengths),
                                "old": [float32(value) for value in old.tolist()],
                                "reference": [float32(value) for value in reference.tolist()]})
        rollouts.append({"prompt": prompt, "greedy_reward": GREEDY_REWARDS[number], "completions": completions})
    return rollouts


# MARK: - From rewards to advantages


def estimate(kind: str, policy: torch.Tensor, reference: torch.Tensor) -> torch.Tensor:
    difference = reference - policy
    return {"k1": -difference, "k2": difference ** 2 / 2, "k3": difference.exp() - difference - 1}[kind]


def deviation(rewards: list[float]) -> float:
    return torch.tensor(rewards, dtype=torch.float64).std(correction=1).item()


def advantages(s: Settings, rollouts: list[dict]) -> list[list[float]]:
    """Missing rewards and groups without differences get 0."""
    groups = []
    for rollout in rollouts:
        rewards = []
        for c in rollout["completions"]:
            penalty = 0.0
            if s.kl_in == "reward" and s.kl != "none":
                penalty = BETA * estimate(s.kl, *(torch.tensor(c[key], dtype=torch.float64) for key in ("old", "reference"))).sum().item()
            rewards.append(None if c["reward"] is None else c["reward"] - penalty)
        groups.append(rewards)
    everything = [r for rewards in groups for r in rewards if r is not None]
    result = []
    for rollout, rewards in zip(rollouts, groups):
        there = [r for r in rewards if r is not None]
        mean, equal = sum(there) / len(there), max(there) - min(there) <= 1e-6

        def advantage(reward):
            if reward is None:
                return 0.0
            if s.method == "remax":
                return reward - rollout["greedy_reward"]
            if equal:
                return 0.0
            if s.method == "rloo":
                return reward - (sum(there) - reward) / (len(there) - 1)
            scale = {"group": lambda: deviation(there), "batch": lambda: deviation(everything), "none": lambda: 0.0}[s.scale_rewards]()
            return (reward - mean) / (scale + s.advantage_delta if s.scale_rewards != "none" else 1)

        result.append([advantage(reward) for reward in rewards])
    return result


# MARK: - The loss


def policy_loss(s: Settings, rollouts: list[dict], now: list[list[torch.Tensor]]) -> tuple[torch.Tensor, dict]:
    """Of the whole step; every completion on its own, from the formulas."""
    low, high = 1 - s.epsilon, 1 + (s.epsilon_high if s.epsilon_high is not None else s.epsilon)
    taken = [(c, a, n) for rollout, group, logs in zip(rollouts, advantages(s, rollouts), now)
             for c, a, n in zip(rollout["completions"], group, logs) if not (s.mask_truncated_completions and c["truncated"])]
    tokens = sum(len(c["ids"]) for c, *_ in taken)
    total, ratios, kls, clipped = 0.0, [], [], [0, 0]
    for c, advantage, policy in taken:
        log_ratio = policy - torch.tensor(c["old"], dtype=torch.float64)
        if s.importance_sampling_level == "sequence":
            log_ratio = log_ratio.mean()[None]
        ratio = log_ratio.exp()
        capped = ratio if s.delta is None else ratio.clamp(max=s.delta)
        loss = -torch.min(capped * advantage, ratio.clamp(low, high) * advantage)
        loss = loss.expand(len(policy))
        if s.kl != "none" and s.kl_in == "loss":
            kl = estimate(s.kl, policy, torch.tensor(c["reference"], dtype=torch.float64))
            loss = loss + BETA * kl
            kls += kl.tolist()
        total = total + {"grpo": lambda: loss.mean() / len(taken), "dapo": lambda: loss.sum() / tokens,
                         "dr_grpo": lambda: loss.sum() / (len(taken) * s.max_completion_length)}[s.loss_type]()
        ratios += ratio.tolist()
        clipped[0] += int(((ratio < low) & (advantage < 0)).sum())
        clipped[1] += int(((ratio > high) & (advantage > 0)).sum())
    near = min(abs(r - bound) for r in ratios for bound in (low, high, s.delta or high))
    assert near > 1e-4, f"a ratio within {near} of a bound: rounding could choose the side"
    return total, {"ratios": len(ratios), "clipped_low": clipped[0], "clipped_high": clipped[1], "ratio_min": min(ratios), "ratio_max": max(ratios),
                   "kl_mean": sum(kls) / len(kls) if kls else None}


# MARK: - Cases


def make_cases() -> list[Settings]:
    cases = []
    for method, loss_type, clip, (kl, kl_in) in product(["grpo", "rloo", "remax"], ["grpo", "dapo", "dr_grpo"], CLIPS, PENALTIES):
        cases.append(Settings(method, loss_type=loss_type, kl=kl, kl_in=kl_in, **CLIPS[clip]))
        if kl_in == "loss" and kl in ("none", "k3"):
            cases.append(Settings(method, loss_type=loss_type, kl=kl, kl_in=kl_in, importance_sampling_level="sequence", **CLIPS[clip]))
    for loss_type in ("grpo", "dapo", "dr_grpo"):
        cases.append(Settings(loss_type=loss_type, kl="k3", mask_truncated_completions=True))
        cases.append(Settings(loss_type=loss_type, scale_rewards="batch", advantage_delta=1e-6))
        cases.append(Settings(loss_type=loss_type, scale_rewards="none"))
    return cases


def round6(value: float) -> float:
    return float(f"{value:.6g}")


def signs(count: int) -> torch.Tensor:
    index = torch.arange(count, dtype=torch.int64)
    return 1.0 - 2.0 * ((index * 2654435761 % 2 ** 32) // 2 ** 15 % 2).double()


def record() -> None:
    model = load()
    rollouts = make_rollouts(model)
    names = [name for name, _ in model.named_parameters()]
    written = []
    for s in make_cases():
        model.zero_grad()
        now = [[log_probabilities(model, r["prompt"], c["ids"]) for c in r["completions"]] for r in rollouts]
        loss, facts = policy_loss(s, rollouts, now)
        loss.backward()
        gradients = [weight.grad.flatten() for _, weight in model.named_parameters()]
        plain = {key: value for key, value in asdict(s).items() if value != getattr(Settings(), key) or key in ("method", "loss_type")}
        written.append({**plain, "loss": loss.item(), **{key: round6(v) if isinstance(v, float) else v for key, v in facts.items() if v is not None},
                        "norms": [round6(g.norm().item()) for g in gradients],
                        "projections": [round6((g * signs(len(g))).sum().item()) for g in gradients]})
    path = fixtures("Reinforcement") / "policy.json"
    write_json(path, {**header("policy.py", "torch", "transformers"), "model": "ModelingTests/Fixtures/tiny-llama", "beta": BETA,
                      "defaults": asdict(Settings()), "tensors": names, "rollouts": rollouts, "cases": written})
    print(len(written), "cases,", path.stat().st_size, "bytes; clipped low", sum(c["clipped_low"] for c in written), "high",
          sum(c["clipped_high"] for c in written), "of", sum(c["ratios"] for c in written))


# MARK: - TRL's own loss


def padded(rows: list[list], left: bool = False) -> torch.Tensor:
    width = max(map(len, rows))
    fill = lambda row: [0] * (width - len(row))
    return torch.tensor([fill(row) + row if left else row + fill(row) for row in rows])


def trl_loss(s: Settings, model, rollouts: list[dict]) -> torch.Tensor:
    """`GRPOTrainer._compute_loss` on the same rollouts, padded as TRL pads them; log-probabilities from one padded pass."""
    from trl import GRPOTrainer

    completions = [c for r in rollouts for c in r["completions"]]
    prompts = padded([r["prompt"] for r in rollouts for _ in r["completions"]], left=True)
    prompt_mask = padded([[1] * len(r["prompt"]) for r in rollouts for _ in r["completions"]], left=True)
    ids, mask = padded([c["ids"] for c in completions]), padded([[1] * len(c["ids"]) for c in completions])
    if s.mask_truncated_completions:
        mask = mask * torch.tensor([[0 if c["truncated"] else 1] for c in completions])

    def log_ps(model, input_ids, attention_mask, logits_to_keep, **_):
        positions = (attention_mask.cumsum(1) - 1).clamp(min=0)
        logits = model(input_ids, attention_mask=attention_mask, position_ids=positions).logits[:, -logits_to_keep - 1:-1]
        logps = logits.log_softmax(-1).gather(2, ids[..., None])[..., 0]
        return logps, torch.zeros_like(logps), None

    same = SimpleNamespace(reduce=lambda value, **_: value, gather=lambda value: value, num_processes=1, sync_gradients=True)
    trainer = SimpleNamespace(
        _get_per_token_logps_and_entropies=log_ps, aux_loss_enabled=False, top_entropy_quantile=1.0, off_policy_mask_threshold=None,
        importance_sampling_level=s.importance_sampling_level, beta=BETA if s.kl == "k3" else 0.0, loss_type=s.loss_type,
        epsilon_low=s.epsilon, epsilon_high=s.epsilon if s.epsilon_high is None else s.epsilon_high, use_vllm=False, accelerator=same,
        max_completion_length=s.max_completion_length, current_gradient_accumulation_steps=1, _entropy_bonus_enabled=False,
        args=SimpleNamespace(delta=s.delta, use_bias_correction_kl=False, steps_per_generation=1),
        model=SimpleNamespace(training=True), _metrics={"train": __import__("collections").defaultdict(list)})
    return GRPOTrainer._compute_loss(trainer, model, {
        "prompt_ids": prompts, "prompt_mask": prompt_mask, "completion_ids": ids, "completion_mask": mask,
        "advantages": torch.tensor(sum(advantages(s, rollouts), []), dtype=torch.float64), "num_items_in_batch": mask.sum(),
        "old_per_token_logps": padded([c["old"] for c in completions]).double(),
        "ref_per_token_logps": padded([c["reference"] for c in completions]).double()})


def check_trl() -> None:
    model = load()
    rollouts = make_rollouts(model)
    worst = 0.0
    for s in make_cases():
        if s.kl_in == "reward" or s.kl in ("k1", "k2"):
            continue
        now = [[log_probabilities(model, r["prompt"], c["ids"]) for c in r["completions"]] for r in rollouts]
        model.zero_grad()
        ours, _ = policy_loss(s, rollouts, now)
        ours.backward()
        own = torch.cat([w.grad.flatten() for w in model.parameters()])
        model.zero_grad()
        theirs = trl_loss(s, model, rollouts)
        theirs.backward()
        other = torch.cat([w.grad.flatten() for w in model.parameters()])
        if s.mask_truncated_completions and s.loss_type != "dapo":
            # TRL divides by masked completions too.
            kept = sum(not c["truncated"] for r in rollouts for c in r["completions"]) / sum(len(r["completions"]) for r in rollouts)
            theirs, other = theirs / kept, other / kept
        difference = max(abs(theirs.item() / ours.item() - 1), ((own - other).norm() / own.norm()).item())
        worst = max(worst, difference)
        if difference > 1e-6:
            print("differs by", difference, s)
    print("largest relative difference from TRL:", worst)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check-trl", action="store_true")
    torch.set_num_threads(1)
    transformers.utils.logging.disable_progress_bar()
    check_trl() if parser.parse_args().check_trl else record()
