import Datasets

/// Scores put together by model: those that carry the same axis values, the suite's apart.
package struct ScoredModels: Sendable {
  package struct Model: Sendable {
    /// "learning_rate 0.001, alpha 0.5": the axis values, but for those that all models share; "model" where it has none.
    package fileprivate(set) var name: String
    package let labels: [SuiteScores.Label]
    /// One a suite, in the order of the list.
    package fileprivate(set) var scores: [SuiteScores]

    package func score(_ suite: String) -> SuiteScores? { scores.first { $0.suite.utf8.elementsEqual(suite.utf8) } }

    /// Whether this is the model's name, or one of its axis values.
    package func isCalled(_ name: String) -> Bool {
      self.name.utf8.elementsEqual(name.utf8) || labels.contains { $0.name.utf8.elementsEqual(name.utf8) }
    }
  }

  package private(set) var models: [Model] = []

  /// - Throws: where a model has two scores of a suite.
  package init(_ scores: [SuiteScores]) throws(DatasetError) {
    for score in scores {
      guard let known = models.firstIndex(where: { $0.labels == score.model }) else {
        models.append(Model(name: "", labels: score.model, scores: [score]))
        continue
      }
      guard models[known].score(score.suite) == nil else {
        throw DatasetError("suite '\(score.suite)' of model '\(score.modelName)' is given twice")
      }
      models[known].scores.append(score)
    }
    for (index, name) in Self.names(models.map(\.labels)).enumerated() { models[index].name = name }
  }

  /// Of each model its labels, but for those that all share.
  package static func names(_ models: [[SuiteScores.Label]]) -> [String] {
    let shared = models.count > 1 ? models[0].filter { label in models.allSatisfy { $0.contains(label) } } : []
    let told = models.map { labels in labels.filter { !shared.contains($0) } }
    let shown = told.contains { $0.isEmpty } ? models : told
    let short = shown.map { $0.map { "\($0.axis) \($0.name)" }.joined(separator: ", ") }
    let isPlain = Set(short).count == short.count
    return zip(short, shown).map { name, labels in
      if labels.isEmpty { return "model" }
      return isPlain ? name : labels.map { "\($0.axis) \($0.value.encoded())" }.joined(separator: ", ")
    }
  }
}

extension [SuiteScores] {
  /// Among the scores of a base that of the same suite; where there are several, by seed or by group, the one whose axis values the model has too.
  package func base(of score: SuiteScores) throws(DatasetError) -> SuiteScores {
    let name = "suite '\(score.suite)'" + (score.modelName.isEmpty ? "" : " of model '\(score.modelName)'")
    let fitting = filter { own in
      own.suite.utf8.elementsEqual(score.suite.utf8) && own.model.allSatisfy { score.model.contains($0) }
    }
    guard let found = fitting.first else {
      throw DatasetError("\(name) has no score of the base")
    }
    guard fitting.count == 1 else { throw DatasetError("the base's score on suite '\(score.suite)' is given twice") }
    guard found.records == score.records, found.metric == score.metric, found.perRecord.count == score.perRecord.count else {
      throw DatasetError("\(name) has other records than the base's: they cannot be compared")
    }
    return found
  }
}
