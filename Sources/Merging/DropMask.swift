import Kernels
import Modeling

/// Which elements of a task vector DARE keeps (Yu et al., arXiv 2311.03099): each with probability `density`, by random bits that depend on
/// the seed, the tensor's name, the model's place and the element's, and on nothing else.
struct DropMask: Sendable {
  private let stream: Philox
  /// A 32-bit word below this keeps its element.
  private let limit: UInt64
  private let density: Double

  init(seed: UInt64, tensor: String, model: Int, density: Double) {
    stream = Philox(seed: seed, name: "dare \(model) \(tensor)")
    limit = UInt64(min(max(density, 0), 1) * 0x1p32)
    self.density = density
  }

  /// Sets what is dropped to zero. `elements` starts at a multiple of four: one block of four words serves four elements.
  func apply(_ values: Floats, _ elements: Range<Int>) {
    guard limit < 1 << 32 else { return }
    let least = UInt32(truncatingIfNeeded: limit)
    let count = elements.count
    for i in stride(from: 0, to: count & ~3, by: 4) {
      let words = stream.block(UInt64(elements.lowerBound + i) / 4)
      for j in 0..<4 { values[i + j] = words[j] < least ? values[i + j] : 0 }
    }
    guard count % 4 != 0 else { return }
    let words = stream.block(UInt64(elements.upperBound) / 4)
    for j in 0..<count % 4 where words[j] >= least { values[(count & ~3) + j] = 0 }
  }

  // MARK: - Scale

  /// What the elements that stay are multiplied by, a factor a model.
  static func scales(_ passes: TensorPasses, _ masks: [DropMask], _ rescale: TaskVectors.Rescale) throws(ModelError) -> [Double] {
    switch rescale {
    case .none: return masks.map { _ in 1 }
    case .density: return masks.map { $0.density > 0 ? 1 / min($0.density, 1) : 1 }
    case .l1:
      let spans = try passes.fold(from: [Double](repeating: 0, count: 2 * masks.count)) { sums, slice in
        TaskVectors.differences(slice)
        for (k, mask) in masks.enumerated() {
          sums[2 * k] += magnitude(slice.sources[k + 1], slice.count)
          mask.apply(slice.sources[k + 1], slice.elements)
          sums[2 * k + 1] += magnitude(slice.sources[k + 1], slice.count)
        }
      }
      return masks.indices.map { k in
        let before = spans.reduce(0) { $0 + $1[2 * k] }
        let after = spans.reduce(0) { $0 + $1[2 * k + 1] }
        return min(before, after) < leastNorm ? 1 : before / after
      }
    }
  }

  /// Sums below this leave the tensor as it is: mergekit's.
  private static let leastNorm = 1e-7

  /// Σ|x|, in four partial sums.
  private static func magnitude(_ values: Floats, _ count: Int) -> Double {
    var sums = SIMD4<Double>()
    let whole = count & ~3
    for i in stride(from: 0, to: whole, by: 4) {
      sums += SIMD4<Double>(
        Double(abs(values[i])), Double(abs(values[i + 1])), Double(abs(values[i + 2])), Double(abs(values[i + 3])))
    }
    for i in whole..<count { sums[0] += Double(abs(values[i])) }
    return sums.sum()
  }
}
