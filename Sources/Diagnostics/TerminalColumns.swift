/// How many columns of a terminal a text takes, and texts cut to so many.
package enum TerminalColumns {
  package static func count(_ text: String) -> Int {
    text.utf8.allSatisfy { $0 < 0x80 } ? text.utf8.count : text.unicodeScalars.reduce(0) { $0 + DisplayWidth.columns($1) }
  }

  /// The beginning of a text that is no wider, with … where something is left out.
  package static func cut(_ text: String, to columns: Int) -> String {
    guard count(text) > columns else { return text }
    guard columns > 1 else { return String(repeating: "…", count: max(0, columns)) }
    return prefix(text, columns - 1) + "…"
  }

  /// A name that is no wider, with … in its midst: what stands in the last brackets tells instances apart and stays as far as it can.
  ///
  /// `rft[sort].train[2e-5]` in 16 columns is `rft[s…rain[2e-5]`.
  package static func cutName(_ name: String, to columns: Int) -> String {
    guard count(name) > columns else { return name }
    guard columns > 4 else { return cut(name, to: columns) }
    let room = columns - 1
    let brackets = name.hasSuffix("]") ? name.lastIndex(of: "[").map { count(String(name[$0...])) } ?? 0 : 0
    let tail = min(max(brackets, room * 3 / 5), room - min(6, room / 3))
    return prefix(name, room - tail) + "…" + suffix(name, tail)
  }

  /// With spaces after it up to a width.
  package static func pad(_ text: String, to columns: Int) -> String { text + String(repeating: " ", count: max(0, columns - count(text))) }

  /// With spaces before it up to a width.
  package static func padLeft(_ text: String, to columns: Int) -> String {
    String(repeating: " ", count: max(0, columns - count(text))) + text
  }

  private static func prefix(_ text: String, _ columns: Int) -> String {
    var result = String.UnicodeScalarView()
    var width = 0
    for scalar in text.unicodeScalars {
      width += DisplayWidth.columns(scalar)
      if width > columns { break }
      result.append(scalar)
    }
    return String(result)
  }

  /// Marks stay with what they stand on.
  private static func suffix(_ text: String, _ columns: Int) -> String {
    var kept: [Unicode.Scalar] = []
    var whole = 0
    var width = 0
    for scalar in text.unicodeScalars.reversed() {
      let own = DisplayWidth.columns(scalar)
      width += own
      if width > columns { break }
      kept.append(scalar)
      if own > 0 { whole = kept.count }
    }
    var result = String.UnicodeScalarView()
    result.append(contentsOf: kept[..<whole].reversed())
    return String(result)
  }
}
