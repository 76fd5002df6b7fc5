import Kernels

/// y = x·Wᵀ with W (outputs, inputs) as Hugging Face stores it, either in an arena or packed for the forward pass, and what adapters add to
/// it; the bits of y are the same both ways.
struct Linear {
  enum Weight {
    case plain(Floats)
    case packed(PackedMatrix)
  }

  let outputs: Int
  let inputs: Int
  let weight: Weight
  /// In the order of their stack; without those that leave this product alone.
  let adapters: [LowRankProduct]
  /// Of a DoRA adapter, which is alone.
  let decomposition: WeightDecomposition?

  init(outputs: Int, inputs: Int, weight: Weight, adapters: [LowRankProduct] = []) {
    self.outputs = outputs
    self.inputs = inputs
    self.weight = weight
    self.adapters = adapters
    decomposition = adapters.first.flatMap { $0.isDecomposed ? WeightDecomposition($0, width: outputs) : nil }
  }

  /// x (rows, inputs), y (rows, outputs); `accumulate` adds to what y holds.
  func forward(
    _ pool: ThreadPool, rows: Int, x: Floats, ldx: Int, y: Floats, ldy: Int, accumulate: Bool = false, _ pass: AdapterPass
  ) {
    guard let decomposition else {
      multiply(pool, rows: rows, x: x, ldx: ldx, y: y, ldy: ldy, accumulate: accumulate)
      for product in adapters { product.forward(pool, rows: rows, x: x, ldx: ldx, y: y, ldy: ldy, pass) }
      return
    }
    let apart = accumulate || ldy != outputs
    let z = apart ? pass.memory.floats(.product, width: outputs) : y
    multiply(pool, rows: rows, x: x, ldx: ldx, y: z, ldy: outputs, accumulate: false)
    for product in adapters { product.forward(pool, rows: rows, x: x, ldx: ldx, y: z, ldy: outputs, pass) }
    decomposition.forward(pool, rows: rows, z: z, y: y, ldy: ldy, accumulate: accumulate)
  }

  /// Without the adapters.
  func multiply(_ pool: ThreadPool, rows: Int, x: Floats, ldx: Int, y: Floats, ldy: Int, accumulate: Bool = false) {
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

  /// dW += dyᵀ·x for the columns of y whose weights train; dy (rows, outputs).
  static func backwardWeight(
    _ pool: ThreadPool, rows: Int, outputs: Int, inputs: Int, dy: Floats, x: Floats, dw gradients: [ColumnGradient]
  ) {
    for gradient in gradients {
      gemm(
        pool, m: gradient.columns.count, n: inputs, k: rows, a: dy + gradient.columns.lowerBound, lda: outputs, transA: .yes, b: x,
        ldb: inputs, transB: .no, c: gradient.target, ldc: inputs, accumulate: true)
    }
  }
}
