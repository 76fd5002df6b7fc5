import Kernels

extension Adapter {
  /// The same adapter with another dropout, in memory of its own.
  package func with(dropout: Double) -> Adapter {
    var settings = settings
    settings.dropout = dropout
    return copy(settings)
  }

  /// The same numbers in memory of their own.
  package func copy() -> Adapter { copy(settings) }

  private func copy(_ settings: LoRASettings) -> Adapter {
    let copy = Adapter(settings, modules.map(\.linear), composition: composition)
    copy.arena.pointer.update(from: arena.pointer, count: arena.count)
    return copy
  }

  /// Several adapters as one: A₁ above A₂ …, and s₁·B₁ beside s₂·B₂ …, so that its s is 1 and (s₁·B₁)·A₁ + (s₂·B₂)·A₂ = B·A. A module that
  /// only some adapt has the rank of those. Magnitudes cannot be put together: `AdapterStack` refuses them.
  package static func composed(_ adapters: [Adapter], _ configuration: ModelConfiguration) -> Adapter {
    if adapters.count == 1 { return adapters[0] }
    let linears = LinearModule.all(configuration).filter { linear in adapters.contains { $0.module(of: linear) != nil } }
    let ranks = linears.map { linear in adapters.reduce(0) { $0 + ($1.module(of: linear)?.rank ?? 0) } }
    var settings = LoRASettings()
    settings.rank = ranks.max() ?? 1
    settings.alpha = Double(settings.rank)
    settings.targets = .suffixes(linears.map(\.name))
    for (linear, rank) in zip(linears, ranks) where rank != settings.rank {
      // A module's name, dots and all, is a pattern for itself.
      settings.rankPattern.append(.init(linear.name, rank))
      settings.alphaPattern.append(.init(linear.name, Double(rank)))
    }
    let whole = Adapter(settings, linears, composition: adapters.flatMap(\.composition))
    for module in whole.modules {
      var first = 0
      for part in adapters.compactMap({ $0.module(of: module.linear) }) {
        (module.a + first * module.linear.inputs).update(from: part.a, count: part.rank * module.linear.inputs)
        for row in 0..<module.linear.outputs {
          for i in 0..<part.rank { module.b[row * module.rank + first + i] = part.scale * part.b[row * part.rank + i] }
        }
        first += part.rank
      }
    }
    return whole
  }

  private func module(of linear: LinearModule) -> Module? { modules.first { $0.linear == linear } }
}

/// What becomes of weights under adapters, as a formula: `W0 + 2·B1A1 + 0.5·B2A2`.
package struct WeightFormula: Sendable, Equatable, CustomStringConvertible {
  package enum State: String, Sendable {
    /// Part of the weights before training began.
    case merged
    /// On top of the weights, and fixed.
    case frozen
    case trained
  }

  package let terms: [(term: AdapterTerm, state: State)]
  /// DoRA, whose adapter is the last one; the terms before it are merged.
  package let isDecomposed: Bool

  package init(_ adapters: [(adapter: Adapter, state: State)]) {
    terms = adapters.flatMap { adapter, state in adapter.composition.map { ($0, state) } }
    isDecomposed = adapters.last?.adapter.settings.isWeightDecomposed ?? false
  }

  package var description: String {
    let sum = terms.enumerated().reduce("W0") { $0 + " + \(Self.number($1.element.term.scale))·B\($1.offset + 1)A\($1.offset + 1)" }
    return isDecomposed ? "m·(\(sum))/‖\(sum)‖" : sum
  }

  package static func == (left: WeightFormula, right: WeightFormula) -> Bool {
    left.isDecomposed == right.isDecomposed && left.terms.elementsEqual(right.terms) { $0.term == $1.term && $0.state == $1.state }
  }

  private static func number(_ value: Double) -> String { Int(exactly: value).map(String.init) ?? "\(value)" }
}
