import Kernels
import Modeling

/// What a model makes of target tokens, one by one, in the order of `TargetPasses.places`.
package struct TargetScores: Sendable, Equatable {
  /// Natural.
  package private(set) var logProbabilities: [Float]
  /// 1 where no token of the vocabulary is likelier.
  package private(set) var ranks: [Int32]
  /// Of the distribution over the vocabulary, in nats.
  package private(set) var entropies: [Float]

  /// `progress`: passes done; may throw to stop.
  package init(_ transformer: Transformer, _ targets: TargetPasses, progress: (Int) throws -> Void = { _ in }) throws {
    let count = targets.places.count
    let (logs, entropies) = (FloatBuffer(count: count), FloatBuffer(count: count))
    let ranks = UnsafeMutableBufferPointer<Int32>.allocate(capacity: max(count, 1))
    defer { ranks.deallocate() }
    ranks.initialize(repeating: 0)
    let activations = targets.activations(transformer.configuration)
    let width = transformer.configuration.vocabularySize
    for (index, pass) in targets.passes.enumerated() {
      transformer.forward(pass.batch, activations)
      transformer.logits(after: pass.rows, activations) { rows, logits in
        transformer.pool.run(rows.count) { i in
          let target = pass.range.lowerBound + rows.lowerBound + i
          let row = logits + i * width
          let value = row[Int(targets.places[target].token)]
          var higher: Int32 = 0
          for j in 0..<width where row[j] > value { higher += 1 }
          ranks[target] = higher + 1
          let largest = VectorMath.max(row, count: width)
          let normalizer = VectorMath.logSumExp(row, count: width)
          logs.pointer[target] = min(0, value - normalizer)
          // H = log Σ eˣ − Σ p x, with x taken from the largest, so that sure places lose no digits.
          for j in 0..<width { row[j] -= largest }
          entropies.pointer[target] = Entropy.of(row, width)
        }
      }
      try progress(index + 1)
    }
    logProbabilities = Array(UnsafeBufferPointer(start: logs.pointer, count: count))
    self.entropies = Array(UnsafeBufferPointer(start: entropies.pointer, count: count))
    self.ranks = Array(ranks.prefix(count))
  }

  package func probability(_ target: Int) -> Double { PortableMath.exp(Double(logProbabilities[target])) }

  package var probabilities: [Double] { logProbabilities.indices.map(probability) }
}
