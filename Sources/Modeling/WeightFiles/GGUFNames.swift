/// What GGUF calls the tensors that Hugging Face names otherwise.
enum GGUFNames {
  private static let outer = ["token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"]

  private static let inner = [
    "attn_norm": "input_layernorm", "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj", "attn_q_norm": "self_attn.q_norm", "attn_k_norm": "self_attn.k_norm",
    "ffn_norm": "post_attention_layernorm", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
  ]

  /// "blk.3.attn_q.weight" -> "model.layers.3.self_attn.q_proj.weight"; nil for a name that has no counterpart.
  static func huggingFace(_ name: String) -> String? {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard let kind = parts.last, kind == "weight" || kind == "bias" else { return nil }
    if parts.count == 2 { return outer[String(parts[0])].map { "\($0).\(kind)" } }
    guard parts.count == 4, parts[0] == "blk", let layer = Int(parts[1]), String(layer) == parts[1], layer >= 0 else { return nil }
    return inner[String(parts[2])].map { "model.layers.\(layer).\($0).\(kind)" }
  }
}
