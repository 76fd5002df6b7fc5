import Datasets
import _FoundationICU

/// A regular expression as ICU reads it, close to Python's.
///
/// A pattern comes with the data and can take longer than anybody waits, so ICU counts its steps, ten thousand to a tick, and a search that
/// takes too many finds nothing. Steps and not seconds, so that no score depends on the machine. ICU itself and not `NSRegularExpression`:
/// its reports of progress come with every place of the text as well as with every tick, and do not say which.
struct Pattern: Sendable {
  private let compiled: Compiled
  /// UTF-16 units that one step may compare.
  private let stretch: Int

  init(_ pattern: String) throws(DatasetError) { try self.init(pattern, shown: pattern, flags: 0) }

  /// Matches a text as a whole or not at all; a dot is any character, a line's end too.
  init(whole pattern: String) throws(DatasetError) {
    try self.init("\\A(?:\(pattern))\\z", shown: pattern, flags: UInt32(UREGEX_DOTALL.rawValue))
  }

  private init(_ text: String, shown: String, flags: UInt32) throws(DatasetError) {
    let units = Array(text.utf16)
    guard units.count <= Self.longest else { throw DatasetError("a regular expression has more than \(Self.longest) characters") }
    guard let compiled = Compiled(units, flags: flags) else { throw DatasetError("'\(shown)' is not a valid regular expression") }
    self.compiled = compiled
    stretch = Self.stretch(text)
  }

  var groupCount: Int { compiled.groupCount }

  func removing(from text: String) -> String {
    let units = Array(text.utf16)
    let found = results(in: units, group: 0)
    guard !found.isEmpty else { return text }
    var kept: [UInt16] = []
    var start = 0
    for range in found {
      kept += units[start..<range.lowerBound]
      start = range.upperBound
    }
    return String(decoding: kept + units[start...], as: UTF16.self)
  }

  /// The text of a group in every match where it takes part, in order.
  func matches(in text: String, group: Int) -> [String] {
    let units = Array(text.utf16)
    return results(in: units, group: group).map { String(decoding: units[$0], as: UTF16.self) }
  }

  // MARK: - Searching

  /// The places of a group in all matches, or none where that takes too long.
  private func results(in units: [UInt16], group: Int) -> [Range<Int>] {
    let ticks = mostTicks(units.count)
    guard ticks > 0 else { return [] }
    var status = U_ZERO_ERROR
    let search = swift_uregex_clone(compiled.expression, &status)
    defer { swift_uregex_close(search) }
    swift_uregex_setTimeLimit(search, Int32(ticks), &status)
    var found: [Range<Int>] = []
    units.withUnsafeBufferPointer { units in
      // ICU refuses a text that is nowhere.
      var nothing: UInt16 = 0
      withUnsafePointer(to: &nothing) { nothing in
        swift_uregex_setText(search, units.baseAddress ?? nothing, Int32(units.count), &status)
        while swift_uregex_findNext(search, &status) != 0, status.rawValue <= 0 {
          let start = swift_uregex_start(search, Int32(group), &status)
          if start >= 0 { found.append(Int(start)..<Int(swift_uregex_end(search, Int32(group), &status))) }
        }
      }
    }
    return status == U_REGEX_TIME_OUT ? [] : found
  }

  /// More for a longer text, up to three million steps: enough for every place to be tried against all that follows in 2,600 characters.
  /// Fewer where each step may compare much.
  private func mostTicks(_ length: Int) -> Int {
    let ticks = min(300, 10 + 13 * length / 100)
    let compared = min(stretch, length)
    return compared <= Self.shortStretch ? ticks : ticks * Self.shortStretch / compared
  }

  private static let shortStretch = 400
  /// In UTF-16 units; reading a pattern takes up to 20 µs for each.
  private static let longest = 1 << 16

  /// The longest run without a metacharacter, which ICU compares in one step; of a reference to a group nobody knows how long it is.
  private static func stretch(_ pattern: String) -> Int {
    var (longest, run) = (0, 0)
    var isEscaped = false
    for scalar in pattern.unicodeScalars {
      if isEscaped {
        if "123456789kQ".unicodeScalars.contains(scalar) { return .max }
        isEscaped = false
      } else if scalar == "\\" {
        isEscaped = true
        run += 1
      } else {
        run = "|()[]{}*+?.^$".unicodeScalars.contains(scalar) ? 0 : run + 1
      }
      longest = max(longest, run)
    }
    return longest
  }
}

/// What ICU has made of a pattern. It is never searched with, only its copies, so threads may share it.
private final class Compiled: @unchecked Sendable {
  let expression: OpaquePointer
  let groupCount: Int

  init?(_ units: [UInt16], flags: UInt32) {
    var status = U_ZERO_ERROR
    guard let expression = swift_uregex_open(units, Int32(units.count), flags, nil, &status) else { return nil }
    self.expression = expression
    groupCount = Int(swift_uregex_groupCount(expression, &status))
  }

  deinit { swift_uregex_close(expression) }
}
