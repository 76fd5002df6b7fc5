import Foundation

/// A regular expression that has to match the whole of a name, as PEFT and axolotl take them. Knows nothing of what is named.
///
/// It comes with an adapter, and a pattern can take longer than anybody waits: one that needs more than thirty thousand steps on a name is
/// endless and does not match it.
package struct NamePattern: @unchecked Sendable, Equatable {  // NSRegularExpression never changes once made
  package enum Answer { case matches, differs, endless }

  package let text: String
  private let expression: NSRegularExpression

  /// ICU reports once in ten thousand steps.
  private static let mostReports = 3
  /// In UTF-16 units; reading a pattern takes up to 20 µs for each.
  private static let longest = 1 << 13

  package init(_ text: String) throws(ModelError) {
    guard text.utf16.count <= Self.longest else { throw ModelError("a regular expression has more than \(Self.longest) characters") }
    self.text = text
    do {
      // By itself first: a bracket too many must not close ours.
      _ = try NSRegularExpression(pattern: text)
      expression = try NSRegularExpression(pattern: "\\A(?:\(text))\\z")
    } catch { throw ModelError("'\(text)' is no regular expression") }
  }

  package static func == (left: NamePattern, right: NamePattern) -> Bool { left.text.utf8.elementsEqual(right.text.utf8) }

  package func matches(_ name: String) -> Bool { answer(name) == .matches }

  package func answer(_ name: String) -> Answer {
    var answer = Answer.differs
    var reports = 0
    expression.enumerateMatches(in: name, options: .reportProgress, range: NSRange(name.startIndex..., in: name)) { match, _, stop in
      reports += 1
      if match != nil { answer = .matches } else if reports > Self.mostReports { answer = .endless }
      if answer != .differs { stop.pointee = true }
    }
    return answer
  }
}
