import Kernels
import Modeling

/// A generated sequence.
package struct Completion: Sendable, Equatable {
  package enum Finish: String, Sendable {
    /// A stop token, which is the last of `tokens`, or the caller's stop rule.
    case stop
    case length
  }

  package var tokens: [Int32] = []
  /// Of each token, when it was drawn: under softmax(logits / temperature), before truncation.
  package var logProbabilities: [Float] = []
  package var finish: Finish = .length
}

/// What to generate for each prompt.
package struct GenerationLimits: Sendable {
  package var maxNewTokens: Int
  package var stopTokens: Set<Int32>
  /// Asked after every token with all tokens so far; true ends the sequence (stop strings are decided here).
  package var stopRule: (@Sendable ([Int32]) -> Bool)?

  package init(maxNewTokens: Int, stopTokens: Set<Int32> = [], stopRule: (@Sendable ([Int32]) -> Bool)? = nil) {
    self.maxNewTokens = maxNewTokens
    self.stopTokens = stopTokens
    self.stopRule = stopRule
  }
}

/// Generates completions of many prompts: prompts are prefilled packed, sequences decode together, and ended ones are replaced at once. A
/// prompt's keys and values are kept once for all its samples. A completion depends on the model, its prompt, its (prompt, sample) numbers
/// and the settings: not on the batch size, the other prompts, or the number of threads.
package final class Generator {
  private let model: Transformer
  private let sampling: SamplingSettings
  private let limits: GenerationLimits
  private let batchSize: Int
  private let prefillTokens: Int

  /// `batchSize`: sequences decoded at once. `prefillTokens`: prompt tokens run at once, where prompts are short enough.
  package init(_ model: Transformer, sampling: SamplingSettings, limits: GenerationLimits, batchSize: Int, prefillTokens: Int = 2048) {
    precondition(batchSize > 0 && limits.maxNewTokens > 0, "batch size \(batchSize), \(limits.maxNewTokens) new tokens")
    self.model = model
    self.sampling = sampling
    self.limits = limits
    self.batchSize = batchSize
    self.prefillTokens = prefillTokens
  }

  /// `samples` completions of each prompt. `firstPrompt` numbers the prompts for the random draws, so that a part of a list draws as the
  /// whole would. `progress` is told the number of finished sequences; when it answers false, generation stops and nil is returned.
  package func generate(
    _ prompts: [[Int32]], samples: Int = 1, firstPrompt: Int = 0, progress: (Int) -> Bool = { _ in true }
  ) throws(ModelError) -> [[Completion]]? {
    try check(prompts)
    guard !prompts.isEmpty, samples > 0 else { return prompts.map { _ in [] } }
    var run = GenerationRun(
      model: model, sampling: sampling, limits: limits, prompts: prompts, samples: samples, firstPrompt: firstPrompt,
      batchSize: min(batchSize, prompts.count * samples), prefillTokens: prefillTokens)
    while !run.isFinished {
      run.step()
      if !progress(run.finished) { return nil }
    }
    return run.completions
  }

  private func check(_ prompts: [[Int32]]) throws(ModelError) {
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
