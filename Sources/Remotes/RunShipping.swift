import Artifacts
import Diagnostics
import Execution
import Hashing
import JSONValues
import Planning

/// What of a run is shipped: its instances and which of their outputs. It reads a plan and no results.
package struct RunShipping: Sendable {
  package struct Item: Sendable {
    package let instance: RecordedRun.Instance
    /// Names of the outputs whose bytes go; all when nil, which leaves out those that are not kept.
    package let outputs: Set<String>?
    /// Outputs that need not be kept.
    package let passing: Set<String>
  }

  package let items: [Item]

  /// - Parameter targets: instances, patterns or `instance.output`; empty means all. With what they need.
  /// - Parameter only: of these alone the bytes go, of what they need no more than the results; nil means of all.
  package init(_ run: RecordedRun, plan: JSONValue, targets: [String], only: [String] = []) throws {
    let named = try (targets + only).map { try Self.find($0, run) }
    var wanted: [ByteString: Set<String>?] = [:]
    for (place, target) in named.enumerated() where only.isEmpty || place >= targets.count {
      for instance in target.instances { Self.add(target.output, to: &wanted[ByteString(instance.name)]) }
    }
    let passing = Self.passing(plan)
    let closure = named.isEmpty ? nil : Self.closure(named.flatMap(\.instances), run)
    items = run.instances.compactMap { instance in
      let name = ByteString(instance.name)
      guard closure?.contains(name) ?? true else { return nil }
      let outputs: Set<String>? = wanted[name] ?? (only.isEmpty ? nil : [])
      return Item(instance: instance, outputs: outputs, passing: passing[name] ?? [])
    }
  }

  private static func add(_ output: String?, to outputs: inout Set<String>??) {
    guard let output else {
      outputs = .some(nil)
      return
    }
    switch outputs {
    case nil: outputs = [output]
    case .some(nil): break
    case .some(let known?): outputs = known.union([output])
    }
  }

  private static func find(_ text: String, _ run: RecordedRun) throws -> (instances: [RecordedRun.Instance], output: String?) {
    let whole = StoreQueries.instances(text, run)
    if !whole.isEmpty { return (whole, nil) }
    let tail = text.lastIndex(of: "]") ?? text.startIndex
    if let dot = text[tail...].lastIndex(of: ".") {
      let instances = StoreQueries.instances(String(text[..<dot]), run)
      if !instances.isEmpty { return (instances, String(text[text.index(after: dot)...])) }
    }
    let near = InstancePath.nearest(text, among: run.instances.map(\.path)).map { "; did you mean '\($0)'?" } ?? ""
    throw QueryError("no instance '\(VisibleText.line(text, on: .terminal))' in run \(run.id) of \(run.recipe)\(near)")
  }

  /// These and everything that they hang on.
  private static func closure(_ instances: [RecordedRun.Instance], _ run: RecordedRun) -> Set<ByteString> {
    var needs: [ByteString: [String]] = [:]
    for instance in run.instances { needs[ByteString(instance.name)] = instance.needs }
    var found: Set<ByteString> = []
    var open = instances.map { ByteString($0.name) }
    while let name = open.popLast() {
      if found.insert(name).inserted { open += (needs[name] ?? []).map(ByteString.init) }
    }
    return found
  }

  private static func passing(_ plan: JSONValue) -> [ByteString: Set<String>] {
    var passing: [ByteString: Set<String>] = [:]
    for instance in plan["instances"]?.arrayValue ?? [] {
      guard let name = instance["instance"]?.stringValue, let outputs = instance["passing"]?.arrayValue else { continue }
      passing[ByteString(name)] = Set(outputs.compactMap(\.stringValue))
    }
    return passing
  }
}
