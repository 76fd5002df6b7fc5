import Kernels

/// A low-rank adapter in memory: for each adapted module A (rank, inputs), B (outputs, rank) and, with DoRA, the magnitudes m (outputs), in
/// one arena of its own. Knows nothing of files, and of the weights it adapts only their shapes.
///
/// `@unchecked Sendable`: owns its memory; whoever writes it (a loader, an optimizer) is alone with it while it does.
package final class Adapter: @unchecked Sendable {
  /// One adapted module: W = W₀ + s·B·A, or with magnitudes W = m ⊙ (W₀ + s·B·A)/‖W₀ + s·B·A‖ row by row.
  package struct Module {
    package let linear: LinearModule
    package let rank: Int
    /// s
    package let scale: Float
    /// (rank, inputs)
    package let a: Floats
    /// (outputs, rank)
    package let b: Floats
    /// (outputs), DoRA only.
    package let magnitude: Floats?
    /// g = m/‖W₀ + s·B·A‖ of each output row as `refresh` last found it, DoRA only.
    let gain: Floats?
    /// 1/‖W₀ + s·B·A‖ of each output row, DoRA only.
    let inverseNorm: Floats?
    /// ‖W₀‖² of each output row, DoRA only.
    let squares: UnsafeMutablePointer<Double>?

    package var name: String { linear.name }
  }

  package let settings: LoRASettings
  package let arena: ParameterArena
  /// In the order of the model's layout.
  package let modules: [Module]
  /// The low-rank terms it is made of, where it was put together from several; one, of its own rank and scale, where not.
  package let composition: [AdapterTerm]
  private let gains: FloatBuffer
  private let squares: UnsafeMutableBufferPointer<Double>

  /// All zero. `linears`: the modules it adapts, in the order of the model's layout.
  package init(_ settings: LoRASettings, _ linears: [LinearModule], composition: [AdapterTerm]? = nil) {
    let rows = settings.isWeightDecomposed ? linears.reduce(0) { $0 + $1.outputs } : 0
    let arena = ParameterArena(Self.layout(settings, linears))
    let gains = FloatBuffer(count: 2 * rows)
    let squares = UnsafeMutableBufferPointer<Double>.allocate(capacity: rows)
    squares.initialize(repeating: 0)
    var row = 0
    modules = linears.map { linear in
      defer { row += linear.outputs }
      let decomposed = settings.isWeightDecomposed
      return Module(
        linear: linear, rank: settings.rank(of: linear.name), scale: Float(settings.scale(of: linear.name)),
        a: arena.view(Self.nameOfA(linear.name)), b: arena.view(Self.nameOfB(linear.name)),
        magnitude: decomposed ? arena.view(Self.nameOfMagnitude(linear.name)) : nil, gain: decomposed ? gains.pointer + row : nil,
        inverseNorm: decomposed ? gains.pointer + rows + row : nil, squares: decomposed ? squares.baseAddress.map { $0 + row } : nil)
    }
    self.settings = settings
    self.arena = arena
    self.gains = gains
    self.squares = squares
    self.composition = composition ?? [AdapterTerm(rank: settings.rank, scale: settings.scale(of: linears.first?.name ?? ""))]
  }

  deinit { squares.deallocate() }

  /// The adapter of one module, by the name of that module's weight ("model.layers.0.self_attn.q_proj.weight").
  package func module(ofWeight name: String) -> Module? { modules.first { $0.linear.weightName.utf8.elementsEqual(name.utf8) } }

  // MARK: - Names

  package static func nameOfA(_ module: String) -> String { module + ".lora_A.weight" }
  package static func nameOfB(_ module: String) -> String { module + ".lora_B.weight" }
  package static func nameOfMagnitude(_ module: String) -> String { module + ".lora_magnitude_vector" }

  /// The A of modules that read the same input are adjacent, so that they are one matrix product.
  private static func layout(_ settings: LoRASettings, _ linears: [LinearModule]) -> ParameterLayout {
    var groups: [[(name: String, shape: [Int])]] = []
    var start = 0
    while start < linears.count {
      let first = linears[start]
      let product = linears[start...].prefix { $0.layer == first.layer && $0.product == first.product }
      groups.append(product.map { (nameOfA($0.name), [settings.rank(of: $0.name), $0.inputs]) })
      groups += product.map { [(nameOfB($0.name), [$0.outputs, settings.rank(of: $0.name)])] }
      if settings.isWeightDecomposed { groups += product.map { [(nameOfMagnitude($0.name), [$0.outputs])] } }
      start += product.count
    }
    return ParameterLayout(groups: groups)
  }
}

/// One low-rank term s·B·A of an adapter that was put together from several.
package struct AdapterTerm: Sendable, Equatable {
  package let rank: Int
  /// s, as it was when the term was trained. A composed adapter has it inside its B.
  package let scale: Double

  package init(rank: Int, scale: Double) { (self.rank, self.scale) = (rank, scale) }
}
