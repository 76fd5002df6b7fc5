import JSONValues

/// How an answer is judged, as data: the `verify` member of a record and the `scorer` of a suite.
///
/// `{"rule":"exact","ignore_case":true}`. It says what to do; `Evaluation` does it.
///
/// Indirect: most records have none, and a table of records should not keep room for it.
package indirect enum VerifyRule: Sendable, Equatable {
  case exact(TextNormalization)
  case numeric(NumericRule)
  case regex(RegexRule)
  case contains(TextNormalization)
  /// The completion names one of the record's choices, by its text or by its letter.
  case choice

  package var name: String {
    switch self {
    case .exact: "exact"
    case .numeric: "numeric"
    case .regex: "regex"
    case .contains: "contains"
    case .choice: "choice"
    }
  }
}

/// What is taken away from both sides before texts are compared; names and order as in lm-eval's `exact_match`:
/// `regexes_to_ignore`, then lower case, punctuation, digits. `strip` (on by default) drops white space at both ends last.
package struct TextNormalization: Sendable, Equatable {
  package var ignoreCase = false
  package var ignorePunctuation = false
  package var ignoreNumbers = false
  package var regexesToIgnore: [String] = []
  package var strip = true

  package init(
    ignoreCase: Bool = false, ignorePunctuation: Bool = false, ignoreNumbers: Bool = false, regexesToIgnore: [String] = [],
    strip: Bool = true
  ) {
    self.ignoreCase = ignoreCase
    self.ignorePunctuation = ignorePunctuation
    self.ignoreNumbers = ignoreNumbers
    self.regexesToIgnore = regexesToIgnore
    self.strip = strip
  }
}

/// A number in the completion against the number of the answer: |a − b| ≤ tolerance + relative_tolerance · |b|.
package struct NumericRule: Sendable, Equatable {
  package enum Take: String, Sendable, CaseIterable {
    /// The last number that stands in the completion.
    case last
    case first
    /// The completion as a whole must be a number.
    case whole
  }

  package var take: Take
  package var tolerance: Double
  package var relativeTolerance: Double

  package init(take: Take = .last, tolerance: Double = 0, relativeTolerance: Double = 0) {
    self.take = take
    self.tolerance = tolerance
    self.relativeTolerance = relativeTolerance
  }
}

/// A group of the pattern's match is the answer, compared as `exact` does.
package struct RegexRule: Sendable, Equatable {
  package enum Take: String, Sendable, CaseIterable { case first, last }

  package var pattern: String
  /// 0 is the whole match.
  package var group: Int
  package var take: Take
  package var normalization: TextNormalization

  package init(pattern: String, group: Int = 1, take: Take = .first, normalization: TextNormalization = .init()) {
    self.pattern = pattern
    self.group = group
    self.take = take
    self.normalization = normalization
  }
}
