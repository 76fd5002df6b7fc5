/// One block of 512 bytes that stands before a file in an archive: POSIX ustar, and of pax no more than is needed for long names and
/// large sizes. It does not know what comes between two of them.
package struct TarHeader: Equatable, Sendable {
  package enum Kind: Equatable, Sendable {
    case file
    /// The next entry's name or size, where they do not fit into its own header.
    case extended
  }

  package static let blockBytes = 512

  package let kind: Kind
  /// Of a file: its path. It may be too long for a header, which then says the beginning.
  package let path: [UInt8]
  package let size: Int

  package init(kind: Kind, path: [UInt8], size: Int) {
    self.kind = kind
    self.path = path
    self.size = size
  }

  // MARK: - Writing

  private static let mostName = 100
  private static let mostPrefix = 155
  /// Eleven octal digits.
  static let mostSize = 1 << 33 - 1

  /// Whether everything fits without an extended header before it.
  package var fits: Bool { size <= Self.mostSize && Self.split(path) != nil }

  /// Every field but path and size is the same in every archive.
  package var bytes: [UInt8] {
    var block = [UInt8](repeating: 0, count: Self.blockBytes)
    let (prefix, name) = Self.split(path) ?? ([], Array(path.prefix(Self.mostName)))
    block.replaceSubrange(0..<name.count, with: name)
    Self.octal(0o644, 100, 8, &block)
    Self.octal(0, 108, 8, &block)
    Self.octal(0, 116, 8, &block)
    Self.octal(min(size, Self.mostSize), 124, 12, &block)
    Self.octal(0, 136, 12, &block)
    block[156] = kind == .file ? UInt8(ascii: "0") : UInt8(ascii: "x")
    block.replaceSubrange(257..<265, with: Self.magic)
    Self.octal(0, 329, 8, &block)
    Self.octal(0, 337, 8, &block)
    block.replaceSubrange(345..<345 + prefix.count, with: prefix)
    Self.octal(Self.checksum(block), 148, 7, &block)
    block[155] = 0x20
    return block
  }

  private static let magic = Array("ustar\u{0}00".utf8)

  /// The name of at most 100 bytes after a slash, and what is before it.
  private static func split(_ path: [UInt8]) -> (prefix: [UInt8], name: [UInt8])? {
    if path.count <= mostName { return ([], path) }
    guard path.count <= mostPrefix + 1 + mostName else { return nil }
    for place in path.indices where path[place] == UInt8(ascii: "/") {
      guard place <= mostPrefix, path.count - place - 1 <= mostName, place > 0 else { continue }
      return (Array(path[..<place]), Array(path[(place + 1)...]))
    }
    return nil
  }

  private static func octal(_ value: Int, _ start: Int, _ width: Int, _ block: inout [UInt8]) {
    let digits = String(value, radix: 8)
    let text = String(repeating: "0", count: width - 1 - digits.utf8.count) + digits
    block.replaceSubrange(start..<start + width - 1, with: text.utf8)
  }

  private static func checksum(_ block: [UInt8]) -> Int {
    block.indices.reduce(0) { $0 + ((148..<156).contains($1) ? 0x20 : Int(block[$1])) }
  }
}

// MARK: - Reading

extension TarHeader {
  /// Refuses everything that this project does not write and that could mean more than a plain file.
  package init(reading block: [UInt8]) throws(SharingError) {
    precondition(block.count == Self.blockBytes, "a header has \(Self.blockBytes) bytes, not \(block.count)")
    guard try Self.number(block[148..<156], "checksum") == Self.checksum(block) else {
      throw SharingError("the header's checksum is wrong")
    }
    guard block[257..<263].elementsEqual("ustar\u{0}".utf8), block[263..<265].elementsEqual("00".utf8) else {
      throw SharingError("this is not a POSIX ustar archive (GNU's and older forms are not read)")
    }
    kind = try Self.kind(block[156])
    size = try Self.number(block[124..<136], "size")
    for (field, name) in [(100..<108, "mode"), (108..<116, "uid"), (116..<124, "gid"), (136..<148, "mtime")] {
      _ = try Self.number(block[field], name)
    }
    guard block[157..<257].allSatisfy({ $0 == 0 }) else { throw SharingError("the entry has a link target") }
    guard block[500..<512].allSatisfy({ $0 == 0 }) else { throw SharingError("the header has bytes after its last field") }
    let prefix = try Self.text(block[345..<500], "prefix")
    let name = try Self.text(block[0..<100], "name")
    path = prefix.isEmpty ? name : prefix + [UInt8(ascii: "/")] + name
  }

  private static func kind(_ flag: UInt8) throws(SharingError) -> Kind {
    switch flag {
    case UInt8(ascii: "0"), 0: return .file
    case UInt8(ascii: "x"): return .extended
    case UInt8(ascii: "1"): throw SharingError("the entry is a hard link; only regular files are taken")
    case UInt8(ascii: "2"): throw SharingError("the entry is a symbolic link; only regular files are taken")
    case UInt8(ascii: "3"), UInt8(ascii: "4"): throw SharingError("the entry is a device; only regular files are taken")
    case UInt8(ascii: "5"): throw SharingError("the entry is a directory; only regular files are taken")
    case UInt8(ascii: "6"): throw SharingError("the entry is a pipe; only regular files are taken")
    case UInt8(ascii: "S"), UInt8(ascii: "L"), UInt8(ascii: "K"), UInt8(ascii: "M"), UInt8(ascii: "V"), UInt8(ascii: "D"):
      throw SharingError("the entry is an extension of GNU tar, which is not read")
    case UInt8(ascii: "g"): throw SharingError("the archive has a global extended header, which is not read")
    default: throw SharingError("the entry is of an unknown kind (\(flag))")
    }
  }

  /// Octal digits, then a NUL or a space; GNU's binary numbers are refused.
  private static func number(_ field: ArraySlice<UInt8>, _ name: String) throws(SharingError) -> Int {
    if let first = field.first, first & 0x80 != 0 { throw SharingError("the \(name) is a binary number, an extension of GNU tar") }
    var value = 0
    var digits = 0
    for byte in field {
      guard (0x30...0x37).contains(byte) else { break }
      value = value << 3 | Int(byte - 0x30)
      digits += 1
    }
    guard digits > 0, digits <= 12, field.dropFirst(digits).allSatisfy({ $0 == 0 || $0 == 0x20 }) else {
      throw SharingError("the \(name) is no octal number")
    }
    return value
  }

  /// Up to the first NUL; after it nothing but NULs.
  private static func text(_ field: ArraySlice<UInt8>, _ name: String) throws(SharingError) -> [UInt8] {
    let text = field.prefix { $0 != 0 }
    guard field.dropFirst(text.count).allSatisfy({ $0 == 0 }) else { throw SharingError("the \(name) goes on after its end") }
    return Array(text)
  }
}
