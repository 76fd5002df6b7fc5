import Kernels

/// What adapters compute in during a pass: allocated when a pass first wants it, and kept.
///
/// `@unchecked Sendable`: belongs to one pass at a time.
final class AdapterMemory: @unchecked Sendable {
  enum Use: Int, CaseIterable {
    /// x·Aᵀ (rows, rank)
    case low
    /// s·dy·B (rows, rank)
    case lowSlope
    /// The input with its dropped elements (rows, inputs).
    case dropped
    /// DoRA: the product before its gain, or the slope after it (rows, outputs).
    case product
    /// DoRA: the product again, a block of rows at a time (block, outputs).
    case block
  }

  let masks = DropoutMasks()

  private let rows: Int
  private var buffers = [FloatBuffer?](repeating: nil, count: Use.allCases.count)

  /// `rows`: the most that a pass has.
  init(rows: Int) { self.rows = rows }

  /// (rows, width); what was there is lost when it grows.
  func floats(_ use: Use, width: Int, rows fewer: Int? = nil) -> Floats {
    let count = (fewer ?? rows) * width
    if let buffer = buffers[use.rawValue], buffer.count >= count { return buffer.pointer }
    let buffer = FloatBuffer(count: count)
    buffers[use.rawValue] = buffer
    return buffer.pointer
  }
}

/// What a product's adapters want to know of the pass that they are in.
struct AdapterPass {
  let memory: AdapterMemory
  /// Only where the last adapter trains.
  let dropout: DropoutDraw?
}
