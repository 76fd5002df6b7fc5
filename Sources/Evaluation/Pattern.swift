import Datasets
import Foundation

/// A regular expression as ICU reads it, close to Python's.
struct Pattern: @unchecked Sendable {  // NSRegularExpression never changes once made and may be used from several threads
  private let expression: NSRegularExpression

  init(_ pattern: String) throws(DatasetError) { expression = try Self.expression(pattern, pattern, []) }

  /// Matches a text as a whole or not at all; a dot is any character, a line's end too.
  init(whole pattern: String) throws(DatasetError) {
    expression = try Self.expression("\\A(?:\(pattern))\\z", pattern, .dotMatchesLineSeparators)
  }

  private static func expression(
    _ text: String, _ pattern: String, _ options: NSRegularExpression.Options
  ) throws(DatasetError) -> NSRegularExpression {
    do {
      return try NSRegularExpression(pattern: text, options: options)
    } catch { throw DatasetError("'\(pattern)' is not a valid regular expression") }
  }

  var groupCount: Int { expression.numberOfCaptureGroups }

  func removing(from text: String) -> String {
    expression.stringByReplacingMatches(in: text, range: NSRange(text.startIndex..., in: text), withTemplate: "")
  }

  /// The text of a group in every match where it takes part, in order.
  func matches(in text: String, group: Int) -> [String] {
    let utf16 = text as NSString
    return expression.matches(in: text, range: NSRange(location: 0, length: utf16.length)).compactMap { match in
      let range = match.range(at: group)
      return range.location == NSNotFound ? nil : utf16.substring(with: range)
    }
  }
}
