#!/usr/bin/env python3
"""Makes the models that compare-speed runs out of SmolLM2's GGUF file: a float32 transformers directory and a float32 GGUF file.

    python3 scripts/compare-speed-models.py DIRECTORY [--gguf FILE]

Writes DIRECTORY/smollm2 (config.json, model.safetensors, tokenizer.json) and DIRECTORY/smollm2-f32.gguf.
"""

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "goldens" / "lib"))

import numpy
from gguf import GGMLQuantizationType, GGUFReader, GGUFValueType, GGUFWriter, LlamaFileType, dequantize
from gguf_llama import check_digest, download, load_model, load_tokenizer


def write_float32(source: Path, target: Path) -> None:
    """The same file with every tensor in float32; metadata as it was, but for the file type."""
    reader = GGUFReader(source)
    writer = GGUFWriter(target, arch=reader.fields["general.architecture"].contents())
    for key, field in reader.fields.items():
        if key.startswith("GGUF.") or key in ("general.architecture", "general.file_type", "general.quantization_version"):
            continue
        sub_type = field.types[-1] if field.types[0] == GGUFValueType.ARRAY else None
        writer.add_key_value(key, field.contents(), field.types[0], sub_type=sub_type)
    writer.add_file_type(LlamaFileType.ALL_F32)
    for tensor in reader.tensors:
        values = dequantize(tensor.data, tensor.tensor_type).astype(numpy.float32)
        writer.add_tensor(tensor.name, values, raw_dtype=GGMLQuantizationType.F32)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def make(directory: Path, gguf: Path) -> None:
    check_digest(gguf)
    load_model(gguf).save_pretrained(directory / "smollm2")
    load_tokenizer(gguf).save(str(directory / "smollm2" / "tokenizer.json"))
    write_float32(gguf, directory / "smollm2-f32.gguf")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--gguf", type=Path)
    options = parser.parse_args()
    options.directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        make(options.directory, options.gguf or download(Path(folder)))
