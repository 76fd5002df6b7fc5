import Datasets

/// What a report on forgetting says, before it is written in any form: methods over their seeds, comparisons, and what the suites can show.
package struct ForgettingReport: Sendable {
  /// A suite of these records, and the smallest drop it can show.
  package struct Suite: Sendable {
    package let scores: SuiteScores
    /// Against one earlier model, at 80 % power; nil of scores that are no shares.
    package let smallestDrop: Double?
    /// Against the best of all earlier steps; nil for general suites.
    package let smallestDropFromBest: Double?
  }

  package let methods: [MethodForgetting]
  /// Each pair of methods that can be compared, in order.
  package let comparisons: [MethodComparison]
  package let suites: [Suite]
  package let hasJoint: Bool
  /// The metric by which "did not learn" is told: the gain, or where cells are missing the gain over the base; nil where neither is known.
  package let gainMetric: ContinualMetric?
  package let settings: ForgettingSettings

  /// - Parameters:
  ///   - reference: the method whose gain is the measure of learning; nil for the one named sft, else the first.
  ///   - changedShare: the share of records whose answers are taken to change, for the smallest drop.
  package init(
    _ scores: ForgettingScores, reference: String? = nil, changedShare: Double, settings: ForgettingSettings
  ) throws(DatasetError) {
    var methods = scores.methods.map { MethodForgetting($0, settings) }
    guard !methods.isEmpty else { throw DatasetError("there is no score", file: "input steps") }
    let chosen = try Self.reference(reference, methods)
    methods[chosen].isReference = true
    let metrics: [ContinualMetric] = [.gain, .gainOverBase]
    gainMetric = metrics.first { metric in methods.allSatisfy { $0[metric] != nil } }
    if let gainMetric, let bar = methods[chosen][gainMetric]?.mean {
      for index in methods.indices {
        methods[index].hasLearned = methods[index][gainMetric].map { ForgettingClaim.hasLearned(gain: $0.mean, referenceGain: bar) }
      }
    }
    self.methods = methods
    comparisons = methods.indices.flatMap { left in
      methods.indices.dropFirst(left + 1).compactMap { MethodComparison(methods[left], methods[$0]) }
    }
    suites = Self.suites(methods, changedShare, settings.confidence)
    hasJoint = scores.hasJoint
    self.settings = settings
  }

  private static func reference(_ name: String?, _ methods: [MethodForgetting]) throws(DatasetError) -> Int {
    func place(of name: String) -> Int? {
      methods.firstIndex { $0.name.utf8.elementsEqual(name.utf8) }
        ?? methods.firstIndex { method in method.labels.contains { $0.name.utf8.elementsEqual(name.utf8) } }
    }
    guard let name else { return place(of: "sft") ?? 0 }
    if let place = place(of: name) { return place }
    throw DatasetError(
      "'\(name)' is none of the methods (\(methods.map(\.name).joined(separator: "; ")))", file: "parameter reference_method")
  }

  /// Tasks in order, then general suites; once for each set of records.
  private static func suites(_ methods: [MethodForgetting], _ changedShare: Double, _ confidence: Double) -> [Suite] {
    var suites: [Suite] = []
    func add(_ scores: SuiteScores, steps: Int?) {
      let isKnown = suites.contains { known in
        known.scores.suite.utf8.elementsEqual(scores.suite.utf8) && known.scores.records.utf8.elementsEqual(scores.records.utf8)
          && (known.smallestDropFromBest == nil) == (steps == nil)
      }
      guard !isKnown else { return }
      func drop(_ comparisons: Int) -> Double? {
        guard scores.isShare else { return nil }
        return Power.smallestDetectableDrop(
          count: scores.perRecord.count, changedShare: changedShare, confidence: confidence, comparisons: comparisons)
      }
      suites.append(Suite(scores: scores, smallestDrop: drop(1), smallestDropFromBest: steps.flatMap(drop)))
    }
    for method in methods {
      for run in method.runs { for case let base? in run.scores.cells[0] { add(base, steps: method.tasks.count) } }
    }
    for run in methods.flatMap(\.runs) { for general in run.general { add(general.scores.base, steps: nil) } }
    return suites
  }
}
