import Synchronization

/// Cosines and sines of the rotary embedding: angle(position, pair) = position·frequency[pair], computed in Float as the reference
/// implementations do, then cos and sin in Double.
///
/// A model's file says how many positions there may be, not how many there are, so the table grows with the positions that are asked for.
package final class RotaryTable: Sendable {
  /// As far as it may grow.
  package let positions: Int
  /// Half the head dimension.
  package var pairs: Int { frequencies.count }
  private let frequencies: [Float]
  private let tabulated: Mutex<Angles>

  /// Shapes: cosines, sines (positions, pairs).
  struct Angles: Sendable {
    let positions: Int
    let cosines: FloatBuffer
    let sines: FloatBuffer

    init(positions: Int, pairs: Int) {
      self.positions = positions
      cosines = FloatBuffer(count: positions * pairs)
      sines = FloatBuffer(count: positions * pairs)
    }
  }

  /// `frequencies`: radians a position, one for each pair.
  package init(positions: Int, frequencies: [Float]) {
    self.positions = positions
    self.frequencies = frequencies
    tabulated = Mutex(Angles(positions: 0, pairs: 0))
  }

  /// The angles of all positions up to the last of these.
  func angles(_ pool: ThreadPool, _ rows: Int, _ positions: UnsafePointer<Int32>) -> Angles {
    let needed = 1 + Int((0..<rows).reduce(0) { max($0, positions[$1]) })
    precondition(needed <= self.positions, "position \(needed - 1) in a rotary table for \(self.positions)")
    return tabulated.withLock { angles in
      if angles.positions < needed { angles = tabulate(pool, min(self.positions, max(needed, 2 * angles.positions))) }
      return angles
    }
  }

  private func tabulate(_ pool: ThreadPool, _ count: Int) -> Angles {
    let angles = Angles(positions: count, pairs: pairs)
    pool.run(RowPartition(rows: count, rowsPerTask: 256)) { _, range in
      for position in range {
        for (pair, frequency) in frequencies.enumerated() {
          let angle = Double(Float(position) * frequency)
          angles.cosines.pointer[position * pairs + pair] = Float(VectorMath.cos(angle))
          angles.sines.pointer[position * pairs + pair] = Float(VectorMath.sin(angle))
        }
      }
    }
    return angles
  }

  /// θ^(−2i/dimension) for i in 0..<dimension/2.
  package static func frequencies(dimension: Int, theta: Double) -> [Double] {
    (0..<dimension / 2).map { VectorMath.pow(theta, -Double(2 * $0) / Double(dimension)) }
  }
}
