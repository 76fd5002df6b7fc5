#!/usr/bin/env python3
"""Shows that a model directory loads in transformers: every key there, none left over, tokenizer included.

    python3 scripts/check-transformers.py MODEL_DIRECTORY [--prompt TEXT | --ids 504,3575,282] [--top 5] [--all-logits FILE.json]

Prints one JSON object: the keys' verdict, the prompt's ids, the largest logits at its last position, the mean loss and a greedy continuation.
Exit status 1 when a key is missing, unexpected, of another shape, or a loaded weight is not finite.
"""

import argparse
import json
import sys
from pathlib import Path

import torch
import transformers
from transformers import AutoModelForCausalLM, AutoTokenizer


def load(directory: Path):
    """The model in float32, and what transformers found wrong with its keys."""
    model, info = AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32, output_loading_info=True, local_files_only=True)
    wrong = {name: sorted(map(str, found)) for name, found in info.items() if found}
    broken = sorted(name for name, weight in model.named_parameters() if not bool(torch.isfinite(weight).all()))
    return model.eval(), wrong | ({"not_finite": broken} if broken else {})


def load_tokenizer(directory: Path):
    if not (directory / "tokenizer.json").exists():
        return None
    return AutoTokenizer.from_pretrained(directory, local_files_only=True)


@torch.no_grad()
def describe(model, ids: list[int], top: int, length: int) -> tuple[dict, torch.Tensor]:
    logits = model(torch.tensor([ids])).logits[0]
    best = logits[-1].topk(top)
    loss = torch.nn.functional.cross_entropy(logits[:-1], torch.tensor(ids[1:])).item() if len(ids) > 1 else None
    grown = list(ids)
    for _ in range(length):
        grown.append(int(model(torch.tensor([grown])).logits[0, -1].argmax()))
    return {"ids": ids, "top": [[i, v] for i, v in zip(best.indices.tolist(), best.values.tolist())], "mean_loss": loss,
            "continuation": grown[len(ids):]}, logits


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--prompt", default="The capital of France is")
    parser.add_argument("--ids", type=lambda text: [int(part) for part in text.split(",")])
    parser.add_argument("--top", type=int, default=5)
    parser.add_argument("--length", type=int, default=8, help="tokens of greedy continuation")
    parser.add_argument("--all-logits", type=Path, help="write the logits of every position here, as JSON")
    options = parser.parse_args()
    transformers.utils.logging.disable_progress_bar()

    model, wrong = load(options.directory)
    tokenizer = load_tokenizer(options.directory)
    report = {"transformers": transformers.__version__, "model": type(model).__name__,
              "parameters": sum(weight.numel() for weight in model.parameters()),
              "tokenizer": type(tokenizer).__name__ if tokenizer else None, "keys": wrong or "all loaded, none left over"}
    ids = options.ids or (tokenizer.encode(options.prompt, add_special_tokens=False) if tokenizer else [1, 2, 3])
    numbers, logits = describe(model, ids, options.top, options.length)
    report |= numbers
    if tokenizer:
        report["continuation_text"] = tokenizer.decode(numbers["continuation"])
        if tokenizer.chat_template:
            report["chat"] = tokenizer.apply_chat_template([{"role": "user", "content": "Hi"}], add_generation_prompt=True, tokenize=False)
    if options.all_logits:
        options.all_logits.write_text(json.dumps(logits.tolist()))
    print("{" + ",\n ".join(f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in report.items()) + "}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
