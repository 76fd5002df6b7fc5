import Kernels

/// A model's parameters in the form the forward pass wants: views into an arena, or matrices packed once for many passes.
///
/// `@unchecked Sendable`: pointers into memory that it keeps alive and never writes.
package final class ModelWeights: @unchecked Sendable {
  struct Layer {
    let tensors: LayerTensors
    let queryKeyValue: Linear
    let output: Linear
    let gateUp: Linear
    let down: Linear

    /// Where the gradients of the last adapter go, by product.
    func adapterGradients(_ gradients: ParameterArena) -> [LinearModule.Product: LowRankGradients] {
      var found: [LinearModule.Product: LowRankGradients] = [:]
      for linear in [queryKeyValue, output, gateUp, down] {
        if let product = linear.adapters.last { found[product.kind] = LowRankGradients(product, gradients) }
      }
      return found
    }

    func with(_ adapters: AdapterStack, layer: Int) -> Layer {
      func with(_ linear: Linear, _ product: LinearModule.Product) -> Linear {
        Linear(
          outputs: linear.outputs, inputs: linear.inputs, weight: linear.weight, adapters: adapters.products(product, layer: layer))
      }
      return Layer(
        tensors: tensors, queryKeyValue: with(queryKeyValue, .queryKeyValue), output: with(output, .output),
        gateUp: with(gateUp, .gateUp), down: with(down, .down))
    }
  }

  package let configuration: ModelConfiguration
  package let arena: ParameterArena
  let tensors: ModelTensors
  let layers: [Layer]
  let head: Linear
  package let adapters: AdapterStack
  /// The matrices in the arena are gone (see `packed`); then there is no backward pass.
  package let isPacked: Bool

  /// Views into `arena`: sees every later change of it.
  package convenience init(_ configuration: ModelConfiguration, _ arena: ParameterArena) {
    precondition(arena.layout == ParameterLayout(configuration), "arena of \(arena.count) floats is not laid out for this configuration")
    self.init(configuration, arena, isPacked: false, LinearMaker(configuration) { pointer, _, _ in .plain(pointer) })
  }

  private init(_ configuration: ModelConfiguration, _ arena: ParameterArena, isPacked: Bool, _ maker: LinearMaker) {
    self.configuration = configuration
    self.arena = arena
    self.isPacked = isPacked
    tensors = ModelTensors(arena, configuration)
    layers = tensors.layers.map(maker.layer)
    head = maker.head(tensors)
    adapters = .none
  }

  private init(_ base: ModelWeights, _ adapters: AdapterStack) {
    configuration = base.configuration
    arena = base.arena
    isPacked = base.isPacked
    tensors = base.tensors
    layers = base.layers.enumerated().map { $1.with(adapters, layer: $0) }
    head = base.head
    self.adapters = adapters
  }

  /// The same weights, which both then share, under these adapters in place of those that were.
  package func with(_ adapters: AdapterStack) -> ModelWeights { ModelWeights(self, adapters) }

  /// The layer that the backward pass ends at when gradients are wanted in `gradients`; the number of layers where none has any.
  package func lowestLayer(training gradients: ParameterArena) -> Int { ModelGradients(gradients, self).lowestLayer }

  /// Packs every matrix; `arena` may change or go afterwards except for its embedding and its vectors, which are read where they are.
  /// `release`: each matrix's pages are given back as soon as it is packed, and the arena must not be used for anything else after.
  package static func packed(
    _ configuration: ModelConfiguration, _ arena: ParameterArena, pool: ThreadPool, release: Bool = false
  ) -> ModelWeights {
    let embedding = arena.view("model.embed_tokens.weight")
    let maker = LinearMaker(configuration) { pointer, outputs, inputs in
      let matrix = PackedMatrix(pool, n: outputs, k: inputs, weights: pointer)
      if release, pointer != embedding { PageRelease.release(pointer, count: outputs * inputs) }
      return .packed(matrix)
    }
    return ModelWeights(configuration, arena, isPacked: true, maker)
  }

  /// Knows the shapes of a configuration's products.
  private struct LinearMaker {
    let c: ModelConfiguration
    let make: (_ weights: Floats, _ outputs: Int, _ inputs: Int) -> Linear.Weight

    init(_ c: ModelConfiguration, _ make: @escaping (Floats, Int, Int) -> Linear.Weight) {
      self.c = c
      self.make = make
    }

    func linear(_ weights: Floats, _ outputs: Int, _ inputs: Int) -> Linear {
      Linear(outputs: outputs, inputs: inputs, weight: make(weights, outputs, inputs))
    }

    func layer(_ t: LayerTensors) -> Layer {
      Layer(
        tensors: t,
        queryKeyValue: linear(t.queryKeyValue, c.queryWidth + 2 * c.keyValueWidth, c.hiddenSize),
        output: linear(t.output, c.hiddenSize, c.queryWidth),
        gateUp: linear(t.gateUp, 2 * c.intermediateSize, c.hiddenSize),
        down: linear(t.down, c.hiddenSize, c.intermediateSize))
    }

    func head(_ t: ModelTensors) -> Linear { linear(t.head, c.vocabularySize, c.hiddenSize) }
  }
}
