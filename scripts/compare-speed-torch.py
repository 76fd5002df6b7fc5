#!/usr/bin/env python3
"""One contender of compare-speed: a torch process that loads once, then runs its case whenever it is told to.

Speaks lines of JSON. Says {"ready": …} after two warm-up runs; answers every line "run" with {"seconds", "tokens"}; on "end" says its
peak memory and leaves. As a user of transformers would write it: SDPA attention, loss over the full logits, fused AdamW (Trainer's default).
"""

import argparse
import json
import platform
import re
import sys
import time
from pathlib import Path

import torch
import transformers
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

SMALL = dict(vocab_size=4096, hidden_size=256, intermediate_size=768, num_hidden_layers=6, num_attention_heads=8, num_key_value_heads=4,
             max_position_embeddings=2048, tie_word_embeddings=True)


def memory(field: str) -> int:
    return int(re.search(rf"{field}:\s+(\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024


def forget_peak() -> None:
    """Sets the kernel's high-water mark to the present size."""
    Path("/proc/self/clear_refs").write_text("5")


def load(options):
    if options.model == "5.8m":
        torch.manual_seed(1)
        return LlamaForCausalLM(LlamaConfig(**SMALL, attn_implementation="sdpa"))
    return AutoModelForCausalLM.from_pretrained(options.model, dtype=torch.float32, attn_implementation="sdpa", local_files_only=True)


def random_ids(model, rows: int, columns: int) -> torch.Tensor:
    return torch.randint(20, model.config.vocab_size, (rows, columns), generator=torch.Generator().manual_seed(7))


def training(model, options):
    """One optimizer step: forward, loss of every position, backward, AdamW."""
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, weight_decay=0.01, fused=True)
    ids = random_ids(model, options.batch, options.length)
    forward = torch.compile(model, dynamic=False) if options.compile else model

    def step() -> int:
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=options.bfloat16):
            loss = forward(input_ids=ids, labels=ids, use_cache=False).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return ids.numel()

    return step


def scoring(model, options):
    """The log-probability of every token given those before it."""
    model.eval()
    ids = random_ids(model, options.batch, options.length)
    targets = torch.nn.functional.pad(ids[:, 1:], (0, 1), value=-100).flatten()
    forward = torch.compile(model, dynamic=False) if options.compile else model

    @torch.inference_mode()
    def score() -> int:
        logits = forward(input_ids=ids, use_cache=False).logits
        torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets, reduction="none").neg_()
        return ids.numel()

    return score


def generation(model, options):
    """Greedy, a key-value cache, no end token; counts new tokens over the whole time, prompt included."""
    model.eval()
    model.generation_config.eos_token_id = None
    ids = random_ids(model, options.batch, options.prompt)
    mask = torch.ones_like(ids)

    @torch.inference_mode()
    def generate() -> int:
        out = model.generate(input_ids=ids, attention_mask=mask, max_new_tokens=options.new, do_sample=False)
        assert out.shape[1] == options.prompt + options.new
        return options.batch * options.new

    return generate


def rollout(model, options):
    """Samples at temperature 1 from the whole distribution, --samples of each prompt, --batch sequences a call; no end token."""
    model.eval()
    model.generation_config.eos_token_id = None
    ids = random_ids(model, options.batch // options.samples, options.prompt)
    mask = torch.ones_like(ids)

    @torch.inference_mode()
    def sample() -> int:
        out = model.generate(input_ids=ids, attention_mask=mask, max_new_tokens=options.new, do_sample=True, temperature=1.0, top_k=0,
                             top_p=1.0, num_return_sequences=options.samples)
        assert out.shape == (options.batch, options.prompt + options.new)
        return options.batch * options.new

    return sample


def multiplication(model, options):
    """Matrix products of the shapes that training 4x256 has: floating-point operations a second, as 'tokens'."""
    shapes = [(1024, 576, 1536), (1024, 1536, 576), (1024, 576, 576), (1024, 576, 12288)]
    pairs = [(torch.randn(m, k), torch.randn(n, k), torch.empty(m, n)) for m, k, n in shapes]

    def multiply() -> int:
        for left, right, out in pairs * 4:
            torch.mm(left, right.T, out=out)
        return 4 * sum(2 * m * n * k for m, k, n in shapes)

    return multiply


def reading(model, options):
    """Bytes read a second from memory far beyond the caches: a dot product of two large arrays."""
    left, right = torch.ones(128 << 20), torch.ones(128 << 20)

    def read() -> int:
        torch.dot(left, right)
        return 8 * left.numel()

    return read


CASES = {"train": training, "forward": scoring, "generate": generation, "rollout": rollout, "sgemm": multiplication, "read": reading}


def say(**fields) -> None:
    print(json.dumps(fields), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case", choices=CASES)
    parser.add_argument("--model", default="")
    for name, default in dict(batch=4, length=256, prompt=32, new=64, samples=8, threads=2, warmups=2).items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--bfloat16", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()

    run = CASES[options.case](load(options) if options.model else None, options)
    loaded = memory("VmHWM")
    forget_peak()
    for _ in range(options.warmups):
        run()
    say(ready=True, torch=torch.__version__, transformers=transformers.__version__, python=platform.python_version(),
        capability=torch.backends.cpu.get_cpu_capability())
    for line in sys.stdin:
        if line.strip() == "end":
            break
        start = time.perf_counter()
        tokens = run()
        say(seconds=time.perf_counter() - start, tokens=tokens)
    running = memory("VmHWM")
    say(peak_rss_bytes=max(loaded, running), running_peak_rss_bytes=running)


if __name__ == "__main__":
    main()
