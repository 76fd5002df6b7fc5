#!/usr/bin/env python3
"""Shows that an adapter directory loads in PEFT, and that base + adapter says what a merged model says.

    python3 scripts/check-peft.py BASE_DIRECTORY ADAPTER_DIRECTORY [MERGED_DIRECTORY] [--ids 5,17,3]

Prints one JSON object: the keys that PEFT missed or did not know, and the largest difference of logits as a share of the largest logit: to
the base, and to the merged model. Exit status 1 when a key is missing or unknown, or the merged model differs by more than 1e-4.
"""

import argparse
import json
import sys
import warnings
from pathlib import Path

import peft
import torch
import transformers
from peft import PeftModel
from transformers import AutoModelForCausalLM


def load(directory: Path):
    return AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32, local_files_only=True).eval()


@torch.no_grad()
def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base", type=Path)
    parser.add_argument("adapter", type=Path)
    parser.add_argument("merged", type=Path, nargs="?")
    parser.add_argument("--ids", type=lambda text: [int(part) for part in text.split(",")], default=[5, 17, 3, 29, 11, 8, 2, 40])
    options = parser.parse_args()
    transformers.utils.logging.disable_progress_bar()

    ids = torch.tensor([options.ids])
    base = load(options.base)
    plain = base(ids).logits
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = PeftModel.from_pretrained(base, options.adapter).eval()
    faults = [str(warning.message) for warning in caught if "adapter keys" in str(warning.message)]
    adapted = model(ids).logits
    scale = adapted.abs().max().item()
    report = {"peft": peft.__version__, "faults": faults, "adapted_to_base": (adapted - plain).abs().max().item() / scale}
    if options.merged:
        report["adapted_to_merged"] = (adapted - load(options.merged)(ids).logits).abs().max().item() / scale
    print(json.dumps(report))
    return 1 if faults or report.get("adapted_to_merged", 0) > 1e-4 else 0


if __name__ == "__main__":
    sys.exit(main())
