import Kernels

/// DoRA's norms: g = m/‖W₀ + s·B·A‖ of each output row, without W₀ + s·B·A ever being there.
extension Adapter {
  /// Before the first pass over `base`: the norms of its rows.
  package func measure(_ base: ParameterArena, _ pool: ThreadPool) {
    guard settings.isWeightDecomposed else { return }
    for module in modules {
      guard let squares = module.squares else { continue }
      let weights = base.view(module.linear.weightName)
      let inputs = module.linear.inputs
      pool.run(module.linear.outputs) { row in
        var sum = 0.0
        for i in 0..<inputs { sum += Double(weights[row * inputs + i]) * Double(weights[row * inputs + i]) }
        squares[row] = sum
      }
    }
    refresh(base, pool)
  }

  /// After A, B or m has changed. ‖W₀ + s·B·A‖² of row o is ‖W₀ₒ‖² + 2s·Bₒ·(A·W₀ₒᵀ) + s²·Bₒ·(A·Aᵀ)·Bₒᵀ.
  package func refresh(_ base: ParameterArena, _ pool: ThreadPool) {
    guard settings.isWeightDecomposed else { return }
    for module in modules { module.refresh(base.view(module.linear.weightName), pool) }
  }

  /// m of an adapter that changes nothing: the norms of the base's rows.
  func setMagnitudes() {
    for module in modules {
      guard let magnitude = module.magnitude, let squares = module.squares else { continue }
      for row in 0..<module.linear.outputs { magnitude[row] = Float(squares[row].squareRoot()) }
    }
  }
}

extension Adapter.Module {
  fileprivate func refresh(_ weights: Floats, _ pool: ThreadPool) {
    guard let magnitude, let gain, let inverseNorm, let squares else { return }
    let (rank, inputs) = (rank, linear.inputs)
    let cross = FloatBuffer(count: linear.outputs * rank)
    let gram = FloatBuffer(count: rank * rank)
    gemm(
      pool, m: linear.outputs, n: rank, k: inputs, a: weights, lda: inputs, transA: .no, b: a, ldb: inputs, transB: .yes,
      c: cross.pointer, ldc: rank, accumulate: false)
    gemm(
      pool, m: rank, n: rank, k: inputs, a: a, lda: inputs, transA: .no, b: a, ldb: inputs, transB: .yes, c: gram.pointer, ldc: rank,
      accumulate: false)
    let s = Double(scale)
    pool.run(linear.outputs) { row in
      let factors = b + row * rank
      var (linearTerm, squareTerm) = (0.0, 0.0)
      for i in 0..<rank {
        linearTerm += Double(factors[i]) * Double(cross.pointer[row * rank + i])
        var product = 0.0
        for j in 0..<rank { product += Double(gram.pointer[i * rank + j]) * Double(factors[j]) }
        squareTerm += Double(factors[i]) * product
      }
      let norm = max(squares[row] + 2 * s * linearTerm + s * s * squareTerm, 0).squareRoot()
      inverseNorm[row] = Float(1 / norm)
      gain[row] = Float(Double(magnitude[row]) / norm)
    }
    withExtendedLifetime((cross, gram)) {}
  }
}
