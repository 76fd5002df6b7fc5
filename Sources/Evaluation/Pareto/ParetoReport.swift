import Datasets

/// Models as points: what they came to in the domain that they were trained for, against what they kept of everything else. All in points, the
/// hundredths of a share of right answers; each axis is the mean over its suites.
package struct ParetoReport: Sendable {
  /// One axis of a point.
  package struct Coordinate: Sendable, Equatable {
    package let value: Double
    /// The standard deviation over seeds; of one seed the standard error over records.
    package let error: Double?
    /// From the base, and of one seed where it lies.
    package let change: Double?
    package let low: Double?
    package let high: Double?

    package var isOutsideNoise: Bool? {
      guard let low, let high else { return nil }
      return low > 0 || high < 0
    }
  }

  package struct Point: Sendable, Equatable {
    package let name: String
    package let labels: [SuiteScores.Label]
    package let seeds: Int
    package let domain: Coordinate
    package let general: Coordinate
    /// Under half of the reference's gain, or none: it may have kept everything for it learned nothing. Nil without a base.
    package fileprivate(set) var hasLearned: Bool?
  }

  package struct Base: Sendable, Equatable {
    package let domain: Double
    package let general: Double
  }

  package private(set) var points: [Point] = []
  /// The mean of what the points are compared with; nil where no base is given.
  package private(set) var base: Base?
  /// The point whose gain is the measure of learning.
  package private(set) var reference: Int?
  package let domainSuites: [String]
  package let generalSuites: [String]
  package let front: ParetoFront
  /// Of the points that learned, or of all where that is not known.
  package let knee: Int?

  /// - Parameters:
  ///   - base: scores of the base on suites of both axes; may be empty.
  ///   - reference: a name or axis value: of the points called so the one with the largest gain is the measure; where nil those called sft, else
  ///     those called nll, else all.
  package init(
    domain: [SuiteScores], general: [SuiteScores], base: [SuiteScores], seedAxis: String, reference: String?, settings: ForgettingSettings
  ) throws(DatasetError) {
    let axes = ParetoAxes(seedAxis: seedAxis, base: base, settings: settings)
    let columns = (domain: try axes.read(domain, "domain"), general: try axes.read(general, "general"))
    domainSuites = columns.domain.suites
    generalSuites = columns.general.suites
    let labels = columns.domain.points.map(\.labels)
    if let alone = columns.general.points.first(where: { !labels.contains($0.labels) }) {
      throw DatasetError("'\(ScoredModels.names([alone.labels])[0])' has general scores, and none of the domain", file: "input general")
    }
    var points: [Point] = []
    for (name, own) in zip(ScoredModels.names(labels), columns.domain.points) {
      guard let other = columns.general.points.first(where: { $0.labels == own.labels }) else {
        throw DatasetError("'\(name)' has domain scores, and no general ones", file: "input domain")
      }
      guard own.seeds == other.seeds else {
        throw DatasetError("'\(name)' has scores of other seeds in the domain than general ones", file: "input domain")
      }
      points.append(
        Point(name: name, labels: own.labels, seeds: own.seeds.count, domain: own.coordinate, general: other.coordinate))
    }
    if let x = columns.domain.base, let y = columns.general.base {
      self.base = Base(domain: x, general: y)
      let place = try Self.reference(reference, points)
      self.reference = place
      let bar = points[place].domain.change ?? 0
      for index in points.indices {
        points[index].hasLearned = points[index].domain.change.map { ForgettingClaim.hasLearned(gain: $0, referenceGain: bar) }
      }
    }
    let front = ParetoFront(points.map { .init($0.domain.value, $0.general.value) })
    knee = front.knee { points[$0].hasLearned != false }
    self.front = front
    self.points = points
  }

  private static func reference(_ name: String?, _ points: [Point]) throws(DatasetError) -> Int {
    func called(_ name: String) -> [Int] {
      points.indices.filter { index in
        points[index].name.utf8.elementsEqual(name.utf8) || points[index].labels.contains { $0.name.utf8.elementsEqual(name.utf8) }
      }
    }
    var candidates = name.map(called) ?? ["sft", "nll"].map(called).first { !$0.isEmpty } ?? Array(points.indices)
    if let name, candidates.isEmpty {
      throw DatasetError(
        "'\(name)' is none of the points (\(points.map(\.name).joined(separator: "; ")))", file: "parameter reference_method")
    }
    candidates.sort { ((points[$1].domain.change ?? 0), $0) < ((points[$0].domain.change ?? 0), $1) }
    return candidates[0]
  }
}
