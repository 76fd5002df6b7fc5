import JSONValues

/// What rollouts are like as a whole: lengths, rewards by component, and how often the completions of a prompt differ in reward.
package struct RolloutStatistics: Sendable {
  package let prompts: Int
  package let completions: Int
  package let tokens: Int
  /// Under the names that training logs; NaN where there was nothing to measure.
  package let named: [(name: String, value: Double)]
  /// Completions by length in tokens: `histogram[i]` of lengths 2^i … 2^(i+1) − 1.
  package let lengths: [Int]

  /// - Parameter rewards: the components' names, in order.
  package init(_ rollouts: [Rollout], rewards: [String]) {
    let samples = rollouts.flatMap(\.samples)
    let sizes = samples.map { $0.ids.count }
    prompts = rollouts.count
    completions = samples.count
    tokens = sizes.reduce(0, +)
    let groups = Advantages(rollouts.map { .init(rewards: $0.samples.map { $0.rewards?.total }) }, .rloo)
    var named: [(name: String, value: Double)] = [
      ("reward", Statistics.mean(samples.compactMap { $0.rewards?.total })), ("reward_variance", groups.meanGroupVariance),
      ("frac_reward_zero_std", groups.equalShare), ("unscored", Double(samples.count { $0.rewards?.total == nil })),
    ]
    for name in rewards {
      let values = samples.compactMap { $0.rewards?[name] }
      named += [("rewards/\(name)/mean", Statistics.mean(values)), ("rewards/\(name)/std", Statistics.standardDeviation(values))]
      let greedy = rollouts.compactMap { $0.greedy?.rewards?[name] }
      if !greedy.isEmpty { named.append(("rewards/\(name)/greedy_mean", Statistics.mean(greedy))) }
    }
    named += [
      ("entropy", -Statistics.mean(samples.flatMap { $0.logProbabilities.map(Double.init) })),
      ("completions/mean_length", Statistics.mean(sizes.map(Double.init))), ("completions/min_length", Double(sizes.min() ?? 0)),
      ("completions/max_length", Double(sizes.max() ?? 0)),
      ("completions/clipped_ratio", Double(samples.count { $0.finish == .length }) / Double(max(samples.count, 1))),
    ]
    self.named = named
    var lengths: [Int] = []
    for size in sizes where size > 0 {
      let bucket = Int.bitWidth - 1 - size.leadingZeroBitCount
      while lengths.count <= bucket { lengths.append(0) }
      lengths[bucket] += 1
    }
    self.lengths = lengths
  }

  package var json: JSONValue {
    var object = JSONObject([
      ("prompts", .integer(prompts)), ("completions", .integer(completions)), ("completion_tokens", .integer(tokens)),
    ])
    for (name, value) in named { object.append(name, value.isNaN ? .null : .number(value)) }
    let histogram = lengths.enumerated().map { ("\(1 << $0)-\((2 << $0) - 1)", JSONValue.integer($1)) }
    object.append("length_histogram", .object(JSONObject(histogram)))
    return .object(object)
  }
}

/// Means that say NaN of nothing.
enum Statistics {
  static func mean(_ values: [Double]) -> Double { values.isEmpty ? .nan : values.reduce(0, +) / Double(values.count) }

  /// With n − 1; 0 of one value.
  static func standardDeviation(_ values: [Double]) -> Double {
    guard values.count > 1 else { return values.isEmpty ? .nan : 0 }
    let mean = mean(values)
    return (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)).squareRoot()
  }
}
