import Kernels
import Modeling

/// The state of one generation: which prompts are cached, which sequences run in which slots, what they have produced.
struct GenerationRun {
  private typealias Sequence = GeneratedSequence

  /// What is asked for each prompt.
  struct Request {
    let prompts: [[Int32]]
    let samples: Int
    let greedy: Bool
    /// Of each prompt; nil for their places.
    let numbers: [Int]?

    var sequences: Int { samples + (greedy ? 1 : 0) }
    func number(_ prompt: Int) -> Int { numbers?[prompt] ?? prompt }
  }

  private let model: Transformer
  private let sampler: Sampler
  private let limits: GenerationLimits
  private let excluded: [Int32]
  private let request: Request
  private let prefillTokens: Int

  private let parts: GenerationMemory.Parts

  private(set) var progress = Generator.Progress()
  /// Prompts whose last sequence ended in this step.
  private(set) var ended: [Int] = []
  private var completions: [[Completion]]
  private var nextPrompt = 0
  private var freePrefixes: [Int]
  private var freeSlots: [Int]
  /// Sequences of a prompt that are not finished.
  private var pending: [Int]
  private var running: [Sequence] = []
  /// Sequences with their first token drawn, waiting for a slot.
  private var ready: [Sequence] = []

  init(
    model: Transformer, sampling: SamplingSettings, limits: GenerationLimits, request: Request, batchSize: Int, prefillTokens: Int,
    memory: GenerationMemory
  ) {
    let c = model.configuration
    let prompts = request.prompts
    let longest = prompts.map(\.count).max() ?? 0
    let batchSize = min(batchSize, prompts.count * request.sequences)
    self.model = model
    sampler = Sampler(settings: sampling)
    self.limits = limits
    excluded = limits.minNewTokens > 0 ? limits.stopTokens.filter { $0 >= 0 && $0 < c.vocabularySize }.sorted() : []
    self.request = request
    self.prefillTokens = min(max(longest, prefillTokens), max(longest, batchSize * longest))
    let promptSlots = min(batchSize, prompts.count)
    parts = memory.parts(
      c, tokens: max(self.prefillTokens, batchSize), targets: batchSize, prefixes: (promptSlots, longest),
      own: (batchSize, limits.maxNewTokens))
    completions = prompts.map { _ in [] }
    freePrefixes = Array((0..<promptSlots).reversed())
    freeSlots = Array((0..<batchSize).reversed())
    pending = [Int](repeating: request.sequences, count: prompts.count)
  }

  var isFinished: Bool { progress.finished == request.prompts.count * request.sequences }

  /// Fills free slots, then one token of every running sequence.
  mutating func step() {
    ended.removeAll(keepingCapacity: true)
    refill()
    guard !running.isEmpty else { return }
    model.decode(running.map(\.row), prefixes: parts.prefixes, own: parts.own, parts.activations)
    let draws = draw(running, rows: running.indices.map { Int32($0) })
    progress.steps += 1
    var kept = 0
    for index in running.indices {
      running[index].row.ownCount += 1
      if record(draws[index], of: running[index]) {
        freeSlots.append(running[index].row.ownSlot)
      } else {
        if kept < index { running.swapAt(kept, index) }
        kept += 1
      }
    }
    running.removeSubrange(kept...)
  }

  /// The completions of a prompt that has ended; they are given once.
  mutating func take(_ prompt: Int) -> (samples: [Completion], greedy: Completion?) {
    var all: [Completion] = []
    swap(&all, &completions[prompt])
    let greedy = request.greedy ? all.popLast() : nil
    return (all, greedy)
  }

  // MARK: - Filling slots

  /// Prompts are run in batches: a few ended sequences are waited for, unless nothing else is left to do.
  private mutating func refill() {
    admit()
    let slots = freeSlots.count + running.count
    while !freeSlots.isEmpty, nextPrompt < request.prompts.count, !freePrefixes.isEmpty,
      running.isEmpty || freeSlots.count * 8 >= slots
    {
      prefill()
      admit()
    }
  }

  private mutating func admit() {
    let count = min(freeSlots.count, ready.count)
    for sequence in ready.prefix(count) {
      sequence.row.ownSlot = freeSlots.removeLast()
      running.append(sequence)
    }
    ready.removeFirst(count)
  }

  /// Runs the next prompts, as many as there are slots for, and draws the first token of each of their sequences.
  private mutating func prefill() {
    var batch = TokenBatch()
    var chosen: [(prompt: Int, slot: Int)] = []
    while nextPrompt < request.prompts.count, let slot = freePrefixes.last,
      batch.count + request.prompts[nextPrompt].count <= prefillTokens,
      chosen.isEmpty || chosen.count * request.sequences < freeSlots.count
    {
      freePrefixes.removeLast()
      batch.append(request.prompts[nextPrompt])
      chosen.append((nextPrompt, slot))
      nextPrompt += 1
    }
    model.prefill(batch, slots: chosen.map(\.slot), parts.prefixes, parts.activations)
    progress.promptTokens += batch.count
    var sequences: [Sequence] = []
    for (prompt, slot) in chosen {
      completions[prompt] = [Completion](repeating: Completion(), count: request.sequences)
      sequences += (0..<request.sequences).map { first(prompt: prompt, slot: slot, sample: $0) }
    }
    let draws = draw(sequences, rows: batch.offsets.dropFirst().map { Int32($0 - 1) })
    for (sequence, draw) in zip(sequences, draws) where !record(draw, of: sequence) { ready.append(sequence) }
  }

  private func first(prompt: Int, slot: Int, sample: Int) -> Sequence {
    Sequence(
      prompt: prompt, sample: sample, isGreedy: sample == request.samples,
      random: Philox(seed: sampler.settings.seed, name: "sampling/\(request.number(prompt))/\(sample)"), rule: limits.makeStopRule?(),
      row: DecodingRow(token: 0, prefixSlot: slot, prefixCount: request.prompts[prompt].count, ownSlot: 0, ownCount: 0))
  }

  // MARK: - Tokens

  /// The next token of each sequence; as many of them in a row as there are for each of `rows` continue it.
  private func draw(_ sequences: [Sequence], rows: [Int32]) -> [Sampler.Draw] {
    let vocabulary = model.configuration.vocabularySize
    let each = sequences.count / rows.count
    return [Sampler.Draw](unsafeUninitializedCapacity: sequences.count) { draws, count in
      guard let draws = draws.baseAddress else { return }
      model.logits(after: rows, parts.activations) { range, logits in
        model.pool.run(range.count) { row in
          for index in (range.lowerBound + row) * each..<(range.lowerBound + row + 1) * each {
            (draws + index).initialize(to: draw(sequences[index], logits + row * vocabulary, vocabulary))
          }
        }
      }
      count = sequences.count
    }
  }

  private func draw(_ sequence: Sequence, _ logits: Floats, _ vocabulary: Int) -> Sampler.Draw {
    let position = sequence.completion.tokens.count
    return sampler.draw(
      logits, vocabulary, uniform: sequence.random.uniformDouble(UInt64(position)), greedy: sequence.isGreedy,
      excluding: position < limits.minNewTokens ? excluded : [])
  }

  /// Appends a drawn token; true when that ends the sequence.
  private mutating func record(_ draw: Sampler.Draw, of sequence: Sequence) -> Bool {
    sequence.row.token = draw.token
    sequence.completion.tokens.append(draw.token)
    sequence.completion.logProbabilities.append(draw.logProbability)
    progress.tokens += 1
    let count = sequence.completion.tokens.count
    let stops = limits.stopTokens.contains(draw.token) || (sequence.rule?(draw.token) == true && count > limits.minNewTokens)
    guard stops || count == limits.maxNewTokens else { return false }
    sequence.completion.finish = stops ? .stop : .length
    completions[sequence.prompt][sequence.sample] = sequence.completion
    progress.finished += 1
    pending[sequence.prompt] -= 1
    if pending[sequence.prompt] == 0 {
      freePrefixes.append(sequence.row.prefixSlot)
      ended.append(sequence.prompt)
    }
    return true
  }
}
