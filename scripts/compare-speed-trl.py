#!/usr/bin/env python3
"""One contender of compare-speed: TRL's GRPOTrainer, one optimizer step a turn. Speaks the same lines of JSON as compare-speed-torch.py.

8 prompts of 46 tokens, 8 completions each of exactly 48 tokens at temperature 1, no KL, float32, all weights, AdamW; the trainer's own
defaults otherwise, but for gradient checkpointing, which it does not need here and which would cost it time. A turn is a whole step, from
the prompts to the new weights; how much of it generation took is said beside it.
"""

import argparse
import json
import logging
import os
import platform
import random
import re
import sys
import tempfile
import time
import warnings
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
import transformers
import trl
from datasets import Dataset
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast, TrainerCallback
from trl import GRPOConfig, GRPOTrainer


def memory(field: str) -> int:
    return int(re.search(rf"{field}:\s+(\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024


def say(**fields) -> None:
    print(json.dumps(fields), file=OUTPUT, flush=True)


def make_prompts(tokenizer, count: int, length: int) -> list[str]:
    """Plain words that encode to exactly `length` tokens."""
    words = [text for text in (tokenizer.decode([token]) for token in range(1000, 20000)) if re.fullmatch(r" [a-z]{3,}", text)]
    draw = random.Random(7)
    prompts = ["".join(draw.choice(words) for _ in range(length)) for _ in range(count)]
    assert all(len(tokenizer(prompt)["input_ids"]) == length for prompt in prompts)
    return prompts


def reward(completions, **_) -> list[float]:
    """Every other completion is right: every group has something to learn."""
    return [float(place % 2) for place in range(len(completions))]


class Turns(TrainerCallback):
    """Lets a step begin when it is told to, and says how long it took."""

    def __init__(self, warmups: int):
        self.warmups = warmups
        self.generating = 0.0
        self.facts: dict = {}

    def on_step_begin(self, args, state, control, **_):
        if state.global_step == self.warmups:
            say(ready=True, **self.facts)
        if state.global_step >= self.warmups:
            while (line := sys.stdin.readline()) and line.strip() not in ("run", "end"):
                pass
            if line.strip() != "run":
                say(peak_rss_bytes=memory("VmHWM"))
                os._exit(0)
        self.generating = 0.0
        self.start = time.perf_counter()

    def on_step_end(self, args, state, control, **_):
        took = dict(seconds=time.perf_counter() - self.start, generation_seconds=self.generating)
        if state.global_step > self.warmups:
            say(tokens=1, **took)
        else:
            self.facts["warm_up"] = took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    for name, default in dict(prompts=8, samples=8, prompt=46, new=48, batch=64, threads=2, warmups=1).items():
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)

    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(Path(options.model) / "tokenizer.json"), eos_token="<|im_end|>",
                                        pad_token="<|im_end|>")
    model = AutoModelForCausalLM.from_pretrained(options.model, dtype=torch.float32, attn_implementation="sdpa", local_files_only=True)
    turns = Turns(options.warmups)
    generate = model.generate

    def timed_generate(*arguments, **settings):
        start = time.perf_counter()
        out = generate(*arguments, **settings)
        turns.generating += time.perf_counter() - start
        return out

    model.generate = timed_generate
    sequences = options.prompts * options.samples
    with tempfile.TemporaryDirectory() as folder:
        trainer = GRPOTrainer(
            model=model, processing_class=tokenizer, reward_funcs=reward, callbacks=[turns],
            train_dataset=Dataset.from_dict({"prompt": make_prompts(tokenizer, options.prompts, options.prompt)}),
            args=GRPOConfig(
                output_dir=folder, use_cpu=True, bf16=False, gradient_checkpointing=False, per_device_train_batch_size=options.batch,
                gradient_accumulation_steps=sequences // options.batch, num_generations=options.samples, temperature=1.0,
                max_completion_length=options.new, generation_kwargs={"min_new_tokens": options.new}, beta=0.0, learning_rate=1e-6,
                lr_scheduler_type="constant", max_steps=10_000, save_strategy="no", report_to="none", logging_strategy="no",
                disable_tqdm=True, seed=1))
        turns.facts = dict(torch=torch.__version__, transformers=transformers.__version__, trl=trl.__version__,
                           python=platform.python_version(), batch=trainer.args.per_device_train_batch_size,
                           accumulation=trainer.args.gradient_accumulation_steps, optimizer=str(trainer.args.optim),
                           loss_type=trainer.args.loss_type, num_iterations=trainer.args.num_iterations)
        trainer.train()


if __name__ == "__main__":
    # Whatever the libraries print goes to the log.
    OUTPUT, sys.stdout = sys.stdout, sys.stderr
    main()
