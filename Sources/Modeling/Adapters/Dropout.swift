import Kernels

/// Which inputs of adapters are dropped in one training pass: a function of the seed, the optimizer step and the micro-batch, so that
/// neither a resumed run nor the number of threads moves a bit of it.
package struct DropoutDraw: Sendable {
  package let seed: UInt64
  /// From 0.
  package let step: Int
  /// Of the step, from 0.
  package let microBatch: Int

  package init(seed: UInt64, step: Int, microBatch: Int) { (self.seed, self.step, self.microBatch) = (seed, step, microBatch) }
}

/// The mask of one product's input: an element stays, times 1/(1 − p), or becomes zero. Modules that read the same input share it. A
/// row's eight columns from 8j on are the eight 16-bit words of one block of random bits; p is rounded to a multiple of 2⁻¹⁶.
struct DropoutMask {
  private let random: Philox
  private let threshold: UInt16
  private let factor: Float
  private let width: Int

  init(_ draw: DropoutDraw, _ product: LinearModule.Product, layer: Int, probability: Double, width: Int) {
    random = Philox(seed: draw.seed, name: "dropout/\(draw.step)/\(draw.microBatch)/\(layer)/\(product.rawValue)")
    threshold = UInt16(min(probability * 0x1p16, 0x1p16 - 1).rounded())
    factor = Float(1 / (1 - Double(threshold) * 0x1p-16))
    self.width = width
  }

  /// y = mask ⊙ x; rows of x are `ldx` floats apart, those of y `width`.
  func forward(_ pool: ThreadPool, rows: Int, x: Floats, ldx: Int, y: Floats) {
    each(pool, rows) { row, keep in
      let (source, target) = (x + row * ldx, y + row * width)
      for i in 0..<width { target[i] = source[i] * keep[i] }
    }
  }

  /// dx += mask ⊙ dy, both (rows, width).
  func backward(_ pool: ThreadPool, rows: Int, dy: Floats, dx: Floats) {
    each(pool, rows) { row, keep in
      let (source, target) = (dy + row * width, dx + row * width)
      for i in 0..<width { target[i] += source[i] * keep[i] }
    }
  }

  /// The factor of each element of a row: 0 or 1/(1 − p).
  private func each(_ pool: ThreadPool, _ rows: Int, _ body: (_ row: Int, _ keep: Floats) -> Void) {
    let blocks = (width + 7) / 8
    pool.run((rows + Self.rowsPerTask - 1) / Self.rowsPerTask) { task in
      withUnsafeTemporaryAllocation(of: Float.self, capacity: blocks * 8) { keep in
        guard let keep = keep.baseAddress else { return }
        for row in task * Self.rowsPerTask..<min(rows, (task + 1) * Self.rowsPerTask) {
          for block in 0..<blocks { fill(keep + block * 8, random.block(UInt64(row * blocks + block))) }
          body(row, keep)
        }
      }
    }
  }

  @inline(__always)
  private func fill(_ keep: Floats, _ words: SIMD4<UInt32>) {
    let halves = unsafeBitCast(words, to: SIMD8<UInt16>.self)
    for i in 0..<8 { keep[i] = halves[i] < threshold ? 0 : factor }
  }

  private static let rowsPerTask = 32
}
