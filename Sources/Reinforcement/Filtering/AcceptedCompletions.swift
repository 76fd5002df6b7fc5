import Datasets
import JSONValues
import Tokenization

/// Rejection sampling (RAFT): a model's own completions that were found right, as records to train on. A pure function of the rollouts and
/// the seed; a record's completions do not depend on the records beside it.
package struct AcceptedCompletions: Sendable {
  package enum PromptForm: String, Sendable, CaseIterable {
    /// The record's own prompt: tokenized with the template it was asked with, it is what the model read.
    case record
    /// The text that the model read, template and all: to be tokenized as plain text.
    case text
  }

  package struct Counts: Sendable, Equatable {
    package var records = 0
    /// With at least one accepted completion.
    package var recordsKept = 0
    package var completions = 0
    package var accepted = 0
    package var notScored = 0
    package var belowThreshold = 0
    package var truncated = 0
    package var duplicates = 0
    package var beyondMaximum = 0

    package init() {}
  }

  package var component: String
  package var threshold: Double
  /// Of one record; nil for all.
  package var maximum: Int?
  /// Leave out a completion whose text an earlier one of the same record has.
  package var deduplicates: Bool
  /// Leave out completions that the token limit cut off: an end mark behind them would be a lie.
  package var dropsTruncated: Bool
  package var promptForm: PromptForm
  package var seed: UInt64

  package init(
    component: String, threshold: Double = 1, maximum: Int? = nil, deduplicates: Bool = true, dropsTruncated: Bool = true,
    promptForm: PromptForm = .record, seed: UInt64 = 0
  ) {
    self.component = component
    self.threshold = threshold
    self.maximum = maximum
    self.deduplicates = deduplicates
    self.dropsTruncated = dropsTruncated
    self.promptForm = promptForm
    self.seed = seed
  }

  /// The accepted completions of one rollout in the order they were sampled in; counts them all.
  package func records(_ rollout: Rollout, index: Int, _ counts: inout Counts) throws(DatasetError) -> [Record] {
    counts.records += 1
    counts.completions += rollout.samples.count
    var accepted: [Rollout.Sample] = []
    for sample in rollout.samples {
      guard let value = try sample.value(of: component) else {
        counts.notScored += 1
        continue
      }
      if value < threshold - InstanceScores.tolerance {
        counts.belowThreshold += 1
      } else if dropsTruncated, sample.finish == .length {
        counts.truncated += 1
      } else if deduplicates, accepted.contains(where: { $0.text.utf8.elementsEqual(sample.text.utf8) }) {
        counts.duplicates += 1
      } else {
        accepted.append(sample)
      }
    }
    if let maximum, accepted.count > maximum {
      counts.beyondMaximum += accepted.count - maximum
      var random = CounterRandom(seed: seed, "filter", "accepted", "\(index)")
      accepted = random.sample(maximum, of: Array(accepted.indices)).sorted().map { accepted[$0] }
    }
    counts.accepted += accepted.count
    counts.recordsKept += accepted.isEmpty ? 0 : 1
    return accepted.map { record($0, of: rollout) }
  }

  /// Spaces at the end of a prompt that was read as it stands were not read: the completion has its own.
  private func record(_ sample: Rollout.Sample, of rollout: Rollout) -> Record {
    var record = rollout.record
    switch (promptForm, record.prompt) {
    case (.text, _), (_, nil): record.content = .prompted(.text(rollout.promptText), completion: .text(sample.text))
    case (.record, .text(let text)?):
      let read = rollout.promptText.utf8.elementsEqual(PromptFormat.withoutTrailingSpaces(text).utf8) ? rollout.promptText : text
      record.content = .prompted(.text(read), completion: .text(sample.text))
    case (.record, .messages(let messages)?):
      let answer = ChatMessage(role: "assistant", content: sample.text)
      record.content = .prompted(.messages(messages), completion: .messages([answer]))
    }
    return record
  }
}

extension AcceptedCompletions.Counts {
  package var json: JSONValue {
    [
      "records": .integer(records), "records_kept": .integer(recordsKept), "completions": .integer(completions),
      "accepted": .integer(accepted), "not_scored": .integer(notScored), "below_threshold": .integer(belowThreshold),
      "truncated": .integer(truncated), "duplicates": .integer(duplicates), "beyond_maximum": .integer(beyondMaximum),
    ]
  }
}
