#!/usr/bin/env python3
"""Trains a small tokenizer of every supported kind with HF `tokenizers` and records what it makes of nasty texts.

    python3 scripts/goldens/tokenizers.py

Writes Tests/TokenizationTests/Fixtures: corpus.txt, and for each kind <kind>.json, the tokenizer, and <kind>-ids.json, texts and ids.
"""

import sys
from pathlib import Path

# This script has the name of the library that it imports.
sys.path[0] = str(Path(__file__).resolve().parent / "lib")

import json
import random

from golden import fixtures, header, write_json
from stress_text import CASES
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

HEAD = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+"
TAIL = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"

WORDS = """the of and to in a is that for it as was with be by on not he his but at are this have from or had an they which one you
were her all she there would their we him been has when who will more no if out so said what up its about into than them can only other
new some could time these two may then do first any my now such like our over man me even most made after also did many before must
through back years where much your way well down should because each just those people how too little state good very make world still
own see men work long get here between both life being under never day same another know while last might us great old year off come
since against go came right used take three learn forget memory model token weight answer question number count sort reverse""".split()

MORE = {
    "folded contractions": "IT'S it'S we'Re You'VE I'LL he'd'D it'\u017f '\u017fo 'SO 's 'll",
    "newlines after symbols": "a;\n\n b {\r\n}\n \n\t\n x = [\n\n]...\n\n\n!\r\r\n\n end \n",
    "unusual spaces before words": "\u00a0word\u3000word\tword\u2003word \u00a0 word\u00a0\u00a0word \u0085x",
    "runs of numbers": "1 12 123 1234 12345678 \u0661\u0662\u0663\u0664 1\u00bd2\u00b2\u2167 \U00011de0\U00011de1 \u3007\u4e00",
    "marks without a base": "\u0301\u0301 \u0338x \u0e31 \u093f\u0902 \u200d\u200c \ufe0f",
    "decomposed": "e\u0301a\u0323\u0302 \u1112\u1161\u11ab \u212b \u2126 \u0958 \ufb1d q\u0307\u0323",
    "long runs": "a" * 300 + " " * 100 + "=" * 120 + "\n" * 50 + "7" * 90 + "\u4e2d" * 80 + "ab" * 150 + "\t" * 40 + "x",
    "added tokens": "<|a|><|ab|> x <|a|>  y  <|strip|>  z <|right|>\n\n\u3000w \u00a0<|left|>q word subword word's (word) word",
    "added tokens, more": "caf\u00e9 cafe\u0301 <|im_start|>caf\u00e9s<|im_end|>\n<|endoftext|><|a|b|> <|strip|><|strip|> <|left|> <|right|> ",
}


def corpus() -> str:
    """Lines of words by Zipf's law, numbers, code and the stress texts: small, and the same every time."""
    rng = random.Random(17)
    ranks = [1 / (i + 1) for i in range(len(WORDS))]
    lines = []
    for n in range(420):
        line = " ".join(rng.choices(WORDS, ranks, k=rng.randint(4, 16)))
        match n % 5:
            case 0: line = line.capitalize() + "."
            case 1: line += f", {rng.randint(0, 9999)} + {rng.randint(0, 99)} = {rng.randint(0, 9999)}"
            case 2: line = "    " * rng.randint(1, 3) + "if " + line.replace(" ", "_", 2) + ":"
            case 3: line = line.replace(" the ", " they'll ").replace(" it ", " it's ") + "!\r"
        lines.append(line)
    return "\n".join(lines) + "\n" + "\n".join(text for name, text in CASES.items() if name != "control characters") + "\n"


def split(digits: str):
    return pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(HEAD + digits + TAIL), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])


KINDS = {
    "gpt2": pre_tokenizers.ByteLevel(add_prefix_space=False),
    "gpt2-prefix-space": pre_tokenizers.ByteLevel(add_prefix_space=True),
    "gpt2-digits": pre_tokenizers.Sequence([
        pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]),
    "digit-runs": pre_tokenizers.Sequence([
        pre_tokenizers.Digits(individual_digits=False), pre_tokenizers.ByteLevel(add_prefix_space=True)]),
    "qwen2": split(r"|\p{N}"),
    "llama3": split(r"|\p{N}{1,3}"),
}
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]


def train(kind: str, text: str) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(ignore_merges=kind == "llama3"))
    tokenizer.pre_tokenizer = KINDS[kind]
    tokenizer.decoder = decoders.ByteLevel()
    if kind == "qwen2":
        tokenizer.normalizer = normalizers.NFC()
    trainer = trainers.BpeTrainer(vocab_size=700, min_frequency=2, special_tokens=SPECIAL, show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator([text], trainer)
    if kind == "llama3":
        tokenizer.post_processor = processors.Sequence([
            processors.ByteLevel(trim_offsets=False),
            processors.TemplateProcessing(single="<|im_start|> $A <|im_end|>", pair="$A $B",
                                          special_tokens=[("<|im_start|>", 1), ("<|im_end|>", 2)])])
    if kind == "digit-runs":
        tokenizer.add_tokens([AddedToken("<|a|>", normalized=False), AddedToken("<|ab|>", normalized=True),
                              AddedToken("<|strip|>", lstrip=True, rstrip=True), AddedToken("<|left|>", lstrip=True),
                              AddedToken("<|right|>", rstrip=True), AddedToken("word", single_word=True)])
    if kind == "qwen2":
        tokenizer.add_tokens([AddedToken("<|a|>", normalized=False), AddedToken("cafe\u0301", normalized=True)])
    return tokenizer


def record(tokenizer: Tokenizer, name: str, text: str) -> dict:
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    row = {"name": name, "text": text, "ids": ids}
    whole = tokenizer.encode(text).ids
    if whole != ids:
        row["with_special"] = whole
    plain = without_special(tokenizer, text)
    if plain != ids:
        row["special_as_text"] = plain
    return row | {"decoded": tokenizer.decode(ids, skip_special_tokens=False), "skipped": tokenizer.decode(ids)}


def without_special(tokenizer: Tokenizer, text: str) -> list[int]:
    tokenizer.encode_special_tokens = True
    try:
        return tokenizer.encode(text, add_special_tokens=False).ids
    finally:
        tokenizer.encode_special_tokens = False


if __name__ == "__main__":
    folder = fixtures("Tokenization")
    text = corpus()
    (folder / "corpus.txt").write_bytes(text.encode())
    for kind in KINDS:
        tokenizer = train(kind, text)
        (folder / f"{kind}.json").write_text(tokenizer.to_str() + "\n", encoding="utf-8")
        cases = [record(tokenizer, name, case) for name, case in (CASES | MORE).items()]
        write_json(folder / f"{kind}-ids.json", header("tokenizers.py", "tokenizers") | {"cases": cases})
