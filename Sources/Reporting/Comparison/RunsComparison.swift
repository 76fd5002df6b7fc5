import JSONValues

/// Two runs or more beside each other: which params differ, which instances, what was scored, how the curves went. `diff` says of two runs what
/// changed and why; this puts any number of them in columns, none of them before another.
package struct RunsComparison: Sendable {
  package struct Run: Sendable {
    package let id: String
    package let recipe: String
    package let started: Double
    package let seconds: Double?
    package let standing: String
    package let counts: [(state: String, count: Int)]
  }

  /// A param, and its value in each run; nil where it has none. Of a record, each of its fields stands for itself.
  package struct Difference: Sendable, Equatable {
    package let name: String
    package let values: [JSONValue?]

    package init(name: String, values: [JSONValue?]) { (self.name, self.values) = (name, values) }
  }

  /// One instance that is not the same in all the runs.
  package struct InstanceDifference: Sendable {
    package let name: String
    package let stage: String
    /// In each run; nil where it has no such instance.
    package let states: [String?]
    package let seconds: [Double?]
    /// Of its own parameters those that differ.
    package let parameters: [Difference]
    /// Inputs whose content differs.
    package let inputs: [String]
    /// Outputs whose content differs.
    package let outputs: [String]
  }

  package let runs: [Run]
  package let parameters: [Difference]
  package let instances: [InstanceDifference]
  /// How many instances are the same in all of it.
  package let same: Int
  package let metrics: [MethodMetric]
  package let matrices: [MatrixRow]
  package let evaluations: [EvaluationDifference]
  package let curves: [CurveGroup]

  package init(_ reports: [RunReport]) {
    runs = reports.map { report in
      let overview = report.overview
      return Run(
        id: overview.id, recipe: overview.recipe, started: overview.started, seconds: overview.seconds, standing: overview.standing,
        counts: overview.counts)
    }
    let numerics = Difference(name: "numerics", values: reports.map { .string($0.overview.numerics) })
    parameters = Self.differences(reports.map(\.overview.parameters)) + (numerics.isDifferent ? [numerics] : [])
    let rows = Self.aligned(reports.map(\.instances)) { $0.name }
    let differing = rows.compactMap { InstanceDifference($0.name, $0.found) }
    instances = differing
    same = rows.count - differing.count
    metrics = MethodMetric.all(reports)
    matrices = MatrixRow.all(reports)
    evaluations = EvaluationDifference.all(reports)
    curves = CurveGroup.all(reports)
  }

  // MARK: - Side by side

  /// Values of several runs brought together by name, in the order in which names first come; nil where a run has none.
  static func aligned<Value>(_ lists: [[Value]], by name: (Value) -> String) -> [(name: String, found: [Value?])] {
    var rows: [(name: String, found: [Value?])] = []
    var places: [ByteString: Int] = [:]
    for (run, list) in lists.enumerated() {
      for value in list {
        let name = name(value)
        let place = places[ByteString(name)] ?? rows.count
        if place == rows.count {
          places[ByteString(name)] = place
          rows.append((name, Array(repeating: nil, count: lists.count)))
        }
        rows[place].found[run] = value
      }
    }
    return rows
  }

  static func differences(_ objects: [JSONObject]) -> [Difference] {
    let flat = objects.map { object in object.members.flatMap { flattened($0.key, $0.value, depth: 0) } }
    return aligned(flat) { $0.0 }.map { Difference(name: $0.name, values: $0.found.map { $0?.1 }) }.filter(\.isDifferent)
  }

  private static func flattened(_ name: String, _ value: JSONValue, depth: Int) -> [(String, JSONValue)] {
    guard depth < 8, let members = value.objectValue?.members, !members.isEmpty else { return [(name, value)] }
    return members.flatMap { flattened("\(name).\($0.key)", $0.value, depth: depth + 1) }
  }
}

extension RunsComparison.Difference {
  var isDifferent: Bool { values.contains { $0 != values[0] } }

  package var json: JSONValue {
    // A param that is null is not the same as none: what is not there is left out.
    let said = values.enumerated().compactMap { run, value in value.map { (String(run), $0) } }
    return ["name": .string(name), "values": .object(JSONObject(said))]
  }
}

extension RunsComparison.InstanceDifference {
  fileprivate init?(_ name: String, _ rows: [InstanceRow?]) {
    let there = rows.compactMap(\.self)
    guard let first = there.first else { return nil }
    let parameters = RunsComparison.differences(there.map(\.parameters))
    let inputs = Self.differing(there.map { row in row.inputs.map { ($0.name, $0.elements.map(\.digest)) } })
    let outputs = Self.differing(there.map { row in row.outputs.map { ($0.name, [$0.digest.text]) } })
    let states = rows.map { $0.map { ["ran", "cached"].contains($0.state) ? "done" : $0.state } }
    let isSame =
      there.count == rows.count && parameters.isEmpty && inputs.isEmpty && outputs.isEmpty && states.allSatisfy { $0 == states[0] }
    if isSame { return nil }
    self.name = name
    stage = first.stage
    self.states = rows.map { $0?.state }
    seconds = rows.map { $0?.seconds }
    // Parameters of those that have the instance, put back into the columns of all.
    let places = rows.indices.filter { rows[$0] != nil }
    self.parameters = parameters.map { difference in
      var values = [JSONValue?](repeating: nil, count: rows.count)
      for (place, value) in zip(places, difference.values) { values[place] = value }
      return RunsComparison.Difference(name: difference.name, values: values)
    }
    self.inputs = inputs
    self.outputs = outputs
  }

  /// Names whose digests are not the same wherever something is known of them.
  private static func differing(_ sets: [[(String, [String])]]) -> [String] {
    RunsComparison.aligned(sets.filter { !$0.isEmpty }) { $0.0 }.filter { row in
      row.found.contains { $0?.1 != row.found[0]?.1 }
    }.map(\.name)
  }

  package var json: JSONValue {
    [
      "instance": .string(name), "stage": .string(stage), "states": .array(states.map(\.json)), "seconds": .array(seconds.map(\.json)),
      "parameters": .array(parameters.map(\.json)), "inputs": .array(inputs.map { .string($0) }),
      "outputs": .array(outputs.map { .string($0) }),
    ]
  }
}

extension RunsComparison.Run {
  package var json: JSONValue {
    var object = JSONObject([("run", .string(id)), ("recipe", .string(recipe)), ("started", .number(started))])
    if let seconds { object.append("seconds", .number(seconds)) }
    object.append("state", .string(standing))
    object.append("counts", .object(JSONObject(counts.map { ($0.state, .integer($0.count)) })))
    return .object(object)
  }
}

extension RunsComparison {
  private static let format = "heirloom comparison 1"

  package var json: JSONValue {
    [
      "format": .string(Self.format), "runs": .array(runs.map(\.json)), "parameters": .array(parameters.map(\.json)),
      "instances": .array(instances.map(\.json)), "same": .integer(same), "metrics": .array(metrics.map(\.json)),
      "matrices": .array(matrices.map(\.json)), "evaluations": .array(evaluations.map(\.json)), "curves": .array(curves.map(\.json)),
    ]
  }
}
