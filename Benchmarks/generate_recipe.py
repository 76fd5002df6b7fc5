#!/usr/bin/env python3
"""Writes a graph of many trivial commands, for Heirloom and for the runners it is compared with.

    python3 Benchmarks/generate_recipe.py DIRECTORY [--stages 1000] [--chain 10] [--for heirloom|matrix|ninja|dvc|snakemake]

Stages stand in chains; each appends a word to the line it is given, so that every output has bytes of its own. `matrix` is the same graph as
`heirloom`, written as one entry for each place in a chain.
"""

import argparse
from pathlib import Path

COMMAND = 'read -r line < "$1"; echo "$line $2" > "$3"'

CONTRACT = f"""\
stage: bench/append
version: 1
summary: The input's line with one word more.
inputs:
  line: {{type: file}}
outputs:
  line: {{type: file}}
params:
  word: {{type: string}}
resources: {{cpus: 1}}
run:
  command: [sh, -c, '{COMMAND}', append, "${{inputs.line}}", "${{params.word}}", "${{outputs.line}}"]
"""


def heirloom(stages: int, chain: int) -> dict[str, str]:
    lines = ["heirloom: 1", "name: bench", f"description: {stages} trivial command stages in chains of {chain}.", "stages:"]
    for number in range(stages):
        source = f"s{number - 1}.line" if number % chain else "../seed.txt"
        lines += [f"  s{number}:", "    uses: bench/append", f"    inputs: {{line: {source}}}", f"    with: {{word: w{number}}}"]
    return {"stages/bench/append.yaml": CONTRACT, "pipelines/bench.yaml": "\n".join(lines) + "\n"}


def matrix(stages: int, chain: int) -> dict[str, str]:
    columns = ", ".join(str(number) for number in range(stages // chain))
    lines = ["heirloom: 1", "name: bench", "params:", f"  chains: [{columns}]", "stages:"]
    for place in range(chain):
        source = f'"s{place - 1}[${{n}}].line"' if place else "../seed.txt"
        lines += [
            f"  s{place}:", "    uses: bench/append", '    matrix: {n: "${chains}"}', f"    inputs: {{line: {source}}}",
            f'    with: {{word: "w{place}-${{n}}"}}',
        ]
    return {"stages/bench/append.yaml": CONTRACT, "pipelines/bench.yaml": "\n".join(lines) + "\n"}


def ninja(stages: int, chain: int) -> dict[str, str]:
    command = COMMAND.replace("$", "$$")
    lines = ["rule append", f"  command = sh -c '{command}' append $in $word $out"]
    for number in range(stages):
        source = f"out/s{number - 1}" if number % chain else "seed.txt"
        lines += [f"build out/s{number}: append {source}", f"  word = w{number}"]
    return {"build.ninja": "\n".join(lines) + "\n"}


def dvc(stages: int, chain: int) -> dict[str, str]:
    lines = ["stages:"]
    for number in range(stages):
        source = f"out/s{number - 1}" if number % chain else "seed.txt"
        words = f"sh append.sh {source} w{number} out/s{number}"
        lines += [f"  s{number}:", f"    cmd: {words}", f"    deps: [{source}]", f"    outs: [out/s{number}]"]
    return {"dvc.yaml": "\n".join(lines) + "\n", "append.sh": COMMAND + "\n", "out/.gitignore": ""}


def snakemake(stages: int, chain: int) -> dict[str, str]:
    return {
        "append.sh": COMMAND + "\n",
        "Snakefile": f"""\
STAGES, CHAIN = {stages}, {chain}
rule all:
    input: expand("out/s{{n}}", n=range(STAGES))
for n in range(STAGES):
    rule:
        name: f"s{{n}}"
        input: f"out/s{{n - 1}}" if n % CHAIN else "seed.txt"
        output: f"out/s{{n}}"
        params: word=f"w{{n}}"
        shell: "sh append.sh {{input}} {{params.word}} {{output}}"
""",
    }


FORMS = {"heirloom": heirloom, "matrix": matrix, "ninja": ninja, "dvc": dvc, "snakemake": snakemake}


def generate(directory: Path, form: str, stages: int, chain: int) -> None:
    for name, text in (FORMS[form](stages, chain) | {"seed.txt": "words:\n"}).items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--stages", type=int, default=1000)
    parser.add_argument("--chain", type=int, default=10)
    parser.add_argument("--for", dest="form", choices=FORMS, default="heirloom")
    options = parser.parse_args()
    generate(options.directory, options.form, options.stages, options.chain)
