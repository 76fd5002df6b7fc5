import Kernels

/// The adapters that lie on a model's weights, added up: y = x·W₀ᵀ + Σ s·(x·Aᵀ)·Bᵀ. The last may train.
package struct AdapterStack: Sendable {
  package let adapters: [Adapter]

  package static let none = AdapterStack()

  private init() { adapters = [] }

  /// Adapters of a base with these weights, in the order that they came to it. Magnitudes are scaled to the weights that they belong to.
  /// - Throws: for a DoRA adapter with others: its norms are of W₀ + s·B·A alone.
  package init(_ adapters: [Adapter], over base: ParameterArena, _ pool: ThreadPool) throws(ModelError) {
    if adapters.count > 1, adapters.contains(where: \.settings.isWeightDecomposed) {
      throw ModelError("a DoRA adapter cannot be one of several: its magnitudes belong to one base; merge the earlier ones first")
    }
    self.adapters = adapters
    for adapter in adapters { adapter.measure(base, pool) }
  }

  package var isEmpty: Bool { adapters.isEmpty }

  /// What they add to one product of one layer.
  func products(_ product: LinearModule.Product, layer: Int) -> [LowRankProduct] {
    adapters.enumerated().compactMap { LowRankProduct($1, product, layer: layer, isLast: $0 == adapters.count - 1) }
  }
}
