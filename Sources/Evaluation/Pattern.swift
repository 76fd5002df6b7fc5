import Datasets
import Foundation

/// A regular expression as ICU reads it, close to Python's.
///
/// A pattern can take longer than anybody waits, and comes with the data: one that needs more than three million steps on a text is taken
/// not to match it. Steps and not seconds, so that no score depends on the machine.
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
    let whole = text as NSString
    let found = results(in: whole)
    guard !found.isEmpty else { return text }
    var kept = ""
    var start = 0
    for match in found {
      kept += whole.substring(with: NSRange(location: start, length: match.range.location - start))
      start = match.range.location + match.range.length
    }
    return kept + whole.substring(from: start)
  }

  /// The text of a group in every match where it takes part, in order.
  func matches(in text: String, group: Int) -> [String] {
    let utf16 = text as NSString
    return results(in: utf16).compactMap { match in
      let range = match.range(at: group)
      return range.location == NSNotFound ? nil : utf16.substring(with: range)
    }
  }

  /// ICU reports once in ten thousand steps, and once a match.
  private static let mostReports = 300

  /// All matches, or none where it takes too long.
  private func results(in text: NSString) -> [NSTextCheckingResult] {
    var found: [NSTextCheckingResult] = []
    var reports = 0
    expression.enumerateMatches(
      in: text as String, options: .reportProgress, range: NSRange(location: 0, length: text.length)
    ) { match, flags, stop in
      if let match { found.append(match) }
      if flags.contains(.progress) { reports += 1 }
      if reports - found.count > Self.mostReports { stop.pointee = true }
    }
    return reports - found.count > Self.mostReports ? [] : found
  }
}
