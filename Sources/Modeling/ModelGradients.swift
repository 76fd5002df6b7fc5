import Kernels

/// The gradient of neighbouring columns of a product's output: of their rows of W, or of their biases.
struct ColumnGradient {
  var columns: Range<Int>
  let target: Floats
}

/// Where one layer's gradients go; nil and empty for what does not train.
struct LayerGradients {
  let inputNorm: Floats?
  let queryKeyValue: [ColumnGradient]
  let queryKeyValueBias: [ColumnGradient]
  let queryNorm: Floats?
  let keyNorm: Floats?
  let output: [ColumnGradient]
  let postNorm: Floats?
  let gateUp: [ColumnGradient]
  let down: [ColumnGradient]
  /// Of the last adapter, by product.
  let adapters: [LinearModule.Product: LowRankGradients]

  var isEmpty: Bool {
    adapters.isEmpty && [inputNorm, queryNorm, keyNorm, postNorm].allSatisfy { $0 == nil }
      && [queryKeyValue, queryKeyValueBias, output, gateUp, down].allSatisfy(\.isEmpty)
  }

  init(_ arena: ParameterArena, layer: Int, _ weights: ModelWeights) {
    let configuration = weights.configuration
    let prefix = "model.layers.\(layer)."
    func vector(_ name: String) -> Floats? { arena.layout[prefix + name].map { arena.pointer + $0.offset } }
    func columns(_ product: LinearModule.Product, _ suffix: String = ".weight") -> [ColumnGradient] {
      Self.columns(LinearModule.modules(product, layer, configuration), suffix, arena)
    }
    inputNorm = vector("input_layernorm.weight")
    queryKeyValue = columns(.queryKeyValue)
    queryKeyValueBias = columns(.queryKeyValue, ".bias")
    queryNorm = vector("self_attn.q_norm.weight")
    keyNorm = vector("self_attn.k_norm.weight")
    output = columns(.output)
    postNorm = vector("post_attention_layernorm.weight")
    gateUp = columns(.gateUp)
    down = columns(.down)
    adapters = weights.layers[layer].adapterGradients(arena)
  }

  /// Neighbours in the output whose gradients are neighbours too are one.
  private static func columns(_ modules: [LinearModule], _ suffix: String, _ arena: ParameterArena) -> [ColumnGradient] {
    var gradients: [ColumnGradient] = []
    for module in modules {
      guard let entry = arena.layout[module.name + suffix] else { continue }
      let target = arena.pointer + entry.offset
      let columns = module.firstColumn..<module.firstColumn + module.outputs
      let width = entry.count / module.outputs
      if let last = gradients.last, last.columns.upperBound == columns.lowerBound, last.target + last.columns.count * width == target {
        gradients[gradients.count - 1].columns = last.columns.lowerBound..<columns.upperBound
      } else {
        gradients.append(ColumnGradient(columns: columns, target: target))
      }
    }
    return gradients
  }
}

/// Where the gradients go that are wanted: those of the tensors that an arena has. Its names are those of the model's layout, or of the last
/// adapter's.
struct ModelGradients {
  let embedding: Floats?
  let layers: [LayerGradients]
  let norm: Floats?
  /// The embedding's where they are tied.
  let head: Floats?
  /// The backward pass ends at this layer: nothing below it trains. The number of layers where none does.
  let lowestLayer: Int

  init(_ arena: ParameterArena, _ weights: ModelWeights) {
    func view(_ name: String) -> Floats? { arena.layout[name].map { arena.pointer + $0.offset } }
    let configuration = weights.configuration
    embedding = view("model.embed_tokens.weight")
    layers = (0..<configuration.layers).map { LayerGradients(arena, layer: $0, weights) }
    norm = view("model.norm.weight")
    head = configuration.tieEmbeddings ? embedding : view("lm_head.weight")
    lowestLayer = embedding != nil ? 0 : layers.firstIndex { !$0.isEmpty } ?? configuration.layers
  }
}
