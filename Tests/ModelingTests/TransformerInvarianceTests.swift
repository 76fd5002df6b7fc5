import Kernels
import Modeling
import Testing

/// No bit of a record's result depends on what else is in the batch, on the number of threads, or on how the weights are stored.
@Suite struct TransformerInvarianceTests {
  private static let lengths = [33, 1, 17, 64, 5, 2]

  private func logProbabilities(_ tiny: TinyModel, _ records: [[Int32]]) -> [Float] {
    let batch = TokenBatch(records)
    let targets = Targets.all(of: batch)
    let activations = Activations(tiny.configuration, tokens: batch.count, targets: targets.count, purpose: .inference)
    return tiny.model.logProbabilities(batch, targets, activations)
  }

  @Test(arguments: ModelConfiguration.Family.allCases)
  func `a record alone gives the bits of the record in a pack`(family: ModelConfiguration.Family) {
    let tiny = TinyModel(family, tied: false)
    let records = TinyModel.records(Self.lengths)
    let alone = records.flatMap { logProbabilities(tiny, [$0]) }
    #expect(logProbabilities(tiny, records) == alone)
    #expect(logProbabilities(tiny, records.reversed()).count == alone.count)
  }

  @Test(arguments: ModelConfiguration.Family.allCases)
  func `the number of threads and packed weights change no bit`(family: ModelConfiguration.Family) {
    let records = TinyModel.records(Self.lengths)
    let one = logProbabilities(TinyModel(family, tied: true, threads: 1), records)
    #expect(logProbabilities(TinyModel(family, tied: true, threads: 3), records) == one)
    #expect(logProbabilities(TinyModel(family, tied: true, threads: 2, packed: true), records) == one)
  }

  @Test(arguments: ModelConfiguration.Family.allCases)
  func `gradients have the same bits with any number of threads`(family: ModelConfiguration.Family) {
    let batch = TokenBatch(TinyModel.records(Self.lengths))
    let targets = Targets.all(of: batch)
    let gradients = [1, 2, 5].map { threads in
      let tiny = TinyModel(family, tied: true, threads: threads)
      let activations = Activations(tiny.configuration, tokens: batch.count + 9, targets: targets.count, purpose: .training)
      let arena = ParameterArena(tiny.configuration)
      _ = tiny.model.train(batch, targets, .meanNegativeLogLikelihood, activations, gradients: arena)
      return Array(arena.buffer.elements)
    }
    #expect(gradients[0] == gradients[1])
    #expect(gradients[0] == gradients[2])
  }

  @Test func `a training pass and an inference pass agree in every bit`() {
    let tiny = TinyModel(.qwen3, tied: true)
    let batch = TokenBatch(TinyModel.records(Self.lengths))
    let targets = Targets.all(of: batch)
    let values = [Activations.Purpose.training, .inference].map { purpose in
      tiny.model.logProbabilities(batch, targets, Activations(tiny.configuration, tokens: 200, targets: 200, purpose: purpose))
    }
    #expect(values[0] == values[1])
  }
}
