#!/usr/bin/env python3
"""Shows that huggingface_hub reads the metadata of a model card that `export` wrote, and writes the same metadata again.

    heirloom export INSTANCE.model DIRECTORY
    python3 scripts/check-model-card.py DIRECTORY/README.md

Prints the metadata as one JSON object: library, base model, tags, evaluation results. Exit status 1 when something is lost or refused.
Wants huggingface_hub and PyYAML from PyPI; asks nobody on the network.
"""

import json
import re
import sys
from pathlib import Path

import yaml
from huggingface_hub import ModelCard, ModelCardData


def main() -> int:
    path = Path(sys.argv[1])
    text = path.read_text(encoding="utf-8")
    block = yaml.safe_load(re.match(r"---\n(.*?)\n---\n", text, re.DOTALL).group(1))
    card = ModelCard.load(path, ignore_metadata_errors=False)
    again = yaml.safe_load(ModelCardData(**card.data.__dict__).to_yaml())
    results = [
        {"suite": r.dataset_name, "metric": r.metric_type, "value": r.metric_value, "args": r.metric_args} for r in card.data.eval_results or []
    ]
    summary = {
        "library_name": card.data.library_name, "base_model": card.data.base_model, "tags": card.data.tags, "results": results,
        "same": block == again,
    }
    print(json.dumps(summary, ensure_ascii=False))
    wanted = sum(len(r["metrics"]) for m in block.get("model-index", []) for r in m["results"])
    return 0 if summary["same"] and len(results) == wanted and card.data.library_name and card.text.strip() else 1


if __name__ == "__main__":
    sys.exit(main())
