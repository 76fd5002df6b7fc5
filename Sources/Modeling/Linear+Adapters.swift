import Kernels

/// The backward pass of a product with adapters. With z = x·W₀ᵀ + Σ s·(x·Aᵀ)·Bᵀ, y = z or g ⊙ z; so dz = dy or g ⊙ dy, and
/// dx = dz·W₀ + Σ (s·dz·B)·A. W₀ has no gradient here.
extension Linear {
  /// What may become of dy.
  enum Slope {
    case kept
    /// May be overwritten with dz.
    case consumed
  }

  /// x (rows, inputs), dy (rows, outputs), dx (rows, inputs), which may be where x is. `gradients`: of the last adapter, nil where this
  /// product has none that train.
  func backward(
    _ pool: ThreadPool, rows: Int, x: Floats, dy: Floats, _ use: Slope, dx: Floats, _ gradients: LowRankGradients?, _ pass: AdapterPass
  ) {
    guard case .plain(let w) = weight else { preconditionFailure("backward needs weights in an arena") }
    let du = pass.memory.floats(.lowSlope, width: adapters.map(\.rank).max() ?? 0)
    let dz: Floats
    if let trained = adapters.last, let gradients {
      let u = pass.memory.floats(.low, width: trained.rank)
      let input = trained.input(pool, rows: rows, x: x, ldx: inputs, pass)
      trained.low(pool, rows: rows, x: input.x, ldx: input.ldx, u: u)
      if trained.isDecomposed { backwardMagnitudes(pool, rows: rows, trained, x: x, u: u, dy: dy, gradients, pass) }
      dz = decomposed(pool, rows: rows, dy, use, pass)
      trained.lowSlope(pool, rows: rows, dz: dz, width: outputs, du: du)
      trained.backwardWeights(
        pool, rows: rows, x: input.x, ldx: input.ldx, u: u, du: du, dz: dz, width: outputs, gradients)
    } else {
      dz = decomposed(pool, rows: rows, dy, use, pass)
      adapters.last?.lowSlope(pool, rows: rows, dz: dz, width: outputs, du: du)
    }
    Self.backwardInput(pool, rows: rows, outputs: outputs, inputs: inputs, dy: dz, w: w, dx: dx)
    adapters.last?.backwardInput(pool, rows: rows, du: du, dx: dx, pass)
    for frozen in adapters.dropLast() {
      frozen.lowSlope(pool, rows: rows, dz: dz, width: outputs, du: du)
      frozen.backwardInput(pool, rows: rows, du: du, dx: dx, pass)
    }
  }

  /// dz = g ⊙ dy, or dy itself without DoRA.
  private func decomposed(_ pool: ThreadPool, rows: Int, _ dy: Floats, _ use: Slope, _ pass: AdapterPass) -> Floats {
    guard let decomposition else { return dy }
    let dz = use == .consumed ? dy : pass.memory.floats(.product, width: outputs)
    decomposition.forward(pool, rows: rows, z: dy, y: dz, ldy: outputs, accumulate: false)
    return dz
  }

  /// z again, a block of rows at a time, for the slopes of the magnitudes.
  private func backwardMagnitudes(
    _ pool: ThreadPool, rows: Int, _ product: LowRankProduct, x: Floats, u: Floats, dy: Floats, _ gradients: LowRankGradients,
    _ pass: AdapterPass
  ) {
    guard let decomposition else { return }
    let z = pass.memory.floats(.block, width: outputs, rows: WeightDecomposition.blockRows)
    for start in stride(from: 0, to: rows, by: WeightDecomposition.blockRows) {
      let count = min(rows - start, WeightDecomposition.blockRows)
      multiply(pool, rows: count, x: x + start * inputs, ldx: inputs, y: z, ldy: outputs, accumulate: false)
      product.add(pool, rows: count, u: u + start * product.rank, y: z, ldy: outputs)
      decomposition.backward(pool, rows: count, dy: dy + start * outputs, z: z, gradients: gradients.magnitude)
    }
  }
}
