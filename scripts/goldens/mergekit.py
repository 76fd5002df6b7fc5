#!/usr/bin/env python3
"""Records what mergekit makes of tiny Llama checkpoints: linear, slerp, task_arithmetic, ties, dare_linear and dare_ties at density 1.

    python3 -m venv /tmp/mergekit
    /tmp/mergekit/bin/pip install mergekit==0.1.5
    /tmp/mergekit/bin/python scripts/goldens/mergekit.py

Writes Tests/MergingTests/Fixtures/mergekit: a base in bfloat16, three tuned models in float32, a model unlike them, and for each case of
cases.json the merged tensors in float32. No two changes of a tensor are equal: which of several equal magnitudes at a threshold stay is left
to torch's unstable sort.
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
# This file is named as the package it calls.
sys.path[0] = str(HERE / "lib")

import torch
import yaml
from golden import fixtures, header, write_json
from mergekit.config import MergeConfiguration
from mergekit.merge import run_merge
from mergekit.options import MergeOptions
from safetensors.torch import load_file, save_file
from transformers import LlamaConfig, LlamaForCausalLM

TUNED = ["a", "b", "c"]


def case(method: str, models: dict[str, dict], **parameters) -> dict:
    return {"method": method, "models": models, "parameters": parameters}


def equal(**parameters) -> dict[str, dict]:
    return {name: dict(parameters) for name in TUNED}


CASES = {
    "linear": case("linear", {"a": {"weight": 0.5}, "b": {"weight": 1.5}, "c": {"weight": 0.3}}),
    "linear-sum": case("linear", {"a": {"weight": 0.5}, "b": {"weight": -0.25}}, normalize=False),
    "slerp": case("slerp", {"apart": {}}, t=0.3),
    "slerp-parallel": case("slerp", {"a": {}}, t=0.7),
    "task-arithmetic": case("task_arithmetic", {"a": {"weight": 1.0}, "b": {"weight": -0.5}, "c": {"weight": 0.3}}, **{"lambda": 0.7}),
    "task-arithmetic-mean": case("task_arithmetic", {"a": {"weight": 1.0}, "b": {"weight": 3.0}}, normalize=True),
    "ties": case("ties", equal(weight=1.0, density=0.2)),
    "ties-weighted": case(
        "ties",
        {"a": {"weight": 0.5, "density": 0.5}, "b": {"weight": 0.3, "density": 0.37}, "c": {"weight": 0.7, "density": 1.0}},
        **{"lambda": 1.3},
    ),
    "ties-sum": case("ties", equal(weight=0.4, density=0.6), normalize=False),
    "dare-linear": case("dare_linear", equal(weight=0.4, density=1.0), **{"lambda": 0.9}),
    "dare-ties": case("dare_ties", equal(weight=0.4, density=1.0), normalize=True),
}


def write_model(folder: Path, weights: dict, config: LlamaConfig) -> None:
    folder.mkdir(parents=True)
    config.save_pretrained(folder)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def make_models(root: Path) -> None:
    config = LlamaConfig(
        vocab_size=48, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1,
        max_position_embeddings=32, tie_word_embeddings=True, dtype="bfloat16", bos_token_id=1, eos_token_id=2,
        architectures=["LlamaForCausalLM"])
    generator = torch.Generator().manual_seed(17)
    shapes = {name: value.shape for name, value in LlamaForCausalLM(config).state_dict().items() if name != "lm_head.weight"}

    def draw(scale: float) -> dict:
        return {name: scale * torch.randn(shape, generator=generator) for name, shape in shapes.items()}

    base = {name: value.bfloat16() for name, value in draw(0.5).items()}
    write_model(root / "base", base, config)
    for name in TUNED:
        change = draw(0.03)
        write_model(root / name, {key: base[key].float() + change[key] for key in base}, config)
    write_model(root / "apart", {name: value.bfloat16() for name, value in draw(0.5).items()}, config)


def merge(root: Path, spec: dict, out: Path) -> dict:
    with_base = spec["method"] != "linear"
    configuration = {
        "merge_method": spec["method"],
        "dtype": "float32",
        "models": [{"model": str(root / name), "parameters": parameters} for name, parameters in spec["models"].items()],
        "parameters": spec["parameters"],
    }
    if with_base:
        configuration["base_model"] = str(root / "base")
    if spec["method"] == "slerp":
        configuration["models"].insert(0, {"model": str(root / "base")})
    run_merge(MergeConfiguration.model_validate(configuration), str(out), MergeOptions(copy_tokenizer=False))
    return load_file(out / "model-00001-of-00001.safetensors" if not (out / "model.safetensors").exists() else out / "model.safetensors")


if __name__ == "__main__":
    target = fixtures("Merging") / "mergekit"
    shutil.rmtree(target, ignore_errors=True)
    make_models(target)
    for name, spec in CASES.items():
        with tempfile.TemporaryDirectory() as scratch:
            merged = merge(target, spec, Path(scratch) / "out")
            save_file({key: value.contiguous() for key, value in merged.items()}, target / f"{name}.safetensors", metadata={"format": "pt"})
    write_json(
        target / "cases.json", {"header": header("mergekit.py", "mergekit", "torch", "safetensors"), **CASES})
