#!/usr/bin/env python3
"""Writes a recipe of many trivial command stages, to time the runner with.

    python3 Benchmarks/generate-recipe.py DIRECTORY [--stages 1000] [--chain 10]

DIRECTORY/pipelines/bench.yaml, DIRECTORY/stages/bench/append.yaml and DIRECTORY/seed.txt. Stages stand in chains; each appends a word to
the line it is given, so that every output has bytes of its own.
"""

import argparse
from pathlib import Path

CONTRACT = """\
stage: bench/append
version: 1
summary: The input's line with one word more.
inputs:
  line: {type: file}
outputs:
  line: {type: file}
params:
  word: {type: string}
resources: {cpus: 1}
run:
  command: [sh, -c, 'read -r line < "$1"; echo "$line $2" > "$3"', append, "${inputs.line}", "${params.word}", "${outputs.line}"]
"""


def manifest(stages: int, chain: int) -> str:
    lines = ["heirloom: 1", "name: bench", f"description: {stages} trivial command stages in chains of {chain}.", "stages:"]
    for number in range(stages):
        source = f"s{number - 1}.line" if number % chain else "../seed.txt"
        lines += [f"  s{number}:", "    uses: bench/append", f"    inputs: {{line: {source}}}", f"    with: {{word: w{number}}}"]
    return "\n".join(lines) + "\n"


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--stages", type=int, default=1000)
    parser.add_argument("--chain", type=int, default=10)
    options = parser.parse_args()
    write(options.directory / "stages/bench/append.yaml", CONTRACT)
    write(options.directory / "pipelines/bench.yaml", manifest(options.stages, options.chain))
    write(options.directory / "seed.txt", "words:\n")
