import Diagnostics
import JSONValues
import Manifests

/// Reads the values of an axis, of a matrix or a scan: a list that is not empty and has no value twice.
enum AxisReader {
  enum Kind { case matrix, scan }

  /// Nil, and an error, when there is no list. Other faults leave the values, so that the rest is checked as well.
  static func values(_ axis: Node.Member, _ scope: Scope, _ kind: Kind, _ findings: inout Findings) -> [JSONValue]? {
    let expression = Expression(axis.value, &findings)
    do {
      let value = try expression.evaluate(scope)
      guard case .array(let values) = value else {
        findings.error(PlanningText.axisIsNoList(axis.key, ValueText.described(value)), at: axis.value.location)
        return nil
      }
      if values.isEmpty {
        findings.error(kind == .scan ? PlanningText.emptyScan(axis.key) : PlanningText.emptyAxis(axis.key), at: axis.value.location)
      }
      checkUnique(values, axis, kind, &findings)
      return values
    } catch {
      findings.add(error)
      return nil
    }
  }

  private static func checkUnique(_ values: [JSONValue], _ axis: Node.Member, _ kind: Kind, _ findings: inout Findings) {
    var seen: Set<JSONValue> = []
    for (place, value) in values.enumerated() where !seen.insert(value).inserted {
      let location = axis.value.elements.flatMap { $0.indices.contains(place) ? $0[place].location : nil } ?? axis.value.location
      let text = kind == .scan ? PlanningText.duplicateStep(axis.key, value) : PlanningText.duplicateAxisValue(axis.key, value)
      findings.error(text, at: location)
    }
  }
}
