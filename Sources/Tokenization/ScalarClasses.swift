/// Which class a Unicode scalar has for the pre-tokenizers' patterns: one byte of flags a scalar, looked up straight from UTF-8.
///
/// The table is allocated once and never freed or written again.
struct ScalarClasses: @unchecked Sendable {
  /// `\p{L}`
  static let letter: UInt8 = 1
  /// `\p{N}`
  static let number: UInt8 = 2
  /// `\s`
  static let space: UInt8 = 4
  /// `[\r\n]`
  static let newline: UInt8 = 8
  /// What the `Digits` pre-tokenizer splits at: `\p{N}` of a Unicode version of its own.
  static let numeric: UInt8 = 16
  /// The three classes that the patterns tell apart; a scalar of none of them is "other".
  static let kinds = letter | number | space

  static let shared = ScalarClasses()

  private let flags: UnsafeMutablePointer<UInt8>
  private let count: Int

  private init() {
    count = 0x323C0
    flags = .allocate(capacity: count)
    flags.initialize(repeating: 0, count: count)
    mark(ScalarClassRanges.letters, Self.letter)
    mark(ScalarClassRanges.numbers, Self.number)
    mark(ScalarClassRanges.spaces, Self.space)
    mark(ScalarClassRanges.numeric, Self.numeric)
    flags[0x0A] |= Self.newline
    flags[0x0D] |= Self.newline
  }

  private func mark(_ gapsAndLengths: [UInt32], _ flag: UInt8) {
    var scalar = 0
    for index in stride(from: 0, to: gapsAndLengths.count, by: 2) {
      let start = scalar + Int(gapsAndLengths[index])
      scalar = start + Int(gapsAndLengths[index + 1])
      precondition(scalar <= count, "a class reaches beyond the table of \(count) scalars")
      for member in start..<scalar { flags[member] |= flag }
    }
  }

  /// The class of the scalar whose valid UTF-8 begins at `bytes[at]`, and how many bytes it takes.
  @inline(__always)
  func scalar(_ bytes: UnsafePointer<UInt8>, _ at: Int) -> (kind: UInt8, length: Int) {
    let first = Int(bytes[at])
    if first < 0x80 { return (flags[first], 1) }
    let second = Int(bytes[at + 1] & 0x3F)
    if first < 0xE0 { return (flags[(first & 0x1F) << 6 | second], 2) }
    let third = Int(bytes[at + 2] & 0x3F)
    if first < 0xF0 { return (flags[(first & 0x0F) << 12 | second << 6 | third], 3) }
    let value = (first & 0x07) << 18 | second << 12 | third << 6 | Int(bytes[at + 3] & 0x3F)
    return (value < count ? flags[value] : 0, 4)
  }
}
