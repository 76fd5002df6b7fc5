import Kernels

/// One layer's tensors within an arena (of parameters, of gradients): products that share an input are one matrix.
struct LayerTensors {
  /// (hidden)
  let inputNorm: Floats
  /// (query + 2·keyValue, hidden): q, k and v below each other.
  let queryKeyValue: Floats
  /// (query + 2·keyValue), Qwen2.
  let queryKeyValueBias: Floats?
  /// (headDimension), Qwen3.
  let queryNorm: Floats?
  let keyNorm: Floats?
  /// (hidden, query)
  let output: Floats
  /// (hidden)
  let postNorm: Floats
  /// (2·intermediate, hidden): gate and up below each other.
  let gateUp: Floats
  /// (hidden, intermediate)
  let down: Floats

  init(_ arena: ParameterArena, layer: Int, _ configuration: ModelConfiguration) {
    let prefix = "model.layers.\(layer)."
    inputNorm = arena.view(prefix + "input_layernorm.weight")
    queryKeyValue = arena.view(prefix + "self_attn.q_proj.weight")
    queryKeyValueBias = configuration.attentionBias ? arena.view(prefix + "self_attn.q_proj.bias") : nil
    queryNorm = configuration.headNorm ? arena.view(prefix + "self_attn.q_norm.weight") : nil
    keyNorm = configuration.headNorm ? arena.view(prefix + "self_attn.k_norm.weight") : nil
    output = arena.view(prefix + "self_attn.o_proj.weight")
    postNorm = arena.view(prefix + "post_attention_layernorm.weight")
    gateUp = arena.view(prefix + "mlp.gate_proj.weight")
    down = arena.view(prefix + "mlp.down_proj.weight")
  }
}

/// All tensors of a model within an arena.
struct ModelTensors {
  /// (vocabulary, hidden)
  let embedding: Floats
  let layers: [LayerTensors]
  /// (hidden)
  let norm: Floats
  /// (vocabulary, hidden); the embedding itself where they are tied.
  let head: Floats

  init(_ arena: ParameterArena, _ configuration: ModelConfiguration) {
    embedding = arena.view("model.embed_tokens.weight")
    layers = (0..<configuration.layers).map { LayerTensors(arena, layer: $0, configuration) }
    norm = arena.view("model.norm.weight")
    head = configuration.tieEmbeddings ? embedding : arena.view("lm_head.weight")
  }
}
