/// Cosines and sines of the rotary embedding: angle(position, pair) = position·frequency[pair], computed in Float as the reference
/// implementations do, then cos and sin in Double. Shapes: cos, sin (positions, pairs).
package final class RotaryTable: Sendable {
  package let positions: Int
  /// Half the head dimension.
  package let pairs: Int
  let cosines: FloatBuffer
  let sines: FloatBuffer

  /// `frequencies`: radians a position, one for each pair.
  package init(_ pool: ThreadPool, positions: Int, frequencies: [Float]) {
    self.positions = positions
    pairs = frequencies.count
    cosines = FloatBuffer(count: positions * pairs)
    sines = FloatBuffer(count: positions * pairs)
    pool.run(RowPartition(rows: positions, rowsPerTask: 256)) { _, range in
      for position in range {
        for (pair, frequency) in frequencies.enumerated() {
          let angle = Double(Float(position) * frequency)
          cosines.pointer[position * pairs + pair] = Float(VectorMath.cos(angle))
          sines.pointer[position * pairs + pair] = Float(VectorMath.sin(angle))
        }
      }
    }
  }

  /// θ^(−2i/dimension) for i in 0..<dimension/2.
  package static func frequencies(dimension: Int, theta: Double) -> [Double] {
    (0..<dimension / 2).map { VectorMath.pow(theta, -Double(2 * $0) / Double(dimension)) }
  }
}
