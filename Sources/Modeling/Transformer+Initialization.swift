import Kernels

extension Transformer {
  /// Fresh parameters as Hugging Face draws them: matrices and embeddings normal(0, `standardDeviation`), biases 0, norms 1. Each tensor
  /// has its own random stream, named after it, so a model with more layers begins with the same first ones.
  package static func initialize(_ arena: ParameterArena, seed: UInt64, standardDeviation: Double = 0.02, pool: ThreadPool) {
    arena.buffer.clear()
    let entries = arena.layout.entries
    pool.run(entries.count) { index in
      let entry = entries[index]
      let values = arena.pointer + entry.offset
      if entry.shape.count > 1 {
        let random = Philox(seed: seed, name: "initialisation/" + entry.name)
        random.fillNormal(values, count: entry.count, standardDeviation: standardDeviation)
      } else if !entry.name.hasSuffix(".bias") {
        values.update(repeating: 1, count: entry.count)
      }
    }
  }
}
