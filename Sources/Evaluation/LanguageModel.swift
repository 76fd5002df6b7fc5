/// What an evaluation asks of a model: tokens in, tokens or log-probabilities out. It knows nothing of texts and scores.
///
/// An answer may depend on its request alone, never on the requests beside it: then no score moves with the batch size.
package protocol LanguageModel {
  /// The most tokens a sequence may have, prompt and continuation together.
  var contextLength: Int { get }
  var vocabularySize: Int { get }

  /// Continues each prompt; answers in the order of the prompts. A prompt's place in the list names its random numbers. `progress` is told how
  /// many are done.
  func generate(_ prompts: [[Int32]], _ options: GenerationOptions, progress: (Int) throws -> Void) throws -> [GeneratedTokens]

  /// log p of each token of the continuation given everything before it (natural logarithm), in the order of the requests.
  func logProbabilities(_ requests: [LikelihoodRequest], progress: (Int) throws -> Void) throws -> [[Double]]
}

/// How a continuation is drawn and when it ends; names and meaning as in TRL.
package struct GenerationOptions: Sendable, Equatable {
  package var maxNewTokens: Int
  /// The continuation ends where one of these texts stands.
  package var stop: [String]
  /// 0 takes the most probable token each time.
  package var temperature: Double
  package var topK: Int?
  package var topP: Double?
  package var seed: UInt64

  package init(maxNewTokens: Int, stop: [String] = [], temperature: Double = 0, topK: Int? = nil, topP: Double? = nil, seed: UInt64 = 0) {
    self.maxNewTokens = maxNewTokens
    self.stop = stop
    self.temperature = temperature
    self.topK = topK
    self.topP = topP
    self.seed = seed
  }
}

package struct GeneratedTokens: Sendable, Equatable {
  /// Without the prompt and without the end token.
  package let ids: [Int32]
  /// False when `maxNewTokens` or the context cut it off.
  package let isComplete: Bool

  package init(ids: [Int32], isComplete: Bool) {
    self.ids = ids
    self.isComplete = isComplete
  }
}

package struct LikelihoodRequest: Sendable, Equatable {
  /// At least one token.
  package let context: [Int32]
  package let continuation: [Int32]

  package init(context: [Int32], continuation: [Int32]) {
    self.context = context
    self.continuation = continuation
  }
}
