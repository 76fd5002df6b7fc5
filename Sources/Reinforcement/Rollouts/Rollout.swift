import Datasets
import Evaluation
import Generation

/// A record, the prompt that a model read of it, and what the model answered: one line of a `rollouts` artifact.
package struct Rollout: Sendable, Equatable {
  /// The asked record, all columns kept.
  package var record: Record
  /// As the model read it.
  package var promptText: String
  package var promptIDs: [Int32]
  /// The `temperature` that the samples were drawn at; nil where it is not known.
  package var temperature: Double?
  package var samples: [Sample]
  /// The likeliest answer, where it was asked for: ReMax's baseline.
  package var greedy: Sample?

  package init(
    record: Record, promptText: String, promptIDs: [Int32], temperature: Double? = nil, samples: [Sample], greedy: Sample? = nil
  ) {
    self.record = record
    self.promptText = promptText
    self.promptIDs = promptIDs
    self.temperature = temperature
    self.samples = samples
    self.greedy = greedy
  }

  package struct Sample: Sendable, Equatable {
    /// Decoded, without the end token, cut at a stop text.
    package var text: String
    /// With the end token.
    package var ids: [Int32]
    /// Of each id when it was drawn: under softmax(logits / temperature), natural logarithm. Never -0, which no file keeps. Empty where they
    /// are not known, as of a server that gives none.
    package var logProbabilities: [Float]
    package var finish: Completion.Finish
    /// nil where nothing was to be scored.
    package var rewards: RewardBreakdown?

    /// False where the tokens' log-probabilities are not known.
    package var hasLogProbabilities: Bool { logProbabilities.count == ids.count }

    package init(text: String, ids: [Int32], logProbabilities: [Float], finish: Completion.Finish, rewards: RewardBreakdown? = nil) {
      precondition(
        ids.count == logProbabilities.count || logProbabilities.isEmpty, "\(ids.count) ids have \(logProbabilities.count) log-probabilities"
      )
      self.text = text
      self.ids = ids
      self.logProbabilities = logProbabilities.map { $0 == 0 ? 0 : $0 }
      self.finish = finish
      self.rewards = rewards
    }
  }
}
