import Kernels
import Modeling
import Testing

/// No bit of a model under adapters depends on the batch, the threads, how the base is stored, or which of the passes computes it.
@Suite struct AdapterInvarianceTests {
  private static let lengths = [33, 1, 17, 64, 5, 2]

  enum Kind: String, CaseIterable, Sendable {
    case lora
    case dora
    case stacked
  }

  private func model(_ kind: Kind, _ family: ModelConfiguration.Family, threads: Int = 2, packed: Bool = false) throws -> Transformer {
    let tiny = TinyModel(family, tied: true, threads: threads, packed: packed)
    switch kind {
    case .lora: return try tiny.adapted([tiny.adapter { $0.isRankStabilized = true }])
    case .dora: return try tiny.adapted([tiny.adapter { $0.isWeightDecomposed = true }])
    case .stacked:
      return try tiny.adapted([
        tiny.adapter { $0.targets = .suffixes(["k_proj", "down_proj"]) },
        tiny.adapter(seed: 4) { $0.targets = .suffixes(["q_proj", "k_proj"]) },
      ])
    }
  }

  private func logProbabilities(_ model: Transformer, _ records: [[Int32]], _ purpose: Activations.Purpose = .inference) -> [Float] {
    let batch = TokenBatch(records)
    let targets = Targets.all(of: batch)
    return model.logProbabilities(
      batch, targets, Activations(model.configuration, tokens: batch.count, targets: targets.count, purpose: purpose))
  }

  @Test(arguments: Kind.allCases, ModelConfiguration.Family.allCases)
  func `batch, threads, packing and purpose move no bit`(kind: Kind, family: ModelConfiguration.Family) throws {
    let records = TinyModel.records(Self.lengths)
    let one = try model(kind, family, threads: 1)
    let expected = logProbabilities(one, records)
    #expect(records.flatMap { logProbabilities(one, [$0]) } == expected)
    #expect(logProbabilities(try model(kind, family, threads: 3), records) == expected)
    #expect(logProbabilities(try model(kind, family, packed: true), records) == expected)
    #expect(logProbabilities(one, records, .training) == expected)
    #expect(logProbabilities(TinyModel(family, tied: true).model, records) != expected)
  }

  @Test(arguments: Kind.allCases, ModelConfiguration.Family.allCases)
  func `decoding gives the bits of the forward pass`(kind: Kind, family: ModelConfiguration.Family) throws {
    let model = try model(kind, family, packed: true)
    let records = TinyModel.records([9, 5, 12])
    let expected = model.allLogits(TokenBatch(records))
    let cache = KeyValueCache(model.configuration, slots: 3, capacity: 16)
    let activations = Activations(model.configuration, tokens: 64, targets: 64, purpose: .inference)
    let prefixes = KeyValueCache(model.configuration, slots: 3, capacity: 16)
    model.prefill(TokenBatch(records.map { Array($0.prefix(2)) }), slots: [0, 1, 2], prefixes, activations)
    let vocabulary = model.configuration.vocabularySize
    for position in 2..<12 {
      let live = records.indices.filter { records[$0].count > position }
      let rows = live.map {
        DecodingRow(token: records[$0][position], prefixSlot: $0, prefixCount: 2, ownSlot: $0, ownCount: position - 2)
      }
      model.decode(rows, prefixes: prefixes, own: cache, activations)
      model.logits(after: live.indices.map { Int32($0) }, activations) { range, logits in
        for index in range {
          let row = records.prefix(live[index]).reduce(0) { $0 + $1.count } + position
          let ours = Array(UnsafeBufferPointer(start: logits + (index - range.lowerBound) * vocabulary, count: vocabulary))
          #expect(ours == Array(expected[row * vocabulary..<(row + 1) * vocabulary]))
        }
      }
    }
  }

  @Test(arguments: Kind.allCases)
  func `gradients with dropout have the same bits with any number of threads`(kind: Kind) throws {
    let batch = TokenBatch(TinyModel.records(Self.lengths))
    let targets = Targets.all(of: batch)
    let gradients = try [1, 2, 5].map { threads in
      let model = try model(kind, .qwen2, threads: threads)
      let activations = Activations(model.configuration, tokens: batch.count + 9, targets: targets.count, purpose: .training)
      let arena = ParameterArena(try #require(model.weights.adapters.adapters.last).arena.layout)
      _ = model.train(
        batch, targets, .meanNegativeLogLikelihood, activations, gradients: arena, dropout: DropoutDraw(seed: 1, step: 2, microBatch: 0))
      return Array(arena.buffer.elements)
    }
    #expect(gradients[0] == gradients[1])
    #expect(gradients[0] == gradients[2])
  }

  @Test func `a new adapter changes no probability beyond rounding, and LoRA none at all`() throws {
    let tiny = TinyModel(.qwen3, tied: false)
    let records = TinyModel.records(Self.lengths)
    let plain = logProbabilities(tiny.model, records)
    let settings = LoRASettings()
    let fresh = try Adapter.fresh(settings, on: tiny.arena, tiny.configuration, seed: 1, tiny.model.pool)
    #expect(logProbabilities(try tiny.adapted([fresh]), records) == plain)
    var dora = settings
    dora.isWeightDecomposed = true
    let decomposed = try Adapter.fresh(dora, on: tiny.arena, tiny.configuration, seed: 1, tiny.model.pool)
    #expect(distance(logProbabilities(try tiny.adapted([decomposed]), records), plain) < 1e-5)
  }
}
