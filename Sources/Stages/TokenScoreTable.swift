import Evaluation
import JSONValues

/// The scores of target tokens as JSON: sums over a model, and rows a record. Knows nothing of models.
struct TokenScoreTable {
  let targets: TargetPasses
  let records: Int
  /// A token is hard where its probability is at most this.
  let threshold: Double
  let bins: Int
  /// How many hard tokens are listed.
  let hardest: Int
  let text: (Int32) -> String

  /// Of one model.
  func summary(_ scores: TargetScores) -> JSONObject {
    let probabilities = scores.probabilities
    let count = Double(probabilities.count)
    func mean(_ values: some Sequence<Double>) -> JSONValue { .number(values.reduce(0, +) / count) }
    let hard = probabilities.indices.filter { probabilities[$0] <= threshold }
    let sorted = probabilities.sorted()
    let half = sorted.count / 2
    return JSONObject([
      ("loss", mean(scores.logProbabilities.map { -Double($0) })), ("mean_p", mean(probabilities)),
      ("median_p", .number(sorted.count % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2)),
      ("share_above", .number(1 - Double(hard.count) / count)), ("mean_token_accuracy", mean(scores.ranks.map { $0 == 1 ? 1 : 0 })),
      ("mean_rank", mean(scores.ranks.map(Double.init))), ("entropy", mean(scores.entropies.map(Double.init))),
      ("histogram", .array(histogram(probabilities).map { .integer($0) })),
      ("hard", ["count": .integer(hard.count), "per_record": .number(Double(hard.count) / Double(records))]),
      ("hardest", .array(hard.sorted { (probabilities[$0], $0) < (probabilities[$1], $1) }.prefix(hardest).map { row($0, scores) })),
      ("hard_strings", .array(strings(hard).prefix(hardest).map { $0 })),
    ])
  }

  /// Tokens in each of `bins` equal steps of p; 1 is in the last.
  private func histogram(_ probabilities: [Double]) -> [Int] {
    var counts = [Int](repeating: 0, count: bins)
    for p in probabilities { counts[min(bins - 1, Int(p * Double(bins)))] += 1 }
    return counts
  }

  private func row(_ target: Int, _ scores: TargetScores) -> JSONValue {
    let place = targets.places[target]
    return [
      "record": .integer(place.record), "position": .integer(place.position), "id": .integer(Int(place.token)),
      "text": .string(text(place.token)),
      "p": .number(scores.probability(target)), "rank": .integer(Int(scores.ranks[target])),
      "entropy": .number(Double(scores.entropies[target])),
    ]
  }

  /// How often each token is hard, out of how many, the most frequent first.
  private func strings(_ hard: [Int]) -> [JSONValue] {
    var counts: [Int32: (hard: Int, all: Int)] = [:]
    for place in targets.places { counts[place.token, default: (0, 0)].all += 1 }
    for target in hard { counts[targets.places[target].token, default: (0, 0)].hard += 1 }
    let sorted = counts.filter { $0.value.hard > 0 }.sorted { (-$0.value.hard, $0.key) < (-$1.value.hard, $1.key) }
    return sorted.map { id, count in
      ["id": .integer(Int(id)), "text": .string(text(id)), "hard": .integer(count.hard), "of": .integer(count.all)]
    }
  }

  // MARK: - Rows

  /// A record each, with the positions of its targets, from 0.
  func rows(_ models: [TargetScores]) -> [JSONValue] {
    var rows: [JSONValue] = []
    var start = 0
    for record in 0..<records {
      var end = start
      while end < targets.places.count, targets.places[end].record == record { end += 1 }
      let range = start..<end
      start = end
      rows.append([
        "record": .integer(record), "positions": .array(range.map { .integer(targets.places[$0].position) }),
        "ids": .array(range.map { .integer(Int(targets.places[$0].token)) }),
        "models": .array(
          models.map { scores in
            [
              "p": .array(range.map { .number(scores.probability($0)) }),
              "rank": .array(range.map { .integer(Int(scores.ranks[$0])) }),
              "entropy": .array(range.map { .number(Double(scores.entropies[$0])) }),
            ]
          }),
      ])
    }
    return rows
  }
}
