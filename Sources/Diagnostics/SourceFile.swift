/// A text that diagnostics point into: a file, or an argument of the command line. It does not know how it was parsed.
///
/// A class, because every located node of a manifest refers to the one text it stands in.
package final class SourceFile: Sendable {
  package enum Kind: Sendable {
    case file
    /// A word of the command line, such as `--set seed=3`; its findings have no line and column.
    case argument
  }

  package let kind: Kind
  /// How diagnostics name it: the path as the user gave it, or the argument.
  package let path: String
  package let bytes: [UInt8]

  package init(kind: Kind = .file, path: String, bytes: [UInt8]) {
    self.kind = kind
    self.path = path
    self.bytes = bytes
  }

  package convenience init(kind: Kind = .file, path: String, text: String) {
    self.init(kind: kind, path: path, bytes: Array(text.utf8))
  }
}

extension SourceFile {
  /// The text of a line, counted from 1, without its break; bytes that are no UTF-8 read as U+FFFD. Nil beyond the end.
  ///
  /// The breaks are those that libyaml counts: LF, CR, CR LF, NEL (U+0085), LS and PS (U+2028, U+2029).
  package func line(_ number: Int) -> String? {
    var start = textStart
    for _ in 1..<max(number, 1) {
      guard let next = nextBreak(from: start) else { return nil }
      start = next.upperBound
    }
    let end = nextBreak(from: start)?.lowerBound ?? bytes.count
    return String(decoding: bytes[start..<end], as: UTF8.self)
  }

  /// Line and column of a byte.
  package func location(ofByte offset: Int, length: Int = 1) -> SourceLocation {
    var line = 1
    var start = textStart
    while let next = nextBreak(from: start), next.upperBound <= offset {
      line += 1
      start = next.upperBound
    }
    let before = String(decoding: bytes[start..<min(max(offset, start), bytes.count)], as: UTF8.self)
    return SourceLocation(source: self, line: line, column: before.unicodeScalars.count + 1, length: length)
  }

  /// Behind a byte order mark, which is no part of the first line.
  private var textStart: Int { bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0 }

  private func nextBreak(from start: Int) -> Range<Int>? {
    var index = start
    while index < bytes.count {
      switch bytes[index] {
      case 0x0A: return index..<index + 1
      case 0x0D: return index..<(index + 1 < bytes.count && bytes[index + 1] == 0x0A ? index + 2 : index + 1)
      case 0xC2 where index + 1 < bytes.count && bytes[index + 1] == 0x85: return index..<index + 2
      case 0xE2 where index + 2 < bytes.count && bytes[index + 1] == 0x80 && bytes[index + 2] & 0xFE == 0xA8: return index..<index + 3
      default: index += 1
      }
    }
    return nil
  }
}
