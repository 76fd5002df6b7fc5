import Kernels
import Modeling

/// Generates completions of many prompts: prompts are prefilled packed, sequences decode together, and ended ones are replaced at once. A
/// prompt's keys and values are kept once for all its samples. A completion depends on the model, its prompt, its (prompt, sample) numbers
/// and the settings: not on the batch size, the other prompts and samples, or the number of threads.
package final class Generator {
  private let model: Transformer
  private let sampling: SamplingSettings
  private let limits: GenerationLimits
  private let batchSize: Int
  private let prefillTokens: Int
  private let memory: GenerationMemory

  /// `batchSize`: sequences decoded at once. `prefillTokens`: prompt tokens run at once, where prompts are short enough.
  package init(
    _ model: Transformer, sampling: SamplingSettings, limits: GenerationLimits, batchSize: Int, prefillTokens: Int = 2048,
    memory: GenerationMemory = GenerationMemory()
  ) {
    precondition(batchSize > 0 && limits.maxNewTokens > 0, "batch size \(batchSize), \(limits.maxNewTokens) new tokens")
    self.model = model
    self.sampling = sampling
    self.limits = limits
    self.batchSize = batchSize
    self.prefillTokens = prefillTokens
    self.memory = memory
  }

  /// How far a generation is.
  package struct Progress: Sendable {
    /// Sequences that have ended, greedy ones among them.
    package internal(set) var finished = 0
    /// Tokens drawn so far.
    package internal(set) var tokens = 0
    /// Passes of one token of every running sequence.
    package internal(set) var steps = 0
    /// Prompt tokens run.
    package internal(set) var promptTokens = 0

    package init() {}
  }

  /// `samples` completions of each prompt, and with `greedy` one more that takes the likeliest token each time. `onFinished` is told a
  /// prompt's completions, in the order of the samples, as soon as the last of them has ended: prompts come in any order.
  ///
  /// `numbers` are the prompts' numbers for the random draws (their places in `prompts` when nil), so that a part of a list draws as the
  /// whole would. `progress` is asked after every step; when it answers false, generation stops and the result is false.
  package func generate(
    _ prompts: [[Int32]], samples: Int, greedy: Bool = false, numbers: [Int]? = nil, progress: (Progress) -> Bool = { _ in true },
    onFinished: (_ prompt: Int, _ samples: [Completion], _ greedy: Completion?) -> Void
  ) throws(ModelError) -> Bool {
    try check(prompts)
    precondition(numbers.map { $0.count == prompts.count } ?? true, "\(numbers?.count ?? 0) numbers for \(prompts.count) prompts")
    guard !prompts.isEmpty, samples > 0 || greedy else {
      for prompt in prompts.indices { onFinished(prompt, [], nil) }
      return true
    }
    var run = GenerationRun(
      model: model, sampling: sampling, limits: limits,
      request: .init(prompts: prompts, samples: samples, greedy: greedy, numbers: numbers), batchSize: batchSize,
      prefillTokens: prefillTokens, memory: memory)
    while !run.isFinished {
      run.step()
      for prompt in run.ended {
        let completions = run.take(prompt)
        onFinished(prompt, completions.samples, completions.greedy)
      }
      if !progress(run.progress) { return false }
    }
    return true
  }

  /// `samples` completions of each prompt, in the order of the prompts. `firstPrompt` numbers the prompts for the random draws from there.
  /// `progress` is told the number of finished sequences; when it answers false, generation stops and nil is returned.
  package func generate(
    _ prompts: [[Int32]], samples: Int = 1, firstPrompt: Int = 0, progress: (Int) -> Bool = { _ in true }
  ) throws(ModelError) -> [[Completion]]? {
    var completions = prompts.map { _ in [Completion]() }
    let isComplete = try generate(
      prompts, samples: samples, numbers: prompts.indices.map { firstPrompt + $0 }, progress: { progress($0.finished) },
      onFinished: { prompt, samples, _ in completions[prompt] = samples })
    return isComplete ? completions : nil
  }

  private func check(_ prompts: [[Int32]]) throws(ModelError) {
    if limits.minNewTokens > 0, limits.stopTokens.count >= model.configuration.vocabularySize {
      throw ModelError("every token of the vocabulary is a stop token; none can be drawn before \(limits.minNewTokens) tokens")
    }
    for (index, prompt) in prompts.enumerated() {
      if prompt.isEmpty { throw ModelError("prompt \(index) has no token") }
      if prompt.count + limits.maxNewTokens > model.maximumPositions {
        throw ModelError(
          "prompt \(index) has \(prompt.count) tokens; with \(limits.maxNewTokens) new ones that is more than "
            + "\(model.maximumPositions) positions")
      }
    }
  }
}
