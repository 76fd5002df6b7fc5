import Kernels
import Modeling

/// The state of one generation: which prompts are cached, which sequences run in which slots, what they have produced.
struct GenerationRun {
  private let model: Transformer
  private let sampler: Sampler
  private let limits: GenerationLimits
  private let prompts: [[Int32]]
  private let samples: Int
  private let firstPrompt: Int
  private let prefillTokens: Int

  private let activations: Activations
  private let prefixes: KeyValueCache
  private let own: KeyValueCache

  private(set) var completions: [[Completion]]
  private(set) var finished = 0
  private var nextPrompt = 0
  private var freePrefixes: [Int]
  private var freeSlots: [Int]
  /// Samples of a cached prompt that are not finished.
  private var pending: [Int]
  private var running: [Sequence] = []
  /// Sequences with their first token drawn, waiting for a slot.
  private var ready: [Sequence] = []

  private struct Sequence {
    let prompt: Int
    let sample: Int
    let random: Philox
    var row: DecodingRow
  }

  init(
    model: Transformer, sampling: SamplingSettings, limits: GenerationLimits, prompts: [[Int32]], samples: Int, firstPrompt: Int,
    batchSize: Int, prefillTokens: Int
  ) {
    let c = model.configuration
    let longest = prompts.map(\.count).max() ?? 0
    self.model = model
    sampler = Sampler(settings: sampling)
    self.limits = limits
    self.prompts = prompts
    self.samples = samples
    self.firstPrompt = firstPrompt
    self.prefillTokens = min(max(longest, prefillTokens), max(longest, batchSize * longest))
    activations = Activations(c, tokens: max(self.prefillTokens, batchSize), targets: batchSize, purpose: .inference)
    let promptSlots = min(batchSize, prompts.count)
    prefixes = KeyValueCache(c, slots: promptSlots, capacity: longest)
    own = KeyValueCache(c, slots: batchSize, capacity: limits.maxNewTokens)
    completions = prompts.map { _ in [Completion](repeating: Completion(), count: samples) }
    freePrefixes = Array((0..<promptSlots).reversed())
    freeSlots = Array((0..<batchSize).reversed())
    pending = [Int](repeating: samples, count: prompts.count)
  }

  var isFinished: Bool { finished == prompts.count * samples }

  /// Fills free slots, then one token of every running sequence.
  mutating func step() {
    refill()
    guard !running.isEmpty else { return }
    model.decode(running.map(\.row), prefixes: prefixes, own: own, activations)
    let draws = draw(running, rows: running.indices.map { Int32($0) })
    var still: [Sequence] = []
    for (var sequence, draw) in zip(running, draws) {
      sequence.row.ownCount += 1
      sequence.row.token = draw.token
      if !record(draw, of: sequence) { still.append(sequence) } else { freeSlots.append(sequence.row.ownSlot) }
    }
    running = still
  }

  // MARK: - Filling slots

  /// Prompts are run in batches: a few ended sequences are waited for, unless nothing else is left to do.
  private mutating func refill() {
    admit()
    let slots = freeSlots.count + running.count
    while !freeSlots.isEmpty, nextPrompt < prompts.count, !freePrefixes.isEmpty, running.isEmpty || freeSlots.count * 8 >= slots {
      prefill()
      admit()
    }
  }

  private mutating func admit() {
    let count = min(freeSlots.count, ready.count)
    for var sequence in ready.prefix(count) {
      sequence.row.ownSlot = freeSlots.removeLast()
      running.append(sequence)
    }
    ready.removeFirst(count)
  }

  /// Runs the next prompts, as many as there are slots for, and draws the first token of each of their samples.
  private mutating func prefill() {
    var batch = TokenBatch()
    var chosen: [(prompt: Int, slot: Int)] = []
    while nextPrompt < prompts.count, let slot = freePrefixes.last, batch.count + prompts[nextPrompt].count <= prefillTokens,
      chosen.isEmpty || chosen.count * samples < freeSlots.count
    {
      freePrefixes.removeLast()
      batch.append(prompts[nextPrompt])
      chosen.append((nextPrompt, slot))
      nextPrompt += 1
    }
    model.prefill(batch, slots: chosen.map(\.slot), prefixes, activations)
    for sample in 0..<samples {
      let sequences = chosen.map { first(prompt: $0.prompt, slot: $0.slot, sample: sample) }
      let draws = draw(sequences, rows: batch.offsets.dropFirst().map { Int32($0 - 1) })
      for (var sequence, draw) in zip(sequences, draws) {
        sequence.row.token = draw.token
        if !record(draw, of: sequence) { ready.append(sequence) }
      }
    }
  }

  private func first(prompt: Int, slot: Int, sample: Int) -> Sequence {
    Sequence(
      prompt: prompt, sample: sample, random: Philox(seed: sampler.settings.seed, name: "sampling/\(firstPrompt + prompt)/\(sample)"),
      row: DecodingRow(token: 0, prefixSlot: slot, prefixCount: prompts[prompt].count, ownSlot: 0, ownCount: 0))
  }

  // MARK: - Tokens

  private func draw(_ sequences: [Sequence], rows: [Int32]) -> [Sampler.Draw] {
    let vocabulary = model.configuration.vocabularySize
    return [Sampler.Draw](unsafeUninitializedCapacity: sequences.count) { draws, count in
      guard let draws = draws.baseAddress else { return }
      model.logits(after: rows, activations) { range, logits in
        model.pool.run(range.count) { index in
          let sequence = sequences[range.lowerBound + index]
          let position = completions[sequence.prompt][sequence.sample].tokens.count
          let drawn = sampler.draw(
            logits + index * vocabulary, vocabulary, uniform: sequence.random.uniformDouble(UInt64(position)))
          (draws + range.lowerBound + index).initialize(to: drawn)
        }
      }
      count = sequences.count
    }
  }

  /// Appends a drawn token; true when that ends the sequence.
  private mutating func record(_ draw: Sampler.Draw, of sequence: Sequence) -> Bool {
    let (prompt, sample) = (sequence.prompt, sequence.sample)
    completions[prompt][sample].tokens.append(draw.token)
    completions[prompt][sample].logProbabilities.append(draw.logProbability)
    let tokens = completions[prompt][sample].tokens
    let stops = limits.stopTokens.contains(draw.token) || limits.stopRule?(tokens) == true
    guard stops || tokens.count == limits.maxNewTokens else { return false }
    completions[prompt][sample].finish = stops ? .stop : .length
    finished += 1
    pending[prompt] -= 1
    if pending[prompt] == 0 { freePrefixes.append(sequence.row.prefixSlot) }
    return true
  }
}
