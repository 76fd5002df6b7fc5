import Datasets
import JSONValues

/// A weighted sum of reward components, as a stage's parameter `rewards` lists them. Knows nothing of groups, advantages and training.
///
/// It keeps the programs of its `command` components running between batches, so there is one for a stage's life; `close` ends them.
package final class RewardSum {
  package struct Term {
    package let name: String
    package let weight: Double
    /// Whether the sum is null when this component is.
    package let isRequired: Bool
    let component: any RewardComponent
  }

  package let terms: [Term]

  package var names: [String] { terms.map(\.name) }

  /// - Parameters:
  ///   - components: the elements of a checked `rewards` list.
  ///   - programPath: what `{program}` stands for in the words of a command.
  ///   - log: is given what programs write to their standard error, line by line.
  package init(_ components: [JSONValue], programPath: String? = nil, log: @escaping (String) -> Void = { _ in }) throws(RewardError) {
    var terms: [Term] = []
    for (index, json) in components.enumerated() {
      let place = "rewards[\(index)]"
      let term = try RewardReader(json, place).term(programPath: programPath, log: log)
      if let earlier = terms.firstIndex(where: { $0.name.hasSameBytes(as: term.name) }) {
        throw RewardError(place, "has the name of rewards[\(earlier)], '\(term.name)'; give each a 'name' of its own")
      }
      terms.append(term)
    }
    guard !terms.isEmpty else { throw RewardError("rewards", "the list is empty") }
    self.terms = terms
  }

  /// The rewards of these completions, in their order. A batch of many is better than many of one, for `command`.
  package func score(_ requests: [RewardRequest]) throws -> [RewardBreakdown] {
    let columns = try terms.map { term in try term.component.score(requests) }
    return try requests.indices.map { row in
      let values = columns.map { $0[row] }
      let total = total(values)
      if let total, !Float(total).isFinite {
        throw RewardError("rewards", "the weighted sum is \(total), beyond what a reward can be", record: requests[row].name(row))
      }
      return RewardBreakdown(components: zip(terms, values).map { .init($0.name, $1) }, total: total)
    }
  }

  private func total(_ values: [Double?]) -> Double? {
    var sum: Double?
    for (term, value) in zip(terms, values) {
      if let value { sum = (sum ?? 0) + term.weight * value } else if term.isRequired { return nil }
    }
    return sum
  }

  /// Ends programs. One that has more to say, or does not end, is an error; `deinit` ends them without asking.
  package func close() throws {
    for term in terms { try term.component.close() }
  }
}

/// One kind of reward. A value that cannot be had is nil.
protocol RewardComponent {
  func score(_ requests: [RewardRequest]) throws -> [Double?]
  func close() throws
}

extension RewardComponent {
  func close() throws {}
}
