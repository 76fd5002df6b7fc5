#!/usr/bin/env python3
"""Records what PEFT's merge_and_unload makes of a tiny Llama in bfloat16 and low-rank adapters.

Reads Tests/MergingTests/Fixtures/mergekit/base (mergekit.py first); writes Tests/MergingTests/Fixtures/peft: adapters as PEFT saves them, and
for each case of cases.json the merged tensors, with safe_merge and without.
"""

import json
import shutil
import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parent / "lib")

import torch
from golden import fixtures, header, write_json
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM

ALL = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]

ADAPTERS = {
    "lora": dict(r=4, lora_alpha=8, target_modules=ALL),
    "rslora": dict(r=3, lora_alpha=5, target_modules=["q_proj", "v_proj"], use_rslora=True),
    "dora": dict(r=2, lora_alpha=3, target_modules=["v_proj", "down_proj"], use_dora=True),
}

# name: adapters in the order in which they are merged, type of the base.
CASES = {
    "lora-bf16": dict(adapters=["lora"], dtype="bfloat16"),
    "lora-f32": dict(adapters=["lora"], dtype="float32"),
    "rslora-bf16": dict(adapters=["rslora"], dtype="bfloat16"),
    "dora-bf16": dict(adapters=["dora"], dtype="bfloat16"),
    "two-bf16": dict(adapters=["lora", "rslora"], dtype="bfloat16"),
}


def load_base(folder: Path, dtype: str):
    return AutoModelForCausalLM.from_pretrained(folder, dtype=getattr(torch, dtype))


def make_adapter(base: Path, folder: Path, settings: dict, seed: int) -> None:
    torch.manual_seed(seed)
    model = get_peft_model(load_base(base, "float32"), LoraConfig(task_type="CAUSAL_LM", **settings))
    generator = torch.Generator().manual_seed(seed)
    for name, value in model.named_parameters():
        if "lora_B" in name:
            value.data = 0.05 * torch.randn(value.shape, generator=generator)
        if "magnitude" in name:
            value.data *= 1 + 0.1 * torch.rand(value.shape, generator=generator)
    model.save_pretrained(folder)
    # PEFT writes where it found the base; the path of a checkout has no place in a fixture.
    config = folder / "adapter_config.json"
    saved = json.loads(config.read_text())
    saved["base_model_name_or_path"] = None
    config.write_text(json.dumps(saved, indent=2, sort_keys=True))
    (folder / "README.md").unlink(missing_ok=True)


def merge(base: Path, target: Path, spec: dict, safe: bool) -> dict:
    first, *others = spec["adapters"]
    model = PeftModel.from_pretrained(load_base(base, spec["dtype"]), target / first, adapter_name=first)
    for name in others:
        model.load_adapter(target / name, adapter_name=name)
    merged = model.merge_and_unload(safe_merge=safe, adapter_names=spec["adapters"])
    return {name: value.contiguous() for name, value in merged.state_dict().items() if name != "lm_head.weight"}


if __name__ == "__main__":
    base = fixtures("Merging") / "mergekit" / "base"
    target = fixtures("Merging") / "peft"
    shutil.rmtree(target, ignore_errors=True)
    for seed, (name, settings) in enumerate(ADAPTERS.items()):
        make_adapter(base, target / name, settings, 40 + seed)
    for name, spec in CASES.items():
        for safe in [False, True]:
            save_file(merge(base, target, spec, safe), target / f"{name}{'-safe' if safe else ''}.safetensors", metadata={"format": "pt"})
    write_json(target / "cases.json", {"header": header("peft-merge.py", "peft", "torch", "transformers"), **CASES})
