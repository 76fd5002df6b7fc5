#!/usr/bin/env python3
"""Records what the losses and terms of fine-tuning come to on tiny-llama, and their gradients, by torch autograd in float64.

Reads Tests/ModelingTests/Fixtures/tiny-llama (models.py first); writes Tests/TrainingTests/Fixtures/objectives.json: two micro-batches of one
step, then a case for every loss, term and some of their sums, with the loss of the data, each term, and of each tensor's gradient the norm and
a projection (the signs of policy.py). Weights of tokens are detached. Models beside the trained one are its weights times 0.9 (anchor, KL's
reference, the model before the past task) and 1.1 (teacher); the Fishers are θ² at 0.9·θ and |θ| at 1.1·θ. Beside the cases: the empirical
Fisher on the records, and O-LoRA's term on small matrices.
"""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[0] = str(HERE / "lib")
sys.path.append(str(HERE))

import statistics

import torch
import transformers
from golden import fixtures, header, write_json
from policy import load, round6, signs

BATCHES, RECORDS = 2, 3
ANCHOR, TEACHER = 0.9, 1.1
RECORD_WEIGHTS = [0.25, 1.0, 0.5, 0.75, 0.125, 0.875]

CASES = [
    {"loss": "nll"},
    {"loss": "flow"},
    {"loss": "talr", "scope": "microbatch"},
    {"loss": "talr", "scope": "step"},
    {"loss": "talr", "tau": 2.5, "floor": 0.2},
    {"loss": "dft"},
    {"loss": "eaft"},
    {"loss": "eaft", "alpha": 2.0},
    {"loss": "nll", "kl": 0.5},
    {"loss": "nll", "distill": 0.7, "temperature": 2.0},
    {"loss": "nll", "distill": 0.7, "temperature": 1.0},
    {"loss": "talr", "scope": "microbatch", "kl": 0.5, "distill": 0.3, "temperature": 3.0},
    {"loss": "nll", "l2": 0.02},
    {"loss": "nll", "l2": 40.0, "reduction": "mean"},
    {"loss": "nll", "ewc": 3.0, "tasks": 1},
    {"loss": "nll", "ewc": 3.0, "tasks": 2},
    {"loss": "nll", "cpo": 10.0, "share": 0.1},
    {"loss": "eaft", "kl": 0.5, "l2": 0.02, "ewc": 3.0, "tasks": 2, "cpo": 10.0, "share": 0.1},
]


def make_records() -> list[dict]:
    generator = torch.Generator().manual_seed(40)
    draw = lambda low, high: int(torch.randint(low, high, (1,), generator=generator))
    records = []
    for weight in RECORD_WEIGHTS:
        length = draw(4, 16)
        prompt = draw(1, length)
        records.append({"ids": [draw(3, 160) for _ in range(length)], "mask": [int(t >= prompt) for t in range(length)], "weight": weight})
    return records


def scaled(factor: float):
    model = load()
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(factor)
    return model


def target_logits(model, record: dict) -> torch.Tensor:
    """(targets, vocabulary), from a pass over this record alone."""
    mask = torch.tensor(record["mask"][1:], dtype=torch.bool)
    return model(torch.tensor([record["ids"]])).logits[0, :-1][mask]


def token_losses(logits: torch.Tensor, record: dict) -> torch.Tensor:
    mask = torch.tensor(record["mask"][1:], dtype=torch.bool)
    return torch.nn.functional.cross_entropy(logits, torch.tensor(record["ids"][1:])[mask], reduction="none")


def weights(case: dict, tau: float | None, logits: torch.Tensor, losses: torch.Tensor) -> torch.Tensor:
    logits, losses = logits.detach(), losses.detach()
    if case["loss"] == "talr":
        return torch.exp(-losses / tau).clamp(min=case.get("floor", 0.01))
    if case["loss"] == "dft":
        return torch.exp(-losses)
    if case["loss"] == "eaft":
        top = torch.topk(logits, 20).values.log_softmax(-1)
        return (-(top.exp() * top).sum(-1) / 3.0) ** case.get("alpha", 1.0)
    return torch.ones_like(losses)


def divergence(reference: torch.Tensor, logits: torch.Tensor, temperature: float) -> torch.Tensor:
    return torch.nn.functional.kl_div((logits / temperature).log_softmax(-1), (reference / temperature).softmax(-1), reduction="sum")


def parameter_terms(case: dict, model) -> dict[str, torch.Tensor]:
    now = torch.cat([w.flatten() for w in model.parameters()])
    start = now.detach()
    terms = {}
    if "l2" in case:
        square = (now - ANCHOR * start) ** 2
        terms["l2"] = case["l2"] * (square.mean() if case.get("reduction") == "mean" else square.sum())
    if "ewc" in case:
        tasks = [(start ** 2, ANCHOR * start), (start.abs(), TEACHER * start)][:case["tasks"]]
        terms["ewc"] = sum(case["ewc"] / 2 * (fisher * (now - at) ** 2).sum() for fisher, at in tasks)
    if "cpo" in case:
        moved = (start - ANCHOR * start).abs()
        chosen = moved.topk(int(case["share"] * len(moved))).indices
        terms["cpo"] = case["cpo"] * (now - ANCHOR * start)[chosen].abs().mean()
    return terms


def measure(case: dict, batches: list[list[dict]], anchor, teacher) -> dict:
    model = load()
    total = sum(sum(record["mask"][1:]) for batch in batches for record in batch)
    logits = [[target_logits(model, record) for record in batch] for batch in batches]
    losses = [[token_losses(x, record) for x, record in zip(rows, batch)] for rows, batch in zip(logits, batches)]
    means = [[x.mean().item() for x in rows] for rows in losses]
    loss, nll, weight_sum, taus = 0.0, 0.0, 0.0, []
    terms = {name: 0.0 for name in ("kl", "distill") if name in case}
    for number, batch in enumerate(batches):
        if case["loss"] == "talr" and "tau" not in case:
            taus.append(statistics.median(means[number] if case["scope"] == "microbatch" else sum(means, [])))
        for record, x, ell in zip(batch, logits[number], losses[number]):
            w = weights(case, case.get("tau", taus[-1] if taus else None), x, ell) * (record["weight"] if case["loss"] == "flow" else 1.0)
            loss = loss + (w * ell).sum() / total
            nll, weight_sum = nll + ell.sum().item() / total, weight_sum + w.sum().item() / total
            with torch.no_grad():
                beside = {"kl": target_logits(anchor, record), "distill": target_logits(teacher, record)}
            for name in terms:
                temperature = case["temperature"] if name == "distill" else 1.0
                terms[name] = terms[name] + case[name] * temperature ** 2 * divergence(beside[name], x, temperature) / total
    terms |= parameter_terms(case, model)
    (loss + sum(terms.values())).backward()
    gradients = [w.grad.flatten() for w in model.parameters()]
    facts = {"nll": nll, "mean_weight": weight_sum} if case["loss"] != "nll" else {}
    return {"case": case, "value": loss.item(), **facts, **({"tau": sum(taus) / len(taus)} if taus else {}),
            "terms": {name: value.item() for name, value in terms.items()},
            "norms": [round6(g.norm().item()) for g in gradients], "projections": [round6((g * signs(len(g))).sum().item()) for g in gradients]}


def fisher(records: list[dict]) -> dict:
    """The mean over records of the squared gradient of the sum of log p."""
    model = load()
    sums = [torch.zeros_like(w).flatten() for w in model.parameters()]
    for record in records:
        model.zero_grad()
        token_losses(target_logits(model, record), record).sum().backward()
        sums = [s + w.grad.flatten() ** 2 / len(records) for s, w in zip(sums, model.parameters())]
    return {"norms": [round6(s.norm().item()) for s in sums], "projections": [round6((s * signs(len(s))).sum().item()) for s in sums]}


def orthogonality(factor: float) -> dict:
    generator = torch.Generator().manual_seed(41)
    draw = lambda rows: torch.randint(-99, 100, (rows, 6), generator=generator).double() / 64
    a, past = draw(2).requires_grad_(), [draw(3), draw(2)]
    value = factor * sum((a @ other.T).abs().sum() for other in past)
    value.backward()
    return {"lambda": factor, "a": a.tolist(), "past": torch.cat(past).tolist(), "value": value.item(), "gradient": a.grad.tolist()}


def record() -> None:
    records = make_records()
    batches = [records[start:start + RECORDS] for start in range(0, BATCHES * RECORDS, RECORDS)]
    anchor, teacher = scaled(ANCHOR), scaled(TEACHER)
    written = [measure(case, batches, anchor, teacher) for case in CASES]
    path = fixtures("Training") / "objectives.json"
    write_json(path, {**header("objectives.py", "torch", "transformers"), "model": "ModelingTests/Fixtures/tiny-llama", "anchor": ANCHOR,
                      "teacher": TEACHER, "tensors": [name for name, _ in load().named_parameters()], "micro_batches": batches,
                      "fisher": fisher(records), "o_lora": orthogonality(0.5), "cases": written})
    for entry in written:
        print(entry["case"], entry["value"], entry["terms"])


if __name__ == "__main__":
    torch.set_num_threads(1)
    transformers.utils.logging.disable_progress_bar()
    record()
