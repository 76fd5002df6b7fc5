import Kernels
import Modeling
import Testing

/// Completions behind one prompt's rows, against each prompt and completion written out as a record of its own.
@Suite struct SharedPromptTests {
  typealias Family = ModelConfiguration.Family

  private struct Prompt {
    let ids: [Int32]
    let completions: [[Int32]]
  }

  /// Prompts that end before, on and after the border of a block of keys, completions from one token up.
  private static let prompts: [Prompt] = {
    let shapes: [(Int, [Int])] = [(7, [5, 1, 13]), (95, [3, 40]), (1, [1, 2]), (20, [90]), (96, [2, 1])]
    return shapes.enumerated().map { number, shape in
      let ids = TinyModel.records([shape.0] + shape.1, seed: UInt64(20 + number))
      return Prompt(ids: ids[0], completions: Array(ids.dropFirst()))
    }
  }()

  private static func shared(_ prompts: [Prompt] = prompts) -> (TokenBatch, Targets) {
    var (batch, targets) = (TokenBatch(), Targets())
    for prompt in prompts { _ = targets.append(prompt: prompt.ids, completions: prompt.completions, to: &batch) }
    return (batch, targets)
  }

  private static func written() -> (TokenBatch, Targets) {
    var (batch, targets) = (TokenBatch(), Targets())
    for prompt in prompts {
      for completion in prompt.completions {
        for (index, token) in completion.enumerated() { targets.append(row: batch.count + prompt.ids.count - 1 + index, token: token) }
        batch.append(prompt.ids + completion)
      }
    }
    return (batch, targets)
  }

  /// A loss that differs from target to target and needs all of them first, as policy losses do.
  private static var loss: TokenLoss {
    TokenLoss(scope: .batch) { statistics, range, slopes in
      for (index, target) in range.enumerated() {
        slopes[index] = (Float(target % 3) - 1.4) * VectorMath.exp(statistics.logProbabilities[target]) / Float(statistics.count)
      }
    }
  }

  /// In the order of the arena.
  private func gradients(_ tiny: TinyModel, _ work: (TokenBatch, Targets), temperature: Float = 1) -> [Float] {
    let activations = Activations(tiny.configuration, tokens: work.0.count, targets: work.1.count, purpose: .training)
    let arena = ParameterArena(tiny.configuration)
    _ = tiny.model.train(work.0, work.1, Self.loss, activations, gradients: arena, temperature: temperature)
    return withExtendedLifetime(arena) { Array(arena.buffer.elements) }
  }

  private func logProbabilities(_ tiny: TinyModel, _ work: (TokenBatch, Targets), temperature: Float = 1) -> [Float] {
    let activations = Activations(tiny.configuration, tokens: work.0.count, targets: work.1.count, purpose: .inference)
    return tiny.model.logProbabilities(work.0, work.1, activations, temperature: temperature)
  }

  // MARK: - Rows

  @Test func `a prompt's rows are there once, and its completions' positions go on from it`() {
    var (batch, targets) = (TokenBatch([[9, 8]]), Targets())
    let group = batch.append(prompt: [1, 2, 3], continuations: [[4, 5], [], [6]])
    #expect(batch.tokens == [9, 8, 1, 2, 3, 4, 5, 6] && batch.positions == [0, 1, 0, 1, 2, 3, 4, 3])
    #expect(group.prompt == 2..<5 && group.continuations == [5..<7, 7..<7, 7..<8])
    #expect(batch.prompts == [0, 1, 1, 1] && batch.longestSequence == 5)

    let all = Targets.all(of: batch)
    #expect(all.rows == [0, 2, 3, 4, 5, 4] && all.tokens == [8, 2, 3, 4, 5, 6])

    let ranges = targets.append(prompt: [7, 7], completions: [[1], [], [2, 3, 4]], to: &batch)
    #expect(batch.count == 12 && batch.tokens.suffix(4) == [7, 7, 2, 3], "a last token gets no row")
    #expect(ranges == [0..<1, 1..<1, 1..<4] && targets.rows == [9, 9, 10, 11] && targets.tokens == [1, 2, 3, 4])
  }

  @Test func `continuations of nothing are records`() {
    var batch = TokenBatch()
    batch.append(prompt: [], continuations: [[1, 2], [3]])
    #expect(batch.prompts == [0, 1] && batch.positions == [0, 1, 0])
  }

  // MARK: - Values

  @Test(arguments: Family.allCases, [1, 0.7] as [Float])
  func `log-probs are the bits of the records written out, with packed weights too`(family: Family, temperature: Float) {
    let expected = logProbabilities(TinyModel(family, tied: true), Self.written(), temperature: temperature)
    for (threads, packed) in [(1, false), (2, true), (3, false)] {
      let tiny = TinyModel(family, tied: true, threads: threads, packed: packed)
      #expect(logProbabilities(tiny, Self.shared(), temperature: temperature) == expected)
    }
  }

  @Test(arguments: Family.allCases, [true, false])
  func `gradients are those of the records written out`(family: Family, tied: Bool) {
    let tiny = TinyModel(family, tied: tied)
    let shared = gradients(tiny, Self.shared(), temperature: 0.8)
    let written = gradients(tiny, Self.written(), temperature: 0.8)
    for entry in tiny.arena.layout.entries {
      var (difference, norm) = (0.0, 0.0)
      for i in entry.offset..<entry.offset + entry.count {
        difference += Double((shared[i] - written[i]) * (shared[i] - written[i]))
        norm += Double(written[i] * written[i])
      }
      #expect(difference.squareRoot() <= 1e-5 * norm.squareRoot(), "\(entry.name)")
    }
  }

  @Test(arguments: Family.allCases)
  func `the number of threads changes no bit of a gradient`(family: Family) {
    let all = [1, 2, 3].map { gradients(TinyModel(family, tied: true, threads: $0), Self.shared()) }
    #expect(all[0] == all[1] && all[0] == all[2])
  }

  @Test func `a group's log-probs do not depend on the other groups`() {
    let tiny = TinyModel(.qwen3, tied: true)
    let alone = Self.prompts.flatMap { logProbabilities(tiny, Self.shared([$0])) }
    #expect(logProbabilities(tiny, Self.shared()) == alone)
  }

  // MARK: - Slopes

  @Test(arguments: Family.allCases, [1, 1.6] as [Float])
  func `every tensor's gradient is the slope of the loss behind prompts, at a temperature`(family: Family, temperature: Float) {
    let tiny = TinyModel(family, tied: false)
    let (batch, targets) = Self.shared()
    let activations = Activations(tiny.configuration, tokens: batch.count, targets: targets.count, purpose: .training)
    let gradients = ParameterArena(tiny.configuration)
    _ = tiny.model.train(batch, targets, .meanNegativeLogLikelihood, activations, gradients: gradients, temperature: temperature)
    expectSlopes(gradients, of: tiny) {
      let values = tiny.model.logProbabilities(batch, targets, activations, temperature: temperature)
      return -values.reduce(0.0) { $0 + Double($1) } / Double(values.count)
    }
  }

  /// The head's part of that: log p at a temperature is log p of logits that a smaller head gives.
  @Test func `a temperature is a smaller head`() {
    let (warm, plain) = (TinyModel(.llama, tied: false), TinyModel(.llama, tied: false))
    let head = plain.arena.view("lm_head.weight")
    for i in 0..<61 * 32 { head[i] /= 2 }
    #expect(logProbabilities(warm, Self.shared(), temperature: 2) == logProbabilities(plain, Self.shared()))
    let (a, b) = (gradients(warm, Self.shared(), temperature: 2), gradients(plain, Self.shared()))
    for entry in warm.arena.layout.entries {
      let factor: Float = entry.name == "lm_head.weight" ? 0.5 : 1
      #expect((entry.offset..<entry.offset + entry.count).allSatisfy { a[$0] == factor * b[$0] }, "\(entry.name)")
    }
  }
}
