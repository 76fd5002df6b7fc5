#!/usr/bin/env python3
"""Records PEFT's adapters of the tiny checkpoints, with its logits, token losses and the adapters' gradients.

Writes Tests/ModelingTests/Fixtures/adapters/<case>/{adapter_config.json, adapter_model.safetensors, golden.safetensors, golden.json} and, for
the stacked case, the earlier adapter in first/. Needs the checkpoints that models.py writes.
"""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parent / "lib")

import json
import shutil

import torch
import transformers
from golden import fixtures, float32, header, write_json
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

ATTENTION = ["q_proj", "v_proj"]
ALL = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]

# base, PEFT's settings of the adapter that trains, and of one that lies below it.
CASES = {
    "lora": ("tiny-qwen2", dict(r=4, lora_alpha=8, target_modules=ATTENTION + ["down_proj"]), None),
    "rslora": ("tiny-llama", dict(r=3, lora_alpha=6, target_modules=ALL, use_rslora=True), None),
    "dora": ("tiny-qwen2", dict(r=4, lora_alpha=8, target_modules=ALL, use_dora=True), None),
    "dora-few": ("tiny-qwen3", dict(r=2, lora_alpha=6, target_modules=["k_proj", "o_proj", "up_proj"], use_dora=True), None),
    "patterns": ("tiny-llama-untied", dict(r=4, lora_alpha=8, target_modules=r".*\.(self_attn\.[qk]_proj|mlp\.up_proj)",
                                           rank_pattern={"k_proj": 2}, alpha_pattern={"layers.1.mlp.up_proj": 12}), None),
    "stacked": ("tiny-llama", dict(r=2, lora_alpha=4, target_modules=["q_proj", "o_proj", "up_proj"]),
                dict(r=3, lora_alpha=3, target_modules=ATTENTION + ["up_proj"])),
}


def randomise(model, name: str, seed: int) -> None:
    """B far from zero and magnitudes far from the norms, so that every term counts."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for key, weight in sorted(model.named_parameters()):
            if f".{name}" not in key:
                continue
            noise = torch.randn(weight.shape, generator=generator)
            if "magnitude" in key:
                weight.mul_(1 + 0.2 * noise)
            elif "lora_" in key:
                weight.copy_(0.4 * noise / weight.shape[1] ** 0.5)


def short(key: str, name: str) -> str:
    """The key under which PEFT saves a parameter."""
    return key.replace("magnitude_vector." + name + ".weight", "magnitude_vector").replace("." + name + ".", ".")


def settle(path: Path, base: str) -> None:
    """The base by its name, and the modules in order: PEFT writes a path, and a set as it comes."""
    config = json.loads(path.read_text())
    config["base_model_name_or_path"] = base
    if isinstance(config["target_modules"], list):
        config["target_modules"].sort()
    path.write_text(json.dumps(config, indent=2, sort_keys=True))


def record(case: str, seed: int) -> None:
    base, settings, below = CASES[case]
    source = fixtures("Modeling") / base
    folder = fixtures("Modeling") / "adapters" / case
    shutil.rmtree(folder, ignore_errors=True)
    model = AutoModelForCausalLM.from_pretrained(source, dtype=torch.float32).eval()
    name = "last"
    if below:
        model = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", **below), adapter_name="first")
        model.add_adapter(name, LoraConfig(task_type="CAUSAL_LM", **settings))
        model.base_model.set_adapter(["first", name])
        randomise(model, "first", seed + 1)
    else:
        model = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", **settings), adapter_name=name)
    randomise(model, name, seed)
    model.eval()
    for saved in ["first", name] if below else [name]:
        model.save_pretrained(folder / "saved", selected_adapters=[saved])
        target = folder / saved if saved == "first" else folder
        target.mkdir(parents=True, exist_ok=True)
        for file in ["adapter_config.json", "adapter_model.safetensors"]:
            (folder / "saved" / saved / file).rename(target / file)
        shutil.rmtree(folder / "saved")
        settle(target / "adapter_config.json", base)

    plain = load_file(source / "golden.safetensors")
    ids, offsets, mask = (plain[key].tolist() for key in ["ids", "offsets", "mask"])
    logits, losses = [], []
    for start, end in zip(offsets, offsets[1:]):
        here = model(torch.tensor([ids[start:end]])).logits[0]
        logits.append(here)
        losses.append(torch.zeros(1))
        losses.append(torch.nn.functional.cross_entropy(here[:-1], torch.tensor(ids[start + 1:end], dtype=torch.long), reduction="none"))
    logits, nll, mask = torch.cat(logits), torch.cat(losses), torch.tensor(mask)
    loss = (nll * mask).sum() / mask.sum()
    loss.backward()
    gradients = {"grad." + short(key, name).removeprefix("base_model.model."): weight.grad.contiguous()
                 for key, weight in model.named_parameters() if f".{name}" in key}
    save_file({"logits": logits.detach(), "nll": nll.detach(), **gradients}, folder / "golden.safetensors")
    write_json(folder / "golden.json", {
        **header("lora.py", "torch", "transformers", "peft", "safetensors"), "base": base, "loss": float32(loss.item()),
        "changed": float32((logits - plain["logits"]).abs().max().item()), "gradients": len(gradients)})
    print(case, "loss", loss.item(), "logits moved by", (logits - plain["logits"]).abs().max().item(), len(gradients), "gradients")


if __name__ == "__main__":
    torch.set_num_threads(1)
    transformers.utils.logging.disable_progress_bar()
    for place, case in enumerate(CASES):
        record(case, 100 * (place + 1))
