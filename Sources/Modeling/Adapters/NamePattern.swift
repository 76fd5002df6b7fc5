import Foundation

/// A regular expression that has to match the whole of a name, as PEFT and axolotl take them. Knows nothing of what is named.
///
/// It comes with an adapter, and a pattern can take longer than anybody waits: one that needs more than two million steps on a name does not
/// match it.
package struct NamePattern {
  package let text: String
  private let expression: NSRegularExpression

  /// ICU reports once in ten thousand steps.
  private static let mostReports = 200

  package init(_ text: String) throws(ModelError) {
    self.text = text
    do {
      // By itself first: a bracket too many must not close ours.
      _ = try NSRegularExpression(pattern: text)
      expression = try NSRegularExpression(pattern: "\\A(?:\(text))\\z")
    } catch { throw ModelError("'\(text)' is no regular expression") }
  }

  package func matches(_ name: String) -> Bool {
    var isFound = false
    var reports = 0
    expression.enumerateMatches(in: name, options: .reportProgress, range: NSRange(name.startIndex..., in: name)) { match, _, stop in
      reports += 1
      if match != nil { isFound = true }
      if isFound || reports > Self.mostReports { stop.pointee = true }
    }
    return isFound
  }
}
