import Datasets

/// What a gate asks of one metric.
package struct GateBound: Sendable, Equatable {
  /// One limit of a bound.
  package enum Limit: Sendable, Equatable {
    case min(Double)
    case max(Double)
    /// At most so far below the base, in the unit of the score: points for shares of right answers.
    case maxDrop(Double)

    package var name: String {
      switch self {
      case .min: "min"
      case .max: "max"
      case .maxDrop: "max_drop"
      }
    }

    package var value: Double {
      switch self {
      case .min(let value), .max(let value), .maxDrop(let value): value
      }
    }
  }

  /// `general`, `worst`, a suite, a metric of a report on forgetting, or a path into another report.
  package let metric: String
  /// Of `general` and `worst`: only these suites; all where empty.
  package let suites: [String]
  /// Only the models or methods of this name or axis value.
  package let method: String?
  package let limits: [Limit]
  /// A drop counts only where noise does not explain it.
  package let isSignificant: Bool

  package static let mean = "general"
  package static let worst = "worst"

  package init(
    metric: String, suites: [String] = [], method: String? = nil, min: Double? = nil, max: Double? = nil, maxDrop: Double? = nil,
    isSignificant: Bool = false
  ) throws(DatasetError) {
    (self.metric, self.suites, self.method, self.isSignificant) = (metric, suites, method, isSignificant)
    limits = [min.map { .min($0) }, max.map { .max($0) }, maxDrop.map { .maxDrop($0) }].compactMap { $0 }
    guard !limits.isEmpty else { throw DatasetError("'\(metric)' needs min, max or max_drop") }
    if let min, let max, min > max { throw DatasetError("'\(metric)' cannot be at least \(min) and at most \(max)") }
    if let maxDrop, maxDrop < 0 { throw DatasetError("max_drop of '\(metric)' is \(maxDrop); a drop is a positive number") }
    guard !isSignificant || maxDrop != nil else { throw DatasetError("significant is of max_drop, and '\(metric)' has none") }
    guard suites.isEmpty || isOfSuites else { throw DatasetError("suites are of 'general' and 'worst', not of '\(metric)'") }
  }

  /// Whether it looks at suites together.
  var isOfSuites: Bool { [Self.mean, Self.worst].contains { $0.utf8.elementsEqual(metric.utf8) } }
  var isWorst: Bool { metric.utf8.elementsEqual(Self.worst.utf8) }
}

/// What a gate found of one limit and one model.
package struct GateCheck: Sendable, Equatable {
  package let bound: GateBound
  package let limit: GateBound.Limit
  /// The model or method; nil where a report speaks of none.
  package let subject: String?
  /// The suite that a `worst` is about.
  package let suite: String?
  /// The metric; of max_drop the change from the base, negative for a drop.
  package let value: Double
  /// Where the change lies, where that is known.
  package let low: Double?
  package let high: Double?
  /// Whether noise does not explain the change.
  package let isOutsideNoise: Bool?

  init(
    _ bound: GateBound, _ limit: GateBound.Limit, subject: String?, suite: String? = nil, value: Double, low: Double? = nil,
    high: Double? = nil, isOutsideNoise: Bool? = nil
  ) {
    (self.bound, self.limit, self.subject, self.suite, self.value) = (bound, limit, subject, suite, value)
    (self.low, self.high, self.isOutsideNoise) = (low, high, isOutsideNoise)
  }

  /// How far beyond the limit; 0 or less is inside.
  package var excess: Double {
    switch limit {
    case .min(let least): least - value
    case .max(let most): value - most
    case .maxDrop(let most): -value - most
    }
  }

  /// Beyond the limit, and only by noise.
  package var isExcused: Bool { excess > Self.tolerance && bound.isSignificant && isOutsideNoise == false }
  package var isPassed: Bool { excess <= Self.tolerance || isExcused }

  /// What sums of hundredths leave behind.
  private static let tolerance = 1e-9
}
