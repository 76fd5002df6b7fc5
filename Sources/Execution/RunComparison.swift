import Artifacts
import Hashing
import JSONValues
import Planning

/// What differs between two runs: params, which instances there are, and of each what it was made from and what came out. The parts of keys
/// are compared as `plan` compares them, so a changed input, version or source has the same words here.
package struct RunComparison: Sendable {
  package struct Change: Sendable, Equatable {
    package let name: String
    /// Nil where there is none.
    package let old: JSONValue?
    package let new: JSONValue?

    var text: String { "\(name) \(old.map(ValueText.short) ?? "none") -> \(new.map(ValueText.short) ?? "none")" }

    var json: JSONValue { ["name": .string(name), "old": old ?? .null, "new": new ?? .null] }
  }

  package struct InstanceChange: Sendable {
    package let instance: String
    /// What it was made from: parameters, inputs, versions, sources.
    package let reasons: [String]
    package let outputs: [Change]
    package let metrics: [Change]
    /// Where one of them failed, was skipped or has no result.
    package let state: Change?
  }

  package let old: RecordedRun
  package let new: RecordedRun
  package let parameters: [Change]
  package let added: [String]
  package let removed: [String]
  package let changed: [InstanceChange]
  /// Instances that are the same in all of it.
  package let same: Int

  package init(_ old: RecordedRun, _ new: RecordedRun, in store: Store) throws {
    self.old = old
    self.new = new
    var parameters = Self.changes(old.parameters, new.parameters)
    if old.numerics != new.numerics {
      parameters.append(Change(name: "numerics", old: .string(old.numerics), new: .string(new.numerics)))
    }
    self.parameters = parameters
    var before = Dictionary(old.instances.map { (ByteString($0.name), $0) }, uniquingKeysWith: { $1 })
    var added: [String] = []
    var changed: [InstanceChange] = []
    var same = 0
    for instance in new.instances {
      guard let earlier = before.removeValue(forKey: ByteString(instance.name)) else {
        added.append(instance.name)
        continue
      }
      if let change = try Self.change(earlier, instance, store) { changed.append(change) } else { same += 1 }
    }
    self.added = added
    removed = old.instances.filter { before[ByteString($0.name)] != nil }.map(\.name)
    self.changed = changed
    self.same = same
  }

  // MARK: - One instance

  private static func change(_ old: RecordedRun.Instance, _ new: RecordedRun.Instance, _ store: Store) throws -> InstanceChange? {
    let (before, after) = (try old.key.flatMap { try store.result($0) }, try new.key.flatMap { try store.result($0) })
    var reasons: [String] = []
    if old.key != new.key, let before, let after { reasons = explain(before.parts, after.parts) }
    // What only affects speed is in no key.
    let unkeyed = changes(old.parameters, new.parameters).filter { change in
      !reasons.contains { $0.hasPrefix("\(change.name) ") || $0.hasPrefix("\(change.name).") || $0.hasPrefix("parameter \(change.name) ") }
    }
    reasons += unkeyed.map(\.text)
    if old.stage != new.stage, before == nil || after == nil { reasons.append("stage \(old.stage) -> \(new.stage)") }
    let outputs = changes(digests(before), digests(after))
    let metrics = changes(before?.answer.metrics ?? JSONObject(), after?.answer.metrics ?? JSONObject())
    let (oldState, newState) = (state(old, before), state(new, after))
    let state = oldState == newState ? nil : Change(name: "state", old: .string(oldState), new: .string(newState))
    if reasons.isEmpty, outputs.isEmpty, metrics.isEmpty, state == nil { return nil }
    return InstanceChange(instance: new.name, reasons: reasons, outputs: outputs, metrics: metrics, state: state)
  }

  /// Whether it was computed then or before makes no difference.
  private static func state(_ instance: RecordedRun.Instance, _ result: ResultRecord?) -> String {
    ["ran", "cached"].contains(instance.state) ? result == nil ? "no result" : "done" : instance.state
  }

  private static func digests(_ record: ResultRecord?) -> JSONObject {
    JSONObject((record?.answer.outputs ?? []).map { ($0.name, .string($0.digest.text)) })
  }

  /// Keys hold contents and not names, so an input is named as its contract names it.
  private static func explain(_ old: JSONValue, _ new: JSONValue) -> [String] {
    var reasons: [String] = []
    for reason in Reasons.explain(new: new, old: old, sourceName: { _, _ in "" }) {
      let text = reason.hasSuffix(": ") ? String(reason.dropLast(2)) : reason
      if !reasons.contains(text) { reasons.append(text) }
    }
    return reasons
  }

  private static func changes(_ old: JSONObject, _ new: JSONObject) -> [Change] {
    let names = old.keys + new.keys.filter { old[$0] == nil }
    return names.filter { old[$0] != new[$0] }.map { Change(name: $0, old: old[$0], new: new[$0]) }
  }
}

// MARK: - Words

extension RunComparison {
  package var isSame: Bool { parameters.isEmpty && added.isEmpty && removed.isEmpty && changed.isEmpty }

  package var lines: [String] {
    var lines = ["- \(Self.head(old))", "+ \(Self.head(new))"]
    lines += parameters.map { "param \($0.text)" }
    lines += removed.map { "removed  \($0)" }
    lines += added.map { "added    \($0)" }
    for change in changed {
      lines.append(change.instance)
      if let state = change.state { lines.append("  \(state.text)") }
      lines += change.reasons.map { "  \($0)" }
      lines += change.outputs.map { "  output \($0.name) \(Self.short($0.old)) -> \(Self.short($0.new))" }
      lines += change.metrics.map { "  metric \($0.text)" }
    }
    lines.append(isSame ? "no difference" : "\(Count.text(same, "instance")) the same")
    return lines
  }

  private static func head(_ run: RecordedRun) -> String { "\(run.id)  \(run.recipe)  \(run.standingName)" }

  /// As much of a digest as tells two apart.
  private static func short(_ digest: JSONValue?) -> String { digest?.stringValue.map { String($0.dropFirst(7).prefix(12)) } ?? "none" }

  package var json: JSONValue {
    [
      "old": .string(old.id), "new": .string(new.id), "parameters": .array(parameters.map(\.json)),
      "added": .array(added.map(JSONValue.string)), "removed": .array(removed.map(JSONValue.string)),
      "changed": .array(
        changed.map { change in
          [
            "instance": .string(change.instance), "reasons": .array(change.reasons.map(JSONValue.string)),
            "outputs": .array(change.outputs.map(\.json)), "metrics": .array(change.metrics.map(\.json)),
            "state": change.state?.json ?? .null,
          ]
        }),
      "same": .integer(same),
    ]
  }
}
