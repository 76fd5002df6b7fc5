import Datasets

/// Multiple choice by log-likelihood, as lm-eval scores it.
enum Choice {
  /// `acc`: argmax of Σ log p. `acc_norm`: of Σ log p over the choice's characters (code points). `acc_bytes`: over its UTF-8 bytes. Ties go to the first.
  static func metrics(_ logLikelihoods: [Double], _ choices: [String], gold: Int) -> [(metric: String, isRight: Bool)] {
    let characters = zip(logLikelihoods, choices).map { $0 / Double(max(1, $1.unicodeScalars.count)) }
    let bytes = zip(logLikelihoods, choices).map { $0 / Double(max(1, $1.utf8.count)) }
    return [("acc", logLikelihoods), ("acc_norm", characters), ("acc_bytes", bytes)].map { ($0.0, firstMaximum($0.1) == gold) }
  }

  static func firstMaximum(_ values: [Double]) -> Int {
    values.indices.dropFirst().reduce(0) { best, index in values[index] > values[best] ? index : best }
  }

  /// Context and continuation as tokens: spaces at the end of the context move to the continuation, both are encoded together, and the
  /// continuation is what goes beyond the context's own tokens.
  static func request(context: String, continuation: String, _ codec: TextCodec, addsBeginning: Bool) throws(DatasetError)
    -> LikelihoodRequest
  {
    let kept = context.withoutTrailingWhitespace
    let moved = String(context.unicodeScalars.dropFirst(kept.unicodeScalars.count))
    let contextIds = codec.encode(kept)
    let whole = codec.encode(kept + moved + continuation)
    guard whole.count > contextIds.count else { throw DatasetError("the choice '\(continuation)' adds no token to the prompt") }
    var head = contextIds
    if addsBeginning, let beginning = codec.beginning { head.insert(beginning, at: 0) }
    if head.isEmpty {
      guard let prefix = codec.prefixToken else { throw DatasetError("the prompt is empty, and the tokenizer has no token to begin with") }
      head = [prefix]
    }
    return LikelihoodRequest(context: head, continuation: Array(whole.dropFirst(contextIds.count)))
  }
}

extension String {
  package var withoutTrailingWhitespace: String {
    guard let last = unicodeScalars.lastIndex(where: { !$0.properties.isWhitespace }) else { return "" }
    return String(unicodeScalars[...last])
  }
}
