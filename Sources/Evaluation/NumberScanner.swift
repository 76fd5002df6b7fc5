/// Numbers that stand in a text: `-3`, `1,234.5`, `7.`; a minus sign counts where no digit or letter stands before it.
enum NumberScanner {
  struct Found: Equatable {
    let text: String
    let value: Double
  }

  static func numbers(in text: String) -> [Found] {
    let scalars = Array(text.unicodeScalars)
    var found: [Found] = []
    var index = 0
    while index < scalars.count {
      guard isDigit(scalars[index]) else {
        index += 1
        continue
      }
      var digits = negative(scalars, before: index) ? "-" : ""
      var end = index
      take(&digits, scalars, &end)
      while end + 3 < scalars.count, scalars[end] == ",", isGroup(scalars, end + 1) {
        end += 1
        take(&digits, scalars, &end)
      }
      if end + 1 < scalars.count, scalars[end] == ".", isDigit(scalars[end + 1]) {
        digits += "."
        end += 1
        take(&digits, scalars, &end)
      }
      if let value = Double(digits) { found.append(Found(text: digits, value: value)) }
      index = end
    }
    return found
  }

  /// The text as one number, white space aside.
  static func whole(_ text: String) -> Found? {
    let trimmed = text.trimmed
    let plain = trimmed.without { $0 == "," }
    guard plain.utf8.allSatisfy({ (0x30...0x39).contains($0) || [0x2B, 0x2D, 0x2E, 0x45, 0x65].contains($0) }), let value = Double(plain),
      value.isFinite
    else { return nil }
    return Found(text: trimmed, value: value)
  }

  private static func take(_ digits: inout String, _ scalars: [Unicode.Scalar], _ index: inout Int) {
    while index < scalars.count, isDigit(scalars[index]) {
      digits.unicodeScalars.append(scalars[index])
      index += 1
    }
  }

  /// Exactly three digits: a group behind a comma.
  private static func isGroup(_ scalars: [Unicode.Scalar], _ start: Int) -> Bool {
    guard start + 3 <= scalars.count, scalars[start..<start + 3].allSatisfy(isDigit) else { return false }
    return start + 3 == scalars.count || !isDigit(scalars[start + 3])
  }

  private static func negative(_ scalars: [Unicode.Scalar], before index: Int) -> Bool {
    guard index > 0, scalars[index - 1] == "-" || scalars[index - 1] == "\u{2212}" else { return false }
    guard index > 1 else { return true }
    let before = scalars[index - 2]
    return !isDigit(before) && !before.properties.isAlphabetic && before != ")"
  }

  private static func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }
}
