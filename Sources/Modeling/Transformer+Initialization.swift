import Kernels

extension Transformer {
  /// Fresh parameters as Hugging Face draws them: matrices and embeddings normal(0, `standardDeviation`), biases 0, norms 1. Each tensor
  /// has its own random stream, named after it, so a model with more layers begins with the same first ones.
  package static func initialize(_ arena: ParameterArena, seed: UInt64, standardDeviation: Double = 0.02, pool: ThreadPool) {
    arena.buffer.clear()
    let parts = arena.layout.entries.flatMap { entry in
      stride(from: 0, to: entry.count, by: partSize).map { (entry: entry, range: $0..<min(entry.count, $0 + partSize)) }
    }
    pool.run(parts.count) { index in
      let (entry, range) = parts[index]
      let values = arena.pointer + entry.offset + range.lowerBound
      if entry.shape.count > 1 {
        let random = Philox(seed: seed, name: "initialisation/" + entry.name)
        random.fillNormal(values, count: range.count, standardDeviation: standardDeviation, first: UInt64(range.lowerBound))
      } else if !entry.name.hasSuffix(".bias") {
        values.update(repeating: 1, count: range.count)
      }
    }
  }

  private static let partSize = 1 << 18
}
