import JSONValues

extension RetentionCurve {
  /// The evaluations as checkpoints and logs write them.
  package var json: JSONValue { .array(entries.map(\.json)) }

  /// The curve that `json` came from; nil where it is no such thing. The rule is not in it: what it says follows from the entries.
  package init?(json: JSONValue?, rule: RetentionRule) {
    guard let list = json?.arrayValue else { return nil }
    self.init(rule: rule)
    for value in list {
      guard let entry = Entry(json: value) else { return nil }
      _ = add(entry.point, step: entry.step)
    }
  }
}

extension RetentionCurve.Entry {
  var json: JSONValue {
    .object(
      JSONObject([
        ("step", .integer(step)), ("target", point.target.map { .number($0) } ?? .null),
        ("retention", point.retention.map { .number($0) } ?? .null),
        ("scores", .array(point.scores.map { ["suite": .string($0.suite), "score": .number($0.score)] })),
      ]))
  }

  init?(json: JSONValue) {
    guard let step = json["step"]?.integerValue, let rows = json["scores"]?.arrayValue else { return nil }
    let scores = rows.compactMap { row -> (suite: String, score: Double)? in
      guard let suite = row["suite"]?.stringValue, let score = row["score"]?.numberValue else { return nil }
      return (suite, score)
    }
    guard scores.count == rows.count else { return nil }
    let point = RetentionPoint(target: json["target"]?.numberValue, retention: json["retention"]?.numberValue, scores: scores)
    self.init(step: step, point: point)
  }
}
