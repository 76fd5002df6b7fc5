/// Runs the split patterns over valid UTF-8: each method takes where a piece starts and returns where it ends.
///
/// The comments quote the alternative of the expression that a line stands for. It knows nothing of tokenizer files.
struct PieceScanner {
  let bytes: UnsafePointer<UInt8>
  let limit: Int
  private let classes = ScalarClasses.shared

  init(bytes: UnsafePointer<UInt8>, limit: Int) {
    self.bytes = bytes
    self.limit = limit
  }

  /// `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
  @inline(__always)
  func gpt2(_ start: Int) -> Int {
    if bytes[start] == UInt8(ascii: "'"), let end = contractionEnd(start) { return end }
    var (kind, length) = classes.scalar(bytes, start)
    var at = start
    if bytes[start] == UInt8(ascii: " "), start + 1 < limit {
      let next = classes.scalar(bytes, start + 1)
      if next.kind & ScalarClasses.space == 0 { (at, kind, length) = (start + 1, next.kind, next.length) }
    }
    if kind & ScalarClasses.space != 0 { return spaceEnd(start) }
    return runEnd(at + length, kind & ScalarClasses.kinds)
  }

  /// `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,digits}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
  @inline(__always)
  func folded(_ start: Int, digits: Int) -> Int {
    if bytes[start] == UInt8(ascii: "'"), let end = foldedContractionEnd(start) { return end }
    let (kind, length) = classes.scalar(bytes, start)
    if kind & ScalarClasses.letter != 0 { return runEnd(start + length, ScalarClasses.letter) }
    if kind & ScalarClasses.number != 0 { return numberEnd(start + length, more: digits - 1) }
    var next: (kind: UInt8, length: Int) = (ScalarClasses.space, 0)
    if start + length < limit { next = classes.scalar(bytes, start + length) }
    if next.kind & ScalarClasses.letter != 0, kind & ScalarClasses.newline == 0 {  // [^\r\n\p{L}\p{N}]?\p{L}+
      return runEnd(start + length + next.length, ScalarClasses.letter)
    }
    if kind & ScalarClasses.space == 0 { return newlinesEnd(runEnd(start + length, 0)) }  // [^\s\p{L}\p{N}]+[\r\n]*
    if bytes[start] == UInt8(ascii: " "), next.kind & ScalarClasses.kinds == 0 {
      return newlinesEnd(runEnd(start + 1 + next.length, 0))
    }
    return foldedSpaceEnd(start)
  }

  /// The end of the run of scalars of one class (`\p{L}+`, `\p{N}+`, or others for 0) that goes on at `start`.
  @inline(__always)
  private func runEnd(_ start: Int, _ wanted: UInt8) -> Int {
    var at = start
    while at < limit {
      let (kind, length) = classes.scalar(bytes, at)
      if kind & ScalarClasses.kinds != wanted { break }
      at += length
    }
    return at
  }

  private func numberEnd(_ start: Int, more: Int) -> Int {
    var at = start
    for _ in 0..<more where at < limit {
      let (kind, length) = classes.scalar(bytes, at)
      if kind & ScalarClasses.number == 0 { break }
      at += length
    }
    return at
  }

  private func newlinesEnd(_ start: Int) -> Int {
    var at = start
    while at < limit, bytes[at] == UInt8(ascii: "\n") || bytes[at] == UInt8(ascii: "\r") { at += 1 }
    return at
  }

  /// `\s+(?!\S)|\s+`: a run of spaces leaves its last one to what follows, unless nothing does or it is the only one.
  private func spaceEnd(_ start: Int) -> Int {
    let (end, last, _) = spaces(start)
    return end == limit || last == start ? end : last
  }

  /// `\s*[\r\n]+|\s+(?!\S)|\s+`: a run of spaces with a newline in it ends after its last newline.
  private func foldedSpaceEnd(_ start: Int) -> Int {
    let (end, last, newline) = spaces(start)
    if newline > start { return newline }
    return end == limit || last == start ? end : last
  }

  /// The run of spaces at `start`: where it ends, where its last scalar starts, where its last newline ends (`start` for none).
  private func spaces(_ start: Int) -> (end: Int, last: Int, newline: Int) {
    var (at, last, newline) = (start, start, start)
    while at < limit {
      let (kind, length) = classes.scalar(bytes, at)
      if kind & ScalarClasses.space == 0 { break }
      last = at
      at += length
      if kind & ScalarClasses.newline != 0 { newline = at }
    }
    return (at, last, newline)
  }

  // MARK: - Contractions

  /// `'s|'t|'re|'ve|'m|'ll|'d`, the apostrophe being at `start`.
  private func contractionEnd(_ start: Int) -> Int? {
    guard start + 1 < limit else { return nil }
    return ending(bytes[start + 1], start + 2 < limit ? bytes[start + 2] : 0).map { start + $0 }
  }

  /// The same whatever the case. U+017F (ſ) folds to `s`.
  private func foldedContractionEnd(_ start: Int) -> Int? {
    guard start + 1 < limit else { return nil }
    let second = start + 2 < limit ? bytes[start + 2] : 0
    if bytes[start + 1] == 0xC5, second == 0xBF { return start + 3 }
    return ending(bytes[start + 1].asciiLowercased, second.asciiLowercased).map { start + $0 }
  }

  /// The length of a contraction with these letters after its apostrophe.
  @inline(__always)
  private func ending(_ first: UInt8, _ second: UInt8) -> Int? {
    switch (first, second) {
    case (UInt8(ascii: "s"), _), (UInt8(ascii: "t"), _), (UInt8(ascii: "m"), _), (UInt8(ascii: "d"), _): 2
    case (UInt8(ascii: "r"), UInt8(ascii: "e")), (UInt8(ascii: "v"), UInt8(ascii: "e")), (UInt8(ascii: "l"), UInt8(ascii: "l")): 3
    default: nil
    }
  }
}

extension UInt8 {
  fileprivate var asciiLowercased: UInt8 { self >= 0x41 && self <= 0x5A ? self | 0x20 : self }
}
