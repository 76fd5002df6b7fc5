#!/usr/bin/env python3
"""Records a file of the reference safetensors library: several dtypes, an empty tensor, a scalar, names that need escapes and sorting.

Writes Tests/ModelingTests/Fixtures/reference.safetensors and rounding.json (float32 bits -> bfloat16 and float16 bits, as torch rounds).
"""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parent / "lib")

import torch
from golden import fixtures, header, write_json
from safetensors.torch import save_file

TENSORS = {
    "b": torch.tensor([[1.0, -2.5, 3.25], [0.0, -0.0, 1e-40]], dtype=torch.float32),
    "a": torch.tensor([1.0, 2.0], dtype=torch.bfloat16),
    "a.é": torch.tensor([0.5, -65504.0, 6e-8], dtype=torch.float16),
    'quote"and\\slash/\n': torch.arange(3, dtype=torch.int64),
    "scalar": torch.tensor(2.5, dtype=torch.float64),
    "empty": torch.zeros((0, 4), dtype=torch.float32),
    "B": torch.tensor([True, False, True]),
    "bytes": torch.tensor([1, 255], dtype=torch.uint8),
    "shorts": torch.tensor([-1, 32767], dtype=torch.int16),
    "ints": torch.tensor([-2147483648], dtype=torch.int32),
    "small": torch.tensor([-128], dtype=torch.int8),
}

# Ties in both directions, overflow, subnormals, the least and largest of each format, signed zero and infinities.
BITS = [
    0x00000000, 0x80000000, 0x3F800000, 0x3F808000, 0x3F818000, 0x3F808001, 0x3F807FFF, 0x7F7FFFFF, 0x7F7F7FFF, 0x7F7F8000, 0x7F800000, 0xFF800000,
    0x477FE000, 0x477FEFFF, 0x477FF000, 0x38800000, 0x387FFFFF, 0x33800000, 0x33000000, 0x33000001, 0x32FFFFFF, 0x3F801000, 0x3F803000, 0x00000001,
    0x00008000, 0x00018000, 0x007FFFFF, 0xC2F6E979, 0x3DCCCCCD,
]


def stored(values: torch.Tensor, dtype: torch.dtype) -> list[int]:
    return [bits & 0xFFFF for bits in values.to(dtype).view(torch.int16).tolist()]


if __name__ == "__main__":
    save_file(TENSORS, fixtures("Modeling") / "reference.safetensors", metadata={"format": "pt"})
    values = torch.tensor([bits - (1 << 32) if bits >> 31 else bits for bits in BITS], dtype=torch.int32).view(torch.float32)
    golden = header("safetensors.py", "torch", "safetensors") | {
        "float32": BITS, "bfloat16": stored(values, torch.bfloat16), "float16": stored(values, torch.float16)}
    write_json(fixtures("Modeling") / "rounding.json", golden)
