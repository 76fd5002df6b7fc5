import Artifacts
import Execution
import JSONValues

/// A run as a line among runs: which recipe, how it stands, and the numbers that people look for first.
package struct RunListEntry: Sendable {
  /// What a method came to, by `report/forgetting`.
  package struct Headline: Sendable, Equatable {
    package let method: String
    /// In points; nil where there is none.
    package let averageAccuracy: Double?
    package let forgetting: Double?
  }

  package let id: String
  /// As `pin --run` named it.
  package let name: String?
  package let recipe: String
  /// Seconds since 1970.
  package let started: Double
  package let seconds: Double?
  package let standing: String
  package let instances: Int
  /// By state, those that there are, in a fixed order.
  package let counts: [(state: String, count: Int)]
  package let headlines: [Headline]

  package init(_ run: RecordedRun, _ store: Store, name: String?) {
    id = run.id
    self.name = name
    recipe = run.recipe
    started = run.started
    seconds = run.seconds
    standing = run.standingName
    instances = run.instances.count
    counts = Overview.states.map { ($0, run.count($0)) }.filter { $0.1 > 0 }
    // What cannot be read is told on the run's own page.
    let matrices = (try? MatrixReport.read(run, store)) ?? []
    headlines = matrices.flatMap(\.methods).map {
      Headline(method: $0.name, averageAccuracy: $0.metric("avg_acc")?.mean, forgetting: $0.metric("fm")?.mean)
    }
  }

  package func count(_ state: String) -> Int { counts.first { $0.state == state }?.count ?? 0 }

  package var json: JSONValue {
    var object = JSONObject([("run", .string(id)), ("name", name.json), ("recipe", .string(recipe)), ("started", .number(started))])
    if let seconds { object.append("seconds", .number(seconds)) }
    object.append("state", .string(standing))
    object.append("instances", .integer(instances))
    object.append("counts", .object(JSONObject(counts.map { ($0.state, .integer($0.count)) })))
    if !headlines.isEmpty {
      object.append(
        "headlines",
        .array(headlines.map { ["method": .string($0.method), "avg_acc": $0.averageAccuracy.json, "fm": $0.forgetting.json] }))
    }
    return .object(object)
  }
}
