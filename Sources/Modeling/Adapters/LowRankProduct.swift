import Kernels

/// What one adapter adds to one product of a layer: y += Σ s·(x·Aᵀ)·Bᵀ, each adapted module's in its own columns of y. The A of the modules
/// lie below each other, so x·Aᵀ is one product. Bits depend on a row of x alone.
struct LowRankProduct {
  struct Part {
    let module: Adapter.Module
    /// Its columns of y.
    let columns: Range<Int>
    /// Its columns of x·Aᵀ.
    let ranks: Range<Int>
  }

  let kind: LinearModule.Product
  let layer: Int
  let inputs: Int
  /// Of all parts together.
  let rank: Int
  /// (rank, inputs)
  let a: Floats
  let parts: [Part]
  /// Whether y is scaled row of W by row of W, DoRA.
  let isDecomposed: Bool
  /// Of the input, while the adapter trains.
  let dropout: Double
  /// It belongs to the last adapter of the stack.
  let isLast: Bool

  /// Nil where the adapter leaves the product alone.
  init?(_ adapter: Adapter, _ kind: LinearModule.Product, layer: Int, isLast: Bool) {
    let modules = adapter.modules.filter { $0.linear.layer == layer && $0.linear.product == kind }
    guard let first = modules.first else { return nil }
    var rank = 0
    parts = modules.map { module in
      defer { rank += module.rank }
      let column = module.linear.firstColumn
      return Part(module: module, columns: column..<column + module.linear.outputs, ranks: rank..<rank + module.rank)
    }
    self.kind = kind
    self.layer = layer
    self.isLast = isLast
    self.rank = rank
    inputs = first.linear.inputs
    a = first.a
    isDecomposed = adapter.settings.isWeightDecomposed
    dropout = adapter.settings.dropout
  }

  // MARK: - Forward

  private func mask(_ pool: ThreadPool, rows: Int, _ pass: AdapterPass) -> DropoutMask? {
    guard isLast, dropout > 0, let draw = pass.dropout else { return nil }
    let source = DropoutMask.Source(draw, kind, layer: layer, probability: dropout, rows: rows, width: inputs)
    return pass.memory.masks.mask(source, pool)
  }

  /// The adapter's input: x, or x with its dropped elements in memory of its own.
  func input(_ pool: ThreadPool, rows: Int, x: Floats, ldx: Int, _ pass: AdapterPass) -> (x: Floats, ldx: Int) {
    guard let mask = mask(pool, rows: rows, pass) else { return (x, ldx) }
    let dropped = pass.memory.floats(.dropped, width: inputs)
    mask.forward(pool, x: x, ldx: ldx, y: dropped)
    return (dropped, inputs)
  }

  /// u = s·(x·Aᵀ) (rows, rank).
  func low(_ pool: ThreadPool, rows: Int, x: Floats, ldx: Int, u: Floats) {
    gemm(
      pool, m: rows, n: rank, k: inputs, a: x, lda: ldx, transA: .no, b: a, ldb: inputs, transB: .yes, c: u, ldc: rank,
      accumulate: false)
    scale(pool, rows: rows, u)
  }

  /// y += u·Bᵀ.
  func add(_ pool: ThreadPool, rows: Int, u: Floats, y: Floats, ldy: Int) {
    for part in parts {
      gemm(
        pool, m: rows, n: part.columns.count, k: part.ranks.count, a: u + part.ranks.lowerBound, lda: rank, transA: .no,
        b: part.module.b, ldb: part.ranks.count, transB: .yes, c: y + part.columns.lowerBound, ldc: ldy, accumulate: true)
    }
  }

  /// y += s·(x·Aᵀ)·Bᵀ.
  func forward(_ pool: ThreadPool, rows: Int, x: Floats, ldx: Int, y: Floats, ldy: Int, _ pass: AdapterPass) {
    let (x, ldx) = input(pool, rows: rows, x: x, ldx: ldx, pass)
    let u = pass.memory.floats(.low, width: rank)
    low(pool, rows: rows, x: x, ldx: ldx, u: u)
    add(pool, rows: rows, u: u, y: y, ldy: ldy)
  }

  /// Each part's columns of u times its s.
  private func scale(_ pool: ThreadPool, rows: Int, _ u: Floats) {
    pool.run((rows + Self.rowsPerTask - 1) / Self.rowsPerTask) { task in
      for row in task * Self.rowsPerTask..<min(rows, (task + 1) * Self.rowsPerTask) {
        for part in parts {
          let factor = part.module.scale
          for i in part.ranks { u[row * rank + i] *= factor }
        }
      }
    }
  }

  // MARK: - Backward

  /// du = s·(dz·B) (rows, rank), dz (rows, width).
  func lowSlope(_ pool: ThreadPool, rows: Int, dz: Floats, width: Int, du: Floats) {
    for part in parts {
      gemm(
        pool, m: rows, n: part.ranks.count, k: part.columns.count, a: dz + part.columns.lowerBound, lda: width, transA: .no,
        b: part.module.b, ldb: part.ranks.count, transB: .no, c: du + part.ranks.lowerBound, ldc: rank, accumulate: false)
    }
    scale(pool, rows: rows, du)
  }

  /// dx += du·A, the mask's elements alone where there is one.
  func backwardInput(_ pool: ThreadPool, rows: Int, du: Floats, dx: Floats, _ pass: AdapterPass) {
    let mask = mask(pool, rows: rows, pass)
    let target = mask == nil ? dx : pass.memory.floats(.dropped, width: inputs)
    gemm(
      pool, m: rows, n: inputs, k: rank, a: du, lda: rank, transA: .no, b: a, ldb: inputs, transB: .no, c: target, ldc: inputs,
      accumulate: mask == nil)
    mask?.backward(pool, dy: target, dx: dx)
  }

  /// dA += duᵀ·x;  dB += dzᵀ·u, with x the adapter's input.
  func backwardWeights(
    _ pool: ThreadPool, rows: Int, x: Floats, ldx: Int, u: Floats, du: Floats, dz: Floats, width: Int, _ d: LowRankGradients
  ) {
    gemm(
      pool, m: rank, n: inputs, k: rows, a: du, lda: rank, transA: .yes, b: x, ldb: ldx, transB: .no, c: d.a, ldc: inputs, accumulate: true)
    for (part, db) in zip(parts, d.b) {
      gemm(
        pool, m: part.columns.count, n: part.ranks.count, k: rows, a: dz + part.columns.lowerBound, lda: width, transA: .yes,
        b: u + part.ranks.lowerBound, ldb: rank, transB: .no, c: db, ldc: part.ranks.count, accumulate: true)
    }
  }

  private static let rowsPerTask = 64
}

/// Where the gradients of an adapter's part of one product go.
struct LowRankGradients {
  /// (rank, inputs) of all parts.
  let a: Floats
  /// (outputs, rank) of each part.
  let b: [Floats]
  /// (outputs) of each part, DoRA only.
  let magnitude: [Floats]

  /// Nil where `gradients` has no place for them.
  init?(_ product: LowRankProduct, _ gradients: ParameterArena) {
    let names = product.parts.map(\.module.name)
    guard product.isLast, let first = names.first, gradients.layout[Adapter.nameOfA(first)] != nil else { return nil }
    a = gradients.view(Adapter.nameOfA(first))
    b = names.map { gradients.view(Adapter.nameOfB($0)) }
    magnitude = product.isDecomposed ? names.map { gradients.view(Adapter.nameOfMagnitude($0)) } : []
  }
}
