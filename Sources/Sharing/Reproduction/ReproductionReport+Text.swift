import Diagnostics
import Hashing
import JSONValues

extension ReproductionReport {
  /// As a terminal shows it: what differs from the lock in what goes in, the table, and a last line.
  package var lines: [String] {
    var lines = comparison.lines.map { "changed  " + $0 }
    let shown = rows.filter { $0.verdict != .notRun || !$0.causes.isEmpty || !$0.follows.isEmpty }
    let names = shown.map { VisibleText.line($0.name, on: .terminal) }
    let width = names.reduce(0) { max($0, $1.count) }
    for (row, name) in zip(shown, names) {
      let verdict = Self.pad(row.verdict.rawValue, 12)
      let why = VisibleText.line(row.why, most: 400, on: .terminal)
      var text = "\(verdict)  \(Self.pad(name, width))  \(Self.short(row.locked))  \(Self.short(row.found))"
      if !why.isEmpty { text += "  \(why)" }
      lines.append(text)
    }
    return lines + [summary]
  }

  /// `quickstart: reproduced: 91 identical`.
  package var summary: String {
    let counts = Verdict.allCases.map { (name: $0.rawValue, count: count($0)) }.filter { $0.count > 0 }
    let text = counts.map { "\($0.count) \($0.name)" }.joined(separator: ", ")
    return
      "\(VisibleText.line(recipe, on: .terminal)): \(isReproduced ? "reproduced" : "not reproduced"): \(text.isEmpty ? "nothing" : text)"
  }

  private static func pad(_ text: String, _ width: Int) -> String { text + String(repeating: " ", count: max(0, width - text.count)) }

  private static func short(_ digest: Digest?) -> String { digest.map { String($0.hex.prefix(12)) } ?? "-           " }

  package var json: JSONValue {
    [
      "recipe": .string(recipe), "lock": .string(lock.text), "reproduced": .bool(isReproduced), "numerics": .string(numerics),
      "engine": .string(engine), "locked_engine": .string(lockedEngine), "selection": selection.json, "trusts_inputs": .bool(trustsInputs),
      "changed": comparison.json["differences"] ?? [], "outputs": .array(rows.map(\.json)),
      "counts": .object(JSONObject(Verdict.allCases.map { ($0.rawValue, .integer(count($0))) })),
    ]
  }
}

extension ReproductionReport.Row {
  package var name: String { output.isEmpty ? instance : "\(instance).\(output)" }

  /// Causes first; where there are none, what it follows from.
  package var why: String {
    let following = follows.isEmpty ? [] : ["follows " + (follows.prefix(3).joined(separator: ", ") + (follows.count > 3 ? ", …" : ""))]
    return (causes + following).joined(separator: "; ")
  }

  package var json: JSONValue {
    var object = JSONObject([("instance", .string(instance))])
    if !output.isEmpty { object.set("output", .string(output)) }
    object.set("locked", locked.map { .string($0.text) } ?? .null)
    object.set("found", found.map { .string($0.text) } ?? .null)
    object.set("verdict", .string(verdict.rawValue))
    if !causes.isEmpty { object.set("causes", .array(causes.map(JSONValue.string))) }
    if !follows.isEmpty { object.set("follows", .array(follows.map(JSONValue.string))) }
    return .object(object)
  }
}

extension Selection {
  package var json: JSONValue {
    switch self {
    case .all: ["all": true]
    case .named(let names): ["instances": .array(names.map(JSONValue.string))]
    case .sample(let count, let seed): ["sample": .integer(count), "seed": .string(String(seed))]
    }
  }
}
