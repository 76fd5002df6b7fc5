/// A record as token ids, and which of them a model learns to produce.
package struct TokenizedRecord: Sendable, Equatable {
  package let ids: [Int32]
  /// As long as `ids`.
  package let trained: [Bool]

  package init(ids: [Int32], trained: [Bool]) {
    precondition(ids.count == trained.count, "\(ids.count) ids, \(trained.count) marks")
    self.ids = ids
    self.trained = trained
  }

  package var trainedCount: Int { trained.count { $0 } }
}

/// Why a record cannot be trained on as it is. The caller knows the record's file and line.
package enum RecordFault: Error, Equatable, Sendable, CustomStringConvertible {
  /// The prompt's tokens are no prefix of those of prompt and completion: they part at token `position`, where the prompt's text is `near`.
  case promptIsNoPrefix(position: Int, near: String)
  /// The template writes the conversation so that what comes before a turn changes once the turn is there.
  case templateRewritesPrompt(turn: Int)
  case nothingTrained
  case template(TokenizerError)

  package var description: String {
    switch self {
    case .promptIsNoPrefix(let position, let near):
      "the prompt's tokens are no prefix of those of prompt and completion: they part at token \(position), near '\(near)'"
    case .templateRewritesPrompt(let turn):
      "the chat template writes the text before message \(turn + 1) otherwise once that message is there"
    case .nothingTrained: "no token of it is trained"
    case .template(let error): "\(error)"
    }
  }
}
