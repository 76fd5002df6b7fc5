/// How tokens are drawn, under the names and in the order of transformers: temperature, then `top_k`, then `top_p`, then `min_p`.
package struct SamplingSettings: Sendable, Equatable {
  /// 0 takes the likeliest token (ties to the lowest id); then the other settings do not matter.
  package var temperature: Double
  /// 0 for no limit. Tokens that tie with the k-th stay.
  package var topK: Int
  /// 1 for no limit. The likeliest tokens whose probabilities reach `topP` together; at least one.
  package var topP: Double
  /// 0 for no limit. Tokens at least `minP` times as probable as the likeliest.
  package var minP: Double
  package var seed: UInt64

  package init(temperature: Double = 1, topK: Int = 0, topP: Double = 1, minP: Double = 0, seed: UInt64 = 0) {
    self.temperature = temperature
    self.topK = topK
    self.topP = topP
    self.minP = minP
    self.seed = seed
  }

  package static let greedy = SamplingSettings(temperature: 0)

  var truncates: Bool { topK > 0 || topP < 1 || minP > 0 }
}
