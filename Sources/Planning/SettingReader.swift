import Diagnostics
import Hashing
import JSONValues
import Manifests

/// Reads the settings of a stage that are no parameters: counts, amounts of memory, times, digests. Each may be a `${…}`.
enum SettingReader {
  static func count(_ node: Node, _ name: String, atLeast least: Int, _ scope: Scope, _ findings: inout Findings) -> Int? {
    guard let value = value(node, scope, &findings) else { return nil }
    if let count = value.integerValue, count >= least { return count }
    findings.error(PlanningText.count(name, least, ValueText.described(value)), at: node.location)
    return nil
  }

  static func memory(_ node: Node, _ scope: Scope, _ findings: inout Findings) -> Int? {
    guard let value = value(node, scope, &findings) else { return nil }
    if let bytes = Quantity.bytes(value) { return bytes }
    findings.error(PlanningText.memory(ValueText.described(value)), at: node.location)
    return nil
  }

  static func seconds(_ node: Node, _ scope: Scope, _ findings: inout Findings) -> Double? {
    guard let value = value(node, scope, &findings) else { return nil }
    if let seconds = Quantity.seconds(value) { return seconds }
    findings.error(PlanningText.time(ValueText.described(value)), at: node.location)
    return nil
  }

  static func digest(_ node: Node, _ scope: Scope, _ findings: inout Findings) -> Digest? {
    guard let value = value(node, scope, &findings) else { return nil }
    if let text = value.stringValue, text.hasPrefix("sha256:"), let digest = Digest(text) { return digest }
    findings.error(PlanningText.digest(ValueText.described(value)), at: node.location)
    return nil
  }

  private static func value(_ node: Node, _ scope: Scope, _ findings: inout Findings) -> JSONValue? {
    var own = Findings()
    let expression = Expression(node, &own)
    findings.add(contentsOf: own)
    guard !own.hasErrors else { return nil }
    do {
      return try expression.evaluate(scope)
    } catch {
      findings.add(error)
      return nil
    }
  }
}
