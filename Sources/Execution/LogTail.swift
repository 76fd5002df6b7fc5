import Artifacts

/// The end of a log, as it is shown when a stage fails.
package enum LogTail {
  /// The last lines that are not empty, without control characters and the sequences for colours, each cut to a readable length.
  package static func lines(of path: String, _ files: FileSystem, count: Int = 8) -> [String] {
    guard let tail = try? files.readEnd(path, count: 16384) else { return [] }
    let lines = tail.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D })
    return lines.map(text).filter { !$0.isEmpty }.suffix(count)
  }

  /// Without `ESC [ … letter`, of which the letters alone would be left.
  private static func withoutSequences(_ scalars: String.UnicodeScalarView) -> [Unicode.Scalar] {
    var kept: [Unicode.Scalar] = []
    var rest = scalars[...]
    while let scalar = rest.popFirst() {
      guard scalar == "\u{1B}", rest.first == "[" else {
        kept.append(scalar)
        continue
      }
      rest.removeFirst()
      while let next = rest.first, (0x20..<0x40).contains(next.value) { rest.removeFirst() }
      if let last = rest.first, (0x40..<0x7F).contains(last.value) { rest.removeFirst() }
    }
    return kept
  }

  private static func text(_ line: ArraySlice<UInt8>) -> String {
    let scalars = withoutSequences(String(decoding: line, as: UTF8.self).unicodeScalars).filter {
      $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) || $0 == "\t"
    }
    var text = String(String.UnicodeScalarView(scalars.prefix(400)))
    while text.last == " " || text.last == "\t" { text.removeLast() }
    return text
  }
}
