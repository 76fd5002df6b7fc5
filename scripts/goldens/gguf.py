#!/usr/bin/env python3
"""Records GGUF files of the reference writer: blocks of every type that is read with the values gguf-py makes of them, and two tiny models.

Reads Tests/ModelingTests/Fixtures/tiny-{llama,qwen2} (models.py first); writes blocks.gguf, blocks.f32 (the values of its tensors one after
the other, little-endian float32), tiny-llama.gguf (query and key rows permuted, as llama.cpp's converter does) and tiny-qwen2.gguf there.
"""

import json
import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parent / "lib")

import numpy
from gguf import GGMLQuantizationType, GGUFReader, GGUFWriter, dequantize
from gguf.constants import GGML_QUANT_SIZES
from golden import fixtures
from safetensors.numpy import load_file

# Where the float16 scales stand in a block: random bytes there would make NaNs.
SCALES = {
    "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0], "Q2_K": [80, 82], "Q3_K": [108], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208],
}

NAMES = {
    "input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output", "post_attention_layernorm": "ffn_norm", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


def random_blocks(generator, name: str, rows: int, columns: int) -> numpy.ndarray:
    size, width = GGML_QUANT_SIZES[GGMLQuantizationType[name]]
    blocks = generator.integers(0, 256, (rows * columns // size, width), dtype=numpy.uint8)
    for place in SCALES[name]:
        blocks[:, place:place + 2] = generator.normal(0, 0.1, (len(blocks), 1)).astype(numpy.float16).view(numpy.uint8)
    return blocks.reshape(rows, columns // size * width)


def write_blocks(folder: Path) -> None:
    generator = numpy.random.default_rng(5)
    writer = GGUFWriter(folder / "blocks.gguf", "none")
    plain = generator.normal(0, 1, (2, 12)).astype(numpy.float32)
    writer.add_tensor("F32", plain)
    writer.add_tensor("F16", plain.astype(numpy.float16))
    writer.add_tensor("BF16", (plain.view(numpy.uint32) >> 16).astype(numpy.uint16).view(numpy.uint8), raw_dtype=GGMLQuantizationType.BF16)
    for name in SCALES:
        columns = 2 * GGML_QUANT_SIZES[GGMLQuantizationType[name]][0]
        writer.add_tensor(name, random_blocks(generator, name, 3, columns), raw_dtype=GGMLQuantizationType[name])
    finish(writer)
    values = [dequantize(tensor.data, tensor.tensor_type).astype("<f4").tobytes() for tensor in GGUFReader(folder / "blocks.gguf").tensors]
    (folder / "blocks.f32").write_bytes(b"".join(values))


def finish(writer: GGUFWriter) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def gguf_name(name: str) -> str:
    for outer, renamed in {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}.items():
        if name.startswith(outer + "."):
            return name.replace(outer, renamed)
    _, _, layer, rest = name.split(".", 3)
    inner, kind = rest.rsplit(".", 1)
    return f"blk.{layer}.{NAMES[inner]}.{kind}"


def permuted(weight: numpy.ndarray, heads: int) -> numpy.ndarray:
    return weight.reshape(heads, 2, weight.shape[0] // heads // 2, -1).swapaxes(1, 2).reshape(weight.shape)


def write_model(folder: Path, architecture: str) -> None:
    source = folder / f"tiny-{architecture}"
    config = json.loads((source / "config.json").read_text())
    writer = GGUFWriter(folder / f"tiny-{architecture}.gguf", architecture)
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base(config["rope_parameters"]["rope_theta"])
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list([f"t{i}" for i in range(config["vocab_size"])])
    writer.add_bos_token_id(config["bos_token_id"])
    writer.add_eos_token_id(config["eos_token_id"])
    for name, weight in load_file(source / "model.safetensors").items():
        if architecture == "llama" and name.endswith("q_proj.weight"):
            weight = permuted(weight, config["num_attention_heads"])
        if architecture == "llama" and name.endswith("k_proj.weight"):
            weight = permuted(weight, config["num_key_value_heads"])
        writer.add_tensor(gguf_name(name), numpy.ascontiguousarray(weight))
    finish(writer)


if __name__ == "__main__":
    write_blocks(fixtures("Modeling"))
    write_model(fixtures("Modeling"), "llama")
    write_model(fixtures("Modeling"), "qwen2")
