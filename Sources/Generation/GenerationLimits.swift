/// When a generated sequence ends.
package struct GenerationLimits: Sendable {
  /// Watches one sequence: told each of its tokens in order (but a stop token), it answers true where the sequence is to end. It may keep
  /// what it has seen. Called from the thread that generates.
  package typealias StopRule = (Int32) -> Bool

  package var maxNewTokens: Int
  /// That many tokens come first: no stop token can be drawn as one of them, and a stop rule's answer to them does not count. As in
  /// transformers, the likeliest tokens (`top_k` …) are looked for among those that can be drawn.
  package var minNewTokens: Int
  package var stopTokens: Set<Int32>
  /// Makes the rule of one sequence, for what tokens alone cannot tell (stop texts).
  package var makeStopRule: (@Sendable () -> StopRule)?

  package init(
    maxNewTokens: Int, minNewTokens: Int = 0, stopTokens: Set<Int32> = [], makeStopRule: (@Sendable () -> StopRule)? = nil
  ) {
    self.maxNewTokens = maxNewTokens
    self.minNewTokens = minNewTokens
    self.stopTokens = stopTokens
    self.makeStopRule = makeStopRule
  }
}
