import JSONValues

/// Records of a dataset that an earlier one makes superfluous, or contradicts.
package struct DuplicateSurvey: Sendable, Equatable {
  package enum Kind: String, Sendable, CaseIterable {
    /// The same question and the same target.
    case exact
    /// The same question, and another target.
    case conflicting
    /// The same words as an earlier question.
    case normalized
    /// Nearly an earlier question.
    case near
  }

  package struct Match: Sendable, Equatable {
    package let record: Int
    /// The earlier one.
    package let earlier: Int
    package let kind: Kind
    package let similarity: Double
  }

  /// At most one for each record, the first kind that holds; in their order.
  package let matches: [Match]

  /// What a record without a match leaves behind stands for all that are like it: near records are compared with it, not with one another.
  package init(_ records: [Record], _ questions: [ComparableText], near settings: NearIndex.Settings) {
    var known: [[UInt8]: (first: Int, targets: [[UInt8]: Int])] = [:]
    var normalized: [[UInt8]: Int] = [:]
    var index = NearIndex(settings)
    var leaders: [Int] = []
    var matches: [Match] = []
    for (place, record) in records.enumerated() {
      let (question, target) = (record.question, record.target)
      if let earlier = known[question] {
        let same = earlier.targets[target]
        matches.append(
          Match(record: place, earlier: same ?? earlier.first, kind: same == nil ? .conflicting : .exact, similarity: 1))
        if same == nil { known[question]?.targets[target] = place }
        continue
      }
      known[question] = (place, [target: place])
      let words = Array(questions[place].normalized.utf8)
      if let earlier = normalized[words] {
        matches.append(Match(record: place, earlier: earlier, kind: .normalized, similarity: 1))
        continue
      }
      normalized[words] = place
      let shingles = Shingles(questions[place], settings.form)
      if let found = index.nearest(to: shingles) {
        matches.append(Match(record: place, earlier: leaders[found.place], kind: .near, similarity: found.similarity))
      } else {
        index.add(shingles)
        leaders.append(place)
      }
    }
    self.matches = matches
  }

  package func count(_ kind: Kind) -> Int { matches.count { $0.kind == kind } }
}

extension Record {
  /// The bytes of what a record teaches: its completion and its answers.
  fileprivate var target: [UInt8] {
    JSONValue.array([completion?.json ?? .null, .array(answers.map { .string($0) }), gold.map { .integer($0) } ?? .null]).encodedBytes()
  }
}
