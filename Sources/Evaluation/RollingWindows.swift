/// A text longer than the context, cut into windows as lm-eval does: each token is predicted exactly once, with as much before it as fits.
package enum RollingWindows {
  /// - Parameters:
  ///   - tokens: of the text, at least one.
  ///   - prefix: what the first token is predicted from.
  ///   - contextLength: the most tokens that may go into the model at once.
  package static func requests(_ tokens: [Int32], prefix: Int32, contextLength: Int) -> [LikelihoodRequest] {
    let first = min(contextLength, tokens.count)
    var requests = [LikelihoodRequest(context: [prefix], continuation: Array(tokens[..<first]))]
    var predicted = first
    while predicted < tokens.count {
      let end = min(predicted + contextLength, tokens.count)
      // contextLength tokens go in; the last of the window is only predicted. A short last window keeps what stands before it as context.
      let start = end - contextLength - 1
      requests.append(LikelihoodRequest(context: Array(tokens[max(0, start)..<predicted]), continuation: Array(tokens[predicted..<end])))
      predicted = end
    }
    return requests
  }
}
