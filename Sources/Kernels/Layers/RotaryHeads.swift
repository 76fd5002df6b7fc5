/// What happens to query and key heads between their product and attention: Qwen3's RMSNorm of each head (where γ is given), then the
/// rotation of the pairs (i, i + d/2): y₁ = x₁·cos − x₂·sin, y₂ = x₂·cos + x₁·sin.
/// Shapes: rows of `heads` heads of `dimension` floats, `ld` floats from row to row; positions (rows).
package struct RotaryHeads: Sendable {
  package let heads: Int
  package let dimension: Int
  package let epsilon: Float
  package let table: RotaryTable

  private static let rowsPerTask = 32

  package init(heads: Int, dimension: Int, epsilon: Float, table: RotaryTable) {
    precondition(table.pairs * 2 == dimension, "rotary table of \(table.pairs) pairs for heads of \(dimension)")
    self.heads = heads
    self.dimension = dimension
    self.epsilon = epsilon
    self.table = table
  }

  /// Floats of scratch that `backward` wants.
  package func scratchCount(rows: Int) -> Int { RowPartition(rows: rows, rowsPerTask: Self.rowsPerTask).tasks * dimension }

  /// `y` may be `x` itself.
  package func forward(
    _ pool: ThreadPool, rows: Int, positions: UnsafePointer<Int32>, x: Floats, ldx: Int, gamma: Floats?, y: Floats, ldy: Int
  ) {
    let angles = table.angles(pool, rows, positions)
    pool.run(RowPartition(rows: rows, rowsPerTask: Self.rowsPerTask)) { _, range in
      for row in range {
        for head in 0..<heads {
          let source = x + row * ldx + head * dimension
          let target = y + row * ldy + head * dimension
          if let gamma {
            RMSNorm.normalizeRow(source, gamma, epsilon, target, dimension)
            rotate(target, target, angles, Int(positions[row]), 1)
          } else {
            rotate(source, target, angles, Int(positions[row]), 1)
          }
        }
      }
    }
  }

  /// In place: `dy` becomes dx. The rotation turned back, then the norm's backward from the unnormalised `x` (wanted only with γ).
  package func backward(
    _ pool: ThreadPool, rows: Int, positions: UnsafePointer<Int32>, x: Floats, ldx: Int, gamma: Floats?, dy: Floats, ldy: Int,
    dgamma: Floats?, scratch: Floats
  ) {
    let partition = RowPartition(rows: rows, rowsPerTask: Self.rowsPerTask)
    let angles = table.angles(pool, rows, positions)
    pool.run(partition) { task, range in
      let partial = scratch + task * dimension
      partial.update(repeating: 0, count: dimension)
      for row in range {
        for head in 0..<heads {
          let slope = dy + row * ldy + head * dimension
          rotate(slope, slope, angles, Int(positions[row]), -1)
          if let gamma { normalizeBackward(x + row * ldx + head * dimension, gamma, slope, partial) }
        }
      }
    }
    guard gamma != nil, let dgamma else { return }
    for task in 0..<partition.tasks {
      let partial = scratch + task * dimension
      for i in 0..<dimension { dgamma[i] += partial[i] }
    }
  }

  @inline(__always)
  private func rotate(_ x: Floats, _ y: Floats, _ angles: RotaryTable.Angles, _ position: Int, _ direction: Float) {
    let half = dimension / 2
    let cosines = angles.cosines.pointer + position * half
    let sines = angles.sines.pointer + position * half
    var i = 0
    while i + 8 <= half {
      let (left, right) = (load8(x, i), load8(x, i + half))
      let (cosine, sine) = (load8(cosines, i), load8(sines, i) * direction)
      store8(left * cosine - right * sine, y, i)
      store8(right * cosine + left * sine, y, i + half)
      i += 8
    }
    while i < half {
      let (left, right) = (x[i], x[i + half])
      let sine = direction * sines[i]
      y[i] = left * cosines[i] - right * sine
      y[i + half] = right * cosines[i] + left * sine
      i += 1
    }
  }

  /// dx = s·γ·dy − x·s³/d · Σ(γ·dy·x), over dy.
  @inline(__always)
  private func normalizeBackward(_ x: Floats, _ gamma: Floats, _ dy: Floats, _ dgamma: Floats) {
    let s = RMSNorm.inverseDeviation(x, epsilon, dimension)
    let pull = s * s * s / Float(dimension) * rowTripleDot(gamma, dy, x, dimension)
    for i in 0..<dimension {
      let slope = dy[i]
      dgamma[i] += slope * (x[i] * s)
      dy[i] = s * (gamma[i] * slope) - x[i] * pull
    }
  }
}
