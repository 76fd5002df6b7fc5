"""Writes Sources/Tokenization/ScalarClassRanges.swift: which scalars HF `tokenizers` counts as \\p{L}, \\p{N}, \\s and numeric digits.

The tables are measured, not read from Unicode's files: every scalar is given to the installed `tokenizers`, so they hold whatever Unicode
version its regex engine (letters, numbers, spaces) and its `Digits` pre-tokenizer (numeric) were built with.

    python3 scripts/goldens/unicode-classes.py
"""

import sys
from pathlib import Path

# A script beside this one has the name of the library that it imports.
sys.path[0] = str(Path(__file__).resolve().parent / "lib")

import tokenizers
from golden import ROOT
from tokenizers import Regex, pre_tokenizers

SCALARS = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000]


def chunks():
    for start in range(0, len(SCALARS), 4096):
        yield SCALARS[start : start + 4096]


def matching(pattern):
    splitter = pre_tokenizers.Split(Regex(pattern), "removed")
    found = []
    for chunk in chunks():
        text = "".join(chunk)
        kept = {c for _, (a, b) in splitter.pre_tokenize_str(text) for c in text[a:b]}
        found += [ord(c) for c in chunk if c not in kept]
    return found


def numeric():
    digits = pre_tokenizers.Digits(individual_digits=True)
    found = []
    for chunk in chunks():
        text = "".join("x" + c for c in chunk)
        found += [ord(text[a]) for _, (a, b) in digits.pre_tokenize_str(text) if b - a == 1 and text[a] != "x"]
    return found


def gaps_and_lengths(scalars):
    numbers, end = [], 0
    index = 0
    while index < len(scalars):
        first = last = scalars[index]
        while index + 1 < len(scalars) and scalars[index + 1] == last + 1:
            index += 1
            last = scalars[index]
        numbers += [first - end, last - first + 1]
        end = last + 1
        index += 1
    return numbers


def table(name, doc, scalars):
    lines = [f"  /// {doc}: {len(scalars):,} scalars.", f"  static let {name}: [UInt32] = ["]
    line = "   "
    for number in gaps_and_lengths(scalars):
        if len(line) + len(str(number)) + 2 > 136:
            lines.append(line)
            line = "   "
        line += f" {number},"
    return "\n".join([*lines, line, "  ]"])


HEAD = f"""// Written by scripts/goldens/unicode-classes.py from tokenizers {tokenizers.__version__}.

/// The scalars of each class as gaps and lengths in turn: skip so many scalars, the next so many are members, and so on.
enum ScalarClassRanges {{
"""

if __name__ == "__main__":
    tables = [
        table("letters", "`\\p{L}`", matching(r"\p{L}")),
        table("numbers", "`\\p{N}`", matching(r"\p{N}")),
        table("spaces", "`\\s`", matching(r"\s")),
        table("numeric", "What the `Digits` pre-tokenizer splits at", numeric()),
    ]
    target = ROOT / "Sources" / "Tokenization" / "ScalarClassRanges.swift"
    target.write_text(HEAD + "\n\n".join(tables) + "\n}\n", encoding="utf-8")
