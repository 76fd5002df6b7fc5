import Kernels
import Modeling

/// O-LoRA: λ Σ_past Σ |A·A_iᵀ| holds the subspace of a new adapter apart from those of earlier ones (Wang et al. 2023, equation 8, with the
/// L1 norm of its code). A (rank, width) is what trains; A_i (rank_i, width) are fixed. Only A has a gradient: λ Σ_i sign(A·A_iᵀ)·A_i.
package struct OrthogonalityTerm: ParameterTerm {
  /// One module's A beside those of past adapters.
  package struct Module: Sendable {
    /// Of A in the arena that is trained.
    package let offset: Int
    package let rank: Int
    package let width: Int
    /// The rows of all past A_i of this module, one below the other: (past rank, width).
    package let past: [Float]

    package init(offset: Int, rank: Int, width: Int, past: [Float]) {
      precondition(past.count % width == 0, "\(past.count) floats in rows of \(width)")
      self.offset = offset
      self.rank = rank
      self.width = width
      self.past = past
    }
  }

  package let name = "o_lora"
  package let identity: String
  private let lambda: Double
  private let modules: [Module]

  package init(lambda: Double, _ modules: [Module]) {
    self.lambda = lambda
    self.modules = modules
    identity = "o_lora \(lambda), \(modules.reduce(0) { $0 + $1.past.count / $1.width }) past rows"
  }

  /// Every `….lora_A.weight` of the adapter that trains, beside the tensors of that name in earlier adapters.
  package init(lambda: Double, adapter: ParameterLayout, past: [ParameterArena]) {
    let modules = adapter.entries.filter { $0.name.hasSuffix(".lora_A.weight") && $0.shape.count == 2 }.map { entry in
      let rows = past.flatMap { arena -> [Float] in
        guard let earlier = arena.layout[entry.name], earlier.shape.last == entry.shape[1] else { return [] }
        return Array(UnsafeBufferPointer(start: arena.view(entry.name), count: earlier.count))
      }
      return Module(offset: entry.offset, rank: entry.shape[0], width: entry.shape[1], past: rows)
    }
    self.init(lambda: lambda, modules)
  }

  package func apply(_ pool: ThreadPool, _ parts: [TrainedPart]) -> Double {
    let scale = Float(lambda)
    return withUnsafeTemporaryAllocation(of: Double.self, capacity: max(1, modules.count)) { sums in
      guard let base = sums.baseAddress else { return 0 }
      pool.run(modules.count) { index in
        let module = modules[index]
        let part = parts.first { $0.offset <= module.offset && module.offset + module.rank * module.width <= $0.offset + $0.count }
        base[index] = part.map { module.apply(scale, $0) } ?? 0
      }
      return lambda * (0..<modules.count).reduce(0) { $0 + base[$1] }
    }
  }
}

extension OrthogonalityTerm.Module {
  /// Σ |A·A_iᵀ| in Double, row by row.
  fileprivate func apply(_ scale: Float, _ part: TrainedPart) -> Double {
    let a = part.parameters + (offset - part.offset)
    let gradient = part.gradients + (offset - part.offset)
    return past.withUnsafeBufferPointer { past in
      var sum = 0.0
      for row in 0..<rank {
        let (x, g) = (a + row * width, gradient + row * width)
        for start in stride(from: 0, to: past.count, by: width) {
          var product = 0.0
          for i in 0..<width { product += Double(x[i]) * Double(past[start + i]) }
          sum += product.magnitude
          let factor = product > 0 ? scale : (product < 0 ? -scale : 0)
          for i in 0..<width { g[i] += factor * past[start + i] }
        }
      }
      return sum
    }
  }
}
