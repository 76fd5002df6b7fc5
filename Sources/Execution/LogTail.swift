import Artifacts

/// The end of a log, as it is shown when a stage fails.
package enum LogTail {
  /// The last lines that are not empty, without control characters, each cut to a readable length.
  package static func lines(of path: String, _ files: FileSystem, count: Int = 8) -> [String] {
    guard let tail = try? files.readEnd(path, count: 16384) else { return [] }
    let lines = tail.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D })
    return lines.map(text).filter { !$0.isEmpty }.suffix(count)
  }

  private static func text(_ line: ArraySlice<UInt8>) -> String {
    let scalars = String(decoding: line, as: UTF8.self).unicodeScalars.filter {
      $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) || $0 == "\t"
    }
    var text = String(String.UnicodeScalarView(scalars.prefix(400)))
    while text.last == " " || text.last == "\t" { text.removeLast() }
    return text
  }
}
