/// One linear layer of a model, by the name that Hugging Face gives its module, and where it stands in the product that it is part of. Only
/// the layers inside the blocks: the embedding and the head have no adapters.
package struct LinearModule: Sendable, Equatable {
  /// Modules that read the same input are one matrix product.
  package enum Product: String, Sendable, CaseIterable {
    case queryKeyValue
    case output
    case gateUp
    case down
  }

  /// "model.layers.0.self_attn.q_proj"
  package let name: String
  package let layer: Int
  package let product: Product
  package let inputs: Int
  package let outputs: Int
  /// Its first column of the product's output.
  package let firstColumn: Int

  /// The name of its weight, (outputs, inputs), in the model's layout.
  package var weightName: String { name + ".weight" }

  /// In the order of the model's layout.
  package static func all(_ c: ModelConfiguration) -> [LinearModule] {
    (0..<c.layers).flatMap { layer in Product.allCases.flatMap { modules($0, layer, c) } }
  }

  static func modules(_ product: Product, _ layer: Int, _ c: ModelConfiguration) -> [LinearModule] {
    var column = 0
    return shapes(product, c).map { name, outputs, inputs in
      defer { column += outputs }
      return LinearModule(
        name: "model.layers.\(layer)." + name, layer: layer, product: product, inputs: inputs, outputs: outputs, firstColumn: column)
    }
  }

  private static func shapes(_ product: Product, _ c: ModelConfiguration) -> [(name: String, outputs: Int, inputs: Int)] {
    switch product {
    case .queryKeyValue:
      [
        ("self_attn.q_proj", c.queryWidth, c.hiddenSize), ("self_attn.k_proj", c.keyValueWidth, c.hiddenSize),
        ("self_attn.v_proj", c.keyValueWidth, c.hiddenSize),
      ]
    case .output: [("self_attn.o_proj", c.hiddenSize, c.queryWidth)]
    case .gateUp: ["gate", "up"].map { ("mlp.\($0)_proj", c.intermediateSize, c.hiddenSize) }
    case .down: [("mlp.down_proj", c.hiddenSize, c.intermediateSize)]
    }
  }
}
