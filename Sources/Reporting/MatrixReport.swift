import JSONValues

/// What `report/forgetting` found: every method's matrix of scores along its tasks, what it learned and what it lost, in points.
package struct MatrixReport: Sendable {
  /// A mean over seeds; of one seed its value.
  package struct Summary: Sendable {
    package let mean: Double
    /// Over seeds; nil of one.
    package let deviation: Double?
    package let seeds: Int
  }

  /// A cell of the matrix R.
  package struct Cell: Sendable {
    package let value: Summary
    /// Over records, where there is one seed.
    package let standardError: Double?
    /// From the base, row 0; nil in row 0.
    package let change: Double?
    /// Of that change, paired over records, where it was computed: in the last row, of one seed.
    package let interval: Change?
  }

  /// A paired comparison of two models on one suite.
  package struct Change: Sendable {
    package let difference: Double
    package let low: Double
    package let high: Double
    /// As many as it stands for (Bonferroni).
    package let comparisons: Int
    package let pValue: Double?
    package let isOutsideNoise: Bool
    /// `forgetting`, `gain`, `within noise`, `same`.
    package let verdict: String?
    /// Records that went from right to wrong, and from wrong to right.
    package let fell: Int?
    package let rose: Int?
    /// Of a change from the best step: which one, 0 being the base.
    package let step: Int?
  }

  package struct Suite: Sendable {
    package let name: String
    package let metric: String
    package let records: Int
    package let bestConstant: Double?
    package let smallestDrop: Double?
    package let smallestDropFromBest: Double?
  }

  package struct GeneralSuite: Sendable {
    package let suite: String
    package let metric: String
    package let isHigherBetter: Bool
    package let base: Double
    /// After each step; nil where it was not measured.
    package let after: [Double?]
    /// In points of a share, else in the metric's own unit.
    package let isShare: Bool
    package let change: Double?
    package let percent: Double?
    package let verdict: String?
    package let severity: String?
    package let interval: Change?
  }

  package struct General: Sendable {
    package let mean: Double
    package let low: Double?
    package let high: Double?
    package let isOutsideNoise: Bool?
    package let worst: String?
    package let worstPoints: Double?
    package let severity: String?
    package let suites: [GeneralSuite]
  }

  package struct Task: Sendable {
    package let name: String
    package let fromBase: Change?
    package let fromBest: Change?
    package let fromLearned: Change?
  }

  package struct Seed: Sendable {
    package let seed: JSONValue
    /// Rows from the base on; nil where there is no score.
    package let cells: [[Double?]]
    package let standardErrors: [[Double?]]
    package let metrics: [(name: String, value: Double?)]
    package let forgotten: Int
    package let tasks: [Task]
    package let joint: [Double?]
    package let general: General?
    /// Suites whose metric is no share, such as bits per byte.
    package let text: [GeneralSuite]
  }

  package struct Method: Sendable {
    package let name: String
    package let labels: JSONObject
    package let tasks: [String]
    /// Nil where it is not known.
    package let hasLearned: Bool?
    package let metrics: [(name: String, value: Summary?)]
    /// Why a metric has no value.
    package let missing: [(name: String, reason: String)]
    /// Row 0 is the base, row i after task i.
    package let cells: [[Cell?]]
    package let general: General?
    package let seeds: [Seed]

    package func metric(_ name: String) -> Summary? { metrics.first { $0.name == name }?.value }

    /// Drops beyond noise, over all seeds, and of how many.
    package var forgotten: (count: Int, of: Int) { (seeds.reduce(0) { $0 + $1.forgotten }, tasks.count * seeds.count) }
  }

  package struct Comparison: Sendable {
    package let method: String
    package let against: String
    package let metric: String
    package let claim: String
    package let claimAtEqualGain: String?
  }

  /// The instance that reported it.
  package let instance: String
  package let title: String
  package let confidence: Double
  package let referenceMethod: String?
  /// The metric that tells who learned: `gain`, or `gain_over_base` where that is not known.
  package let learningToldBy: String?
  package let suites: [Suite]
  package let methods: [Method]
  package let comparisons: [Comparison]
  /// What the trainings warned of.
  package let warnings: [String]
  /// The report's own `table`, whole.
  package let table: JSONValue

  package var json: JSONValue {
    var object = JSONObject([("instance", .string(instance)), ("title", .string(title))])
    for member in table.objectValue?.members ?? [] where object[member.key] == nil { object.append(member.key, member.value) }
    return .object(object)
  }
}
