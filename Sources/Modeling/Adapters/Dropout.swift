import Kernels

/// Which inputs of adapters are dropped in one training pass: a function of the seed, the optimizer step and the micro-batch, so that
/// neither a resumed run nor the number of threads moves a bit of it.
package struct DropoutDraw: Sendable, Equatable {
  package let seed: UInt64
  /// From 0.
  package let step: Int
  /// Of the step, from 0.
  package let microBatch: Int

  package init(seed: UInt64, step: Int, microBatch: Int) { (self.seed, self.step, self.microBatch) = (seed, step, microBatch) }
}

/// The mask of one product's input: an element stays, times 1/(1 − p), or becomes zero. Modules that read the same input share it. p is
/// rounded to a multiple of 2⁻¹⁶.
struct DropoutMask {
  /// All that a mask's bits depend on.
  struct Source: Equatable {
    let draw: DropoutDraw
    let product: LinearModule.Product
    let layer: Int
    let threshold: UInt16
    let rows: Int
    let width: Int

    init(_ draw: DropoutDraw, _ product: LinearModule.Product, layer: Int, probability: Double, rows: Int, width: Int) {
      (self.draw, self.product, self.layer, self.rows, self.width) = (draw, product, layer, rows, width)
      threshold = UInt16(min(probability * 0x1p16, 0x1p16 - 1).rounded())
    }

    /// Of 64 bits.
    var words: Int { rows * Dropout.words(width: width) }

    func draw(_ pool: ThreadPool, _ mask: UnsafeMutablePointer<UInt64>) {
      let random = Philox(seed: draw.seed, name: "dropout/\(draw.step)/\(draw.microBatch)/\(layer)/\(product.rawValue)")
      Dropout.draw(pool, rows: rows, width: width, random, threshold: threshold, mask: mask)
    }
  }

  let source: Source
  let bits: UnsafePointer<UInt64>

  private var factor: Float { Float(1 / (1 - Double(source.threshold) * 0x1p-16)) }

  /// y = mask ⊙ x; rows of x are `ldx` floats apart, those of y `width`.
  func forward(_ pool: ThreadPool, x: Floats, ldx: Int, y: Floats) {
    Dropout.forward(pool, rows: source.rows, width: source.width, mask: bits, factor: factor, x: x, ldx: ldx, y: y)
  }

  /// dx += mask ⊙ dy, both (rows, width).
  func backward(_ pool: ThreadPool, dy: Floats, dx: Floats) {
    Dropout.backward(pool, rows: source.rows, width: source.width, mask: bits, factor: factor, dy: dy, dx: dx)
  }
}
