import JSONValues

/// Why an instance has to run, in words: its key's parts compared with those of the nearest earlier result of the same stage.
///
/// It reads the very parts that are hashed (see `KeyBuilder`), so whatever changes a key is named here: members it has no words for
/// are named as they are.
package enum Reasons {
  /// How the manifest names an element of an input now; `element` counts from 0. Keys hold contents, not names.
  package typealias SourceName = (_ input: String, _ element: Int) -> String

  package static let neverRun = "never run"

  /// In the order version, numerics, parameters, inputs, what runs; empty when the parts are the same.
  package static func explain(new: JSONValue, old: JSONValue?, sourceName: SourceName) -> [String] {
    guard let old else { return [neverRun] }
    return version(new, old) + numerics(new, old) + parameters(new, old) + inputs(new, old, sourceName) + run(new, old) + rest(new, old)
  }

  /// The same, with the names that an instance of a graph has for its inputs.
  package static func explain(new: JSONValue, old: JSONValue?, _ instance: StageInstance, in graph: InstanceGraph) -> [String] {
    explain(new: new, old: old) { input, element in
      guard let bound = instance.inputs.first(where: { $0.declaration.name == input }), bound.elements.indices.contains(element) else {
        return input
      }
      return graph.sourceName(bound.elements[element])
    }
  }

  /// How many reasons there are: the earlier result with the fewest is the nearest.
  package static func distance(new: JSONValue, old: JSONValue) -> Int {
    explain(new: new, old: old) { input, _ in input }.count
  }

  // MARK: - Contract

  private static func version(_ new: JSONValue, _ old: JSONValue) -> [String] {
    var reasons: [String] = []
    if new["stage"] != old["stage"] { reasons.append("stage \(changed(new["stage"], old["stage"]))") }
    if new["version"] != old["version"] { reasons.append("contract version \(changed(new["version"], old["version"]))") }
    if new["outputs"] != old["outputs"] { reasons.append("outputs \(changed(new["outputs"], old["outputs"]))") }
    return reasons
  }

  private static func numerics(_ new: JSONValue, _ old: JSONValue) -> [String] {
    guard new["numerics"] != old["numerics"] else { return [] }
    return ["numerics \(changed(new["numerics"], old["numerics"]))"]
  }

  private static func changed(_ new: JSONValue?, _ old: JSONValue?) -> String {
    "\(old.map(ValueText.short) ?? "none") -> \(new.map(ValueText.short) ?? "none")"
  }

  // MARK: - Parameters

  private static func parameters(_ new: JSONValue, _ old: JSONValue) -> [String] {
    differences(new["parameters"]?.objectValue ?? JSONObject(), old["parameters"]?.objectValue ?? JSONObject(), prefix: "")
  }

  /// Fields of records one by one, everything else whole.
  private static func differences(_ new: JSONObject, _ old: JSONObject, prefix: String) -> [String] {
    var reasons: [String] = []
    for (name, value) in new.members {
      switch (value, old[name]) {
      case (let value, let before?) where value == before: continue
      case (.object(let inner), .object(let before)?): reasons += differences(inner, before, prefix: "\(prefix)\(name).")
      case (let value, let before?): reasons.append("\(prefix)\(name) \(changed(value, before))")
      case (let value, nil): reasons.append("parameter \(prefix)\(name) added: \(ValueText.short(value))")
      }
    }
    for name in old.keys where new[name] == nil { reasons.append("parameter \(prefix)\(name) removed") }
    return reasons
  }

  // MARK: - Inputs

  private static func inputs(_ new: JSONValue, _ old: JSONValue, _ sourceName: SourceName) -> [String] {
    let (new, old) = (new["inputs"]?.objectValue ?? JSONObject(), old["inputs"]?.objectValue ?? JSONObject())
    var reasons: [String] = []
    for (name, value) in new.members {
      switch (value, old[name]) {
      case (let value, let before?) where value == before: continue
      case (.array(let elements), .array(let before)?): reasons += list(name, elements, before, sourceName)
      case (.array(let elements), nil):
        reasons += elements.indices.map { "input \(name) added: \(sourceName(name, $0))" }
      case (_, nil): reasons.append("input \(name) added: \(sourceName(name, 0))")
      case (_, _): reasons.append("input \(name) changed: \(sourceName(name, 0))")
      }
    }
    for name in old.keys where new[name] == nil { reasons.append("input \(name) removed") }
    return reasons
  }

  private static func list(_ name: String, _ new: [JSONValue], _ old: [JSONValue], _ sourceName: SourceName) -> [String] {
    if new.count == old.count {
      if Set(new) == Set(old), Set(new).count == new.count { return ["input \(name) reordered"] }
      return new.indices.filter { new[$0] != old[$0] }.map { place in
        let isSameBytes = digest(new[place]) == digest(old[place])
        return "input \(name) \(isSameBytes ? "has other axis values" : "changed"): \(sourceName(name, place))"
      }
    }
    var before = Dictionary(old.map { ($0, 1) }, uniquingKeysWith: +)
    var reasons: [String] = []
    for (place, element) in new.enumerated() {
      if let count = before[element], count > 0 {
        before[element] = count - 1
      } else {
        reasons.append("input \(name) added: \(sourceName(name, place))")
      }
    }
    let removed = before.values.reduce(0, +)
    if removed > 0 { reasons.append("input \(name) has lost \(removed == 1 ? "an element" : "\(removed) elements")") }
    return reasons
  }

  private static func digest(_ element: JSONValue) -> JSONValue { element["digest"] ?? element }

  // MARK: - What runs

  private static func run(_ new: JSONValue, _ old: JSONValue) -> [String] {
    guard let new = new["run"], let old = old["run"], new != old else { return [] }
    guard new["command"] != nil, old["command"] != nil else { return ["native stage \(changed(new["native"], old["native"]))"] }
    var reasons = new["command"] == old["command"] ? [] : ["command changed"]
    reasons += sources(new["sources"]?.objectValue ?? JSONObject(), old["sources"]?.objectValue ?? JSONObject())
    reasons += versions(new["versions"]?.arrayValue ?? [], old["versions"]?.arrayValue ?? [])
    reasons += environment(new["keyed_environment"]?.objectValue ?? JSONObject(), old["keyed_environment"]?.objectValue ?? JSONObject())
    return reasons
  }

  private static func sources(_ new: JSONObject, _ old: JSONObject) -> [String] {
    let present = new.members.compactMap { name, digest in
      old[name] == digest ? nil : "source \(name) \(old[name] == nil ? "added" : "changed")"
    }
    return present + old.keys.filter { new[$0] == nil }.map { "source \($0) removed" }
  }

  private static func versions(_ new: [JSONValue], _ old: [JSONValue]) -> [String] {
    var reasons: [String] = []
    for version in new {
      let words = (version["command"]?.arrayValue ?? []).map(ValueText.plain).joined(separator: " ")
      guard let before = old.first(where: { $0["command"] == version["command"] }) else {
        reasons.append("version command added: \(words)")
        continue
      }
      guard before["prints"] != version["prints"] else { continue }
      reasons.append("\(words) printed \(trimmed(before["prints"])) -> \(trimmed(version["prints"]))")
    }
    for version in old where !new.contains(where: { $0["command"] == version["command"] }) {
      reasons.append("version command removed: \((version["command"]?.arrayValue ?? []).map(ValueText.plain).joined(separator: " "))")
    }
    return reasons
  }

  /// What a command printed, without the line break at its end.
  private static func trimmed(_ printed: JSONValue?) -> String {
    guard var text = printed?.stringValue else { return "nothing" }
    while let last = text.last, last.isWhitespace { text.removeLast() }
    return ValueText.short(.string(text))
  }

  private static func environment(_ new: JSONObject, _ old: JSONObject) -> [String] {
    let present = new.members.compactMap { name, value -> String? in
      old[name] == value ? nil : "\(name) \(unset(old[name])) -> \(unset(value))"
    }
    return present + old.keys.filter { new[$0] == nil }.map { "\($0) no longer in the key" }
  }

  private static func unset(_ value: JSONValue?) -> String {
    guard let value, !value.isNull else { return "unset" }
    return ValueText.short(value)
  }

  // MARK: - Anything else

  private static let known: Set<String> = ["stage", "version", "outputs", "numerics", "parameters", "inputs", "run"]

  private static func rest(_ new: JSONValue, _ old: JSONValue) -> [String] {
    let (new, old) = (new.objectValue ?? JSONObject(), old.objectValue ?? JSONObject())
    let names = new.keys + old.keys.filter { new[$0] == nil }
    return names.filter { !known.contains($0) && new[$0] != old[$0] }.map { "\($0) \(changed(new[$0], old[$0]))" }
  }
}
