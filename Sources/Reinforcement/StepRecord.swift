import JSONValues

/// The metrics of one step, under TRL's names where it has one.
package struct StepRecord: Sendable {
  /// From 1.
  package let step: Int
  /// A function of what the stage was given: may be kept in an artifact. NaN where there was nothing to measure.
  package let values: [(name: String, value: Double)]
  /// Seconds and rates: for people who watch.
  package let timings: [(name: String, value: Double)]
}

/// Sums over the updates of a step, so far: they outlive a stop within it.
struct StepSums: Equatable {
  var updates = 0
  var gradNorm = 0.0
  var loss = PolicyLossStatistics()
  /// Of each parameter term, in the run's order.
  var terms: [Double] = []

  mutating func add(_ statistics: PolicyLossStatistics, gradNorm: Double, terms: [Double]) {
    updates += 1
    self.gradNorm += gradNorm
    self.terms = self.terms.isEmpty ? terms : zip(self.terms, terms).map { $0 + $1 }
    loss.add(statistics)
  }

  /// Numbers in one order; infinities, which JSON has no word for, stand for "none yet".
  var json: JSONValue {
    .array([
      .integer(updates), .number(gradNorm), .number(loss.loss), .integer(loss.tokens), .number(loss.klSum), .integer(loss.klTokens),
      .integer(loss.ratios), .number(loss.ratioSum), loss.ratios > 0 ? .number(loss.ratioMinimum) : .null,
      loss.ratios > 0 ? .number(loss.ratioMaximum) : .null, .integer(loss.clippedLow), .integer(loss.clippedHigh),
      .integer(loss.clippedDual), .array(terms.map(JSONValue.number)),
    ])
  }

  init() {}

  init?(json: JSONValue?) {
    guard let items = json?.arrayValue, items.count == 14 else { return nil }
    let integers = items.map(\.integerValue)
    let numbers = items.map(\.numberValue)
    guard let updates = integers[0], let gradNorm = numbers[1], let total = numbers[2], let tokens = integers[3], let klSum = numbers[4],
      let klTokens = integers[5], let ratios = integers[6], let ratioSum = numbers[7], let low = integers[10], let high = integers[11],
      let dual = integers[12], let terms = items[13].arrayValue?.compactMap(\.numberValue)
    else { return nil }
    self.updates = updates
    self.gradNorm = gradNorm
    self.terms = terms
    loss.loss = total
    loss.tokens = tokens
    loss.klSum = klSum
    loss.klTokens = klTokens
    loss.ratios = ratios
    loss.ratioSum = ratioSum
    loss.ratioMinimum = numbers[8] ?? .infinity
    loss.ratioMaximum = numbers[9] ?? -.infinity
    loss.clippedLow = low
    loss.clippedHigh = high
    loss.clippedDual = dual
  }
}
