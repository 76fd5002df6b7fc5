import Kernels

/// y = x·Wᵀ with W (outputs, inputs) as Hugging Face stores it, either in an arena or packed for the forward pass; the bits of y are the
/// same both ways.
struct Linear {
  enum Weight {
    case plain(Floats)
    case packed(PackedMatrix)
  }

  let outputs: Int
  let inputs: Int
  let weight: Weight

  /// x (rows, inputs), y (rows, outputs); `accumulate` adds to what y holds.
  func forward(_ pool: ThreadPool, rows: Int, x: Floats, ldx: Int, y: Floats, ldy: Int, accumulate: Bool = false) {
    switch weight {
    case .plain(let w):
      gemm(
        pool, m: rows, n: outputs, k: inputs, a: x, lda: ldx, transA: .no, b: w, ldb: inputs, transB: .yes, c: y, ldc: ldy,
        accumulate: accumulate)
    case .packed(let matrix):
      matrix.multiply(pool, m: rows, x: x, ldx: ldx, y: y, ldy: ldy, accumulate: accumulate)
    }
  }

  /// dx = dy·W (W given plain). dy (rows, outputs), dx (rows, inputs).
  static func backwardInput(_ pool: ThreadPool, rows: Int, outputs: Int, inputs: Int, dy: Floats, w: Floats, dx: Floats) {
    gemm(
      pool, m: rows, n: inputs, k: outputs, a: dy, lda: outputs, transA: .no, b: w, ldb: inputs, transB: .no, c: dx, ldc: inputs,
      accumulate: false)
  }

  /// dW += dyᵀ·x.
  static func backwardWeight(_ pool: ThreadPool, rows: Int, outputs: Int, inputs: Int, dy: Floats, x: Floats, dw: Floats) {
    gemm(
      pool, m: outputs, n: inputs, k: rows, a: dy, lda: outputs, transA: .yes, b: x, ldb: inputs, transB: .no, c: dw, ldc: inputs,
      accumulate: true)
  }
}
