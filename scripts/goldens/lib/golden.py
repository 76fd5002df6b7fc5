"""Where fixtures lie, what every golden's header says, and how a number is written."""

import importlib.metadata
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
TESTS = ROOT / "Tests"


def versions(*packages: str) -> dict[str, str]:
    found = {name: importlib.metadata.version(name) for name in packages}
    if "torch" in found:
        import torch

        found["torch"] = torch.__version__
    return {"python": sys.version.split()[0], **found}


def header(script: str, *packages: str) -> dict:
    return {"made_by": f"python3 scripts/goldens/{script}", "versions": versions(*packages)}


def fixtures(module: str) -> Path:
    folder = TESTS / f"{module}Tests" / "Fixtures"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def float32(value) -> float:
    """The shortest decimal that reads back as the same float32."""
    import numpy

    return float(str(numpy.float32(value)))


def write_json(path: Path, value: dict) -> None:
    """One member a line at the top, compact below: small, and a change shows up in a diff where it happened."""
    lines = [f"  {json.dumps(key)}: {_member(item)}" for key, item in value.items()]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def _member(item) -> str:
    compact = {"ensure_ascii": False, "separators": (",", ":")}
    if isinstance(item, list) and item and isinstance(item[0], dict):
        return "[\n" + ",\n".join("    " + json.dumps(entry, **compact) for entry in item) + "\n  ]"
    return json.dumps(item, **compact)
