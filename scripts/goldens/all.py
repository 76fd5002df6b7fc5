#!/usr/bin/env python3
"""Records every golden fixture again.

    python3 -m venv /tmp/goldens
    /tmp/goldens/bin/pip install -r scripts/goldens/requirements.txt
    /tmp/goldens/bin/python scripts/goldens/all.py [--gguf SmolLM2-135M-Instruct.Q4_1.gguf]

The same versions on the same processor give the same files; another processor moves the last digits. `git diff` shows what changed.
"""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent

# adamw.py starts from the checkpoint that models.py writes.
FIRST = ["models.py", "adamw.py"]


def scripts() -> list[str]:
    found = {path.name for path in HERE.glob("*.py")} - {"all.py"}
    return FIRST + sorted(found - set(FIRST))


if __name__ == "__main__":
    for script in scripts():
        print(f"== {script}", flush=True)
        extra = sys.argv[1:] if script == "smollm2.py" else []
        subprocess.run([sys.executable, str(HERE / script), *extra], check=True)
