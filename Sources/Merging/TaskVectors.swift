import Kernels
import Modeling

/// θ0 + λ Σ_k w_k δ_k with task vectors δ_k = θ_k − θ0, as mergekit's task_arithmetic, ties, dare_linear and dare_ties share it.
///
/// The first source is the base. Each δ_k (float32) is first sparsified; then, under `elects`, only the elements of w_k δ_k take part whose
/// sign is that of their sum (+ where it is 0); under `normalizes` the sum is divided by the sum of the weights that took part.
///
/// As in mergekit with `dtype: float32`: which elements take part is decided in float32, in the order of the models. Sum, quotient and
/// result are taken in double and rounded once, where mergekit rounds every step.
package struct TaskVectors: Sendable {
  package enum Sparsification: Sendable {
    case none
    /// The share `densities[k]` of largest magnitude in each tensor: TIES's trimming. The paper trims over the whole vector, mergekit (and this) tensor by tensor.
    case magnitude
    /// Each element is kept with probability `densities[k]`: DARE.
    case random(seed: UInt64, Rescale)
  }

  /// What the elements kept at random are multiplied by.
  package enum Rescale: String, Sendable {
    /// 1 / density: the paper's.
    case density
    /// The tensor's Σ|δ| before by that after: mergekit's.
    case l1
    case none
  }

  package var name: String
  /// One a model, the base left out.
  package var weights: [Double]
  package var densities: [Double]
  package var sparsification: Sparsification
  package var elects: Bool
  package var normalizes: Bool
  package var lambda: Double

  package init(
    name: String, weights: [Double], densities: [Double]? = nil, sparsification: Sparsification = .none, elects: Bool = false,
    normalizes: Bool = false, lambda: Double = 1
  ) {
    self.name = name
    self.weights = weights
    self.densities = densities ?? weights.map { _ in 1 }
    self.sparsification = sparsification
    self.elects = elects
    self.normalizes = normalizes
    self.lambda = lambda
    precondition(self.densities.count == weights.count, "\(self.densities.count) densities for \(weights.count) models")
  }

  package var method: MergeMethod {
    switch sparsification {
    case .none:
      let scales = weights.map { _ in 1.0 }
      return MergeMethod(name: name) { slice in
        differences(slice)
        add(slice, scales)
      }
    case .magnitude:
      return MergeMethod(name: name) { passes throws(ModelError) in
        let thresholds = try MagnitudeThreshold.find(passes, densities)
        let scales = weights.map { _ in 1.0 }
        return { slice in
          differences(slice)
          for (k, threshold) in thresholds.enumerated() { threshold.trim(slice.sources[k + 1], slice.elements) }
          add(slice, scales)
        }
      }
    case .random(let seed, let rescale):
      return MergeMethod(name: name) { passes throws(ModelError) in
        let masks = densities.enumerated().map { DropMask(seed: seed, tensor: passes.tensor.name, model: $0, density: $1) }
        let scales = try DropMask.scales(passes, masks, rescale)
        return { slice in
          differences(slice)
          for (k, mask) in masks.enumerated() { mask.apply(slice.sources[k + 1], slice.elements) }
          add(slice, scales)
        }
      }
    }
  }

  // MARK: - Elements

  /// δ_k in the place of θ_k.
  private func differences(_ slice: MergeSlice) { Self.differences(slice) }

  static func differences(_ slice: MergeSlice) {
    let base = slice.sources[0]
    for values in slice.sources.dropFirst() {
      for i in 0..<slice.count { values[i] -= base[i] }
    }
  }

  /// The result from the base and the sparsified δ_k, of which each is still to be multiplied by its scale.
  private func add(_ slice: MergeSlice, _ scales: [Double]) {
    let votes = slice.target
    if elects { count(slice, scales, into: votes) }
    let base = slice.sources[0]
    let total = weights.reduce(0, +)
    // As mergekit: a sum of weights that is all but zero divides by 1.
    let factor = normalizes && !elects && abs(total) >= 1e-8 ? lambda / total : lambda
    withUnsafeTemporaryAllocation(of: Double.self, capacity: 2 * Self.chunk) { room in
      guard let sums = room.baseAddress else { return }
      let divisors = sums + Self.chunk
      for start in stride(from: 0, to: slice.count, by: Self.chunk) {
        let count = min(Self.chunk, slice.count - start)
        for i in 0..<2 * Self.chunk { sums[i] = 0 }
        for k in weights.indices {
          let delta = slice.sources[k + 1] + start
          let product = weights[k] * scales[k]
          if elects {
            Self.addElected(delta, votes + start, weights[k], product, sums, divisors, count)
          } else {
            for i in 0..<count { sums[i] += product * Double(delta[i]) }
          }
        }
        if elects, normalizes { for i in 0..<count { sums[i] /= divisors[i] == 0 ? 1 : divisors[i] } }
        for i in 0..<count { slice.target[start + i] = Float(Double(base[start + i]) + factor * sums[i]) }
      }
    }
  }

  private static let chunk = 1024

  /// Σ_k w_k δ_k in float32.
  private func count(_ slice: MergeSlice, _ scales: [Double], into votes: Floats) {
    for i in 0..<slice.count { votes[i] = 0 }
    for k in weights.indices {
      let (delta, weight, scale) = (slice.sources[k + 1], Float(weights[k]), Float(scales[k]))
      for i in 0..<slice.count { votes[i] += weight * (delta[i] * scale) }
    }
  }

  /// Adds those elements of w δ that are not zero and have the sign of their vote.
  private static func addElected(
    _ delta: Floats, _ votes: Floats, _ weight: Double, _ product: Double, _ sums: UnsafeMutablePointer<Double>,
    _ divisors: UnsafeMutablePointer<Double>, _ count: Int
  ) {
    for i in 0..<count {
      let value = product * Double(delta[i])
      let agrees = votes[i] >= 0 ? value > 0 : value < 0
      sums[i] += agrees ? value : 0
      divisors[i] += agrees ? weight : 0
    }
  }
}
