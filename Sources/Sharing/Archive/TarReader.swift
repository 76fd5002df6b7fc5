import Glibc

/// Reads an archive from its beginning to its end, in pieces, and believes nothing: every entry is a plain file below the top, no byte is
/// skipped unseen, and after the end there is nothing. It writes no file.
package struct TarReader {
  package struct Entry: Equatable, Sendable {
    package let path: EntryPath
    package let size: Int

    package init(path: EntryPath, size: Int) {
      self.path = path
      self.size = size
    }
  }

  /// Where bytes come from: at most as many as asked for, none only at the end.
  package typealias Source = (_ count: Int) throws(SharingError) -> [UInt8]

  package static let mostEntries = 1 << 20

  private let source: Source
  private let mostEntries: Int
  /// Bytes that the whole archive has left, where that is known: more cannot be declared.
  private var remaining: Int?
  private var entries = 0
  private var left = 0
  private var padding = 0
  private var isOver = false
  private var register = PathRegister()

  package init(bytes total: Int? = nil, mostEntries: Int = Self.mostEntries, _ source: @escaping Source) {
    self.source = source
    self.mostEntries = mostEntries
    remaining = total
  }

  /// The next file; nil at the end. The bytes of the one before have been read.
  package mutating func next() throws(SharingError) -> Entry? {
    precondition(left == 0, "\(left) bytes of the last entry were not read")
    if isOver { return nil }
    guard try skipPadding(), let header = try header(isFirst: entries == 0) else { return nil }
    entries += 1
    guard entries <= mostEntries else { throw SharingError("the archive has more than \(mostEntries) entries") }
    var path = header.path
    var size = header.size
    if header.kind == .extended {
      let record = try extended(header)
      guard let file = try self.header(isFirst: false), file.kind == .file else {
        throw SharingError("an extended header stands before no file")
      }
      path = record.path ?? file.path
      size = record.size ?? file.size
    }
    let entry = Entry(path: try EntryPath(path), size: size)
    try register.add(entry.path)
    try declare(size, entry.path.text)
    return entry
  }

  /// The next bytes of the entry, at most `count`; none when it is over.
  package mutating func read(_ count: Int) throws(SharingError) -> [UInt8] {
    let wanted = min(count, left)
    guard wanted > 0 else { return [] }
    let piece = try source(wanted)
    guard !piece.isEmpty, piece.count <= wanted else { throw SharingError("the archive ends in the middle of a file") }
    left -= piece.count
    remaining = remaining.map { $0 - piece.count }
    return piece
  }

  // MARK: - Blocks

  private mutating func declare(_ size: Int, _ name: String) throws(SharingError) {
    if let remaining, size > remaining {
      throw SharingError("declares \(size) bytes where the archive has \(remaining) left", at: name)
    }
    left = size
    padding = (TarHeader.blockBytes - size % TarHeader.blockBytes) % TarHeader.blockBytes
  }

  /// False never: what stands between two entries has to be zeros, or an error is thrown.
  private mutating func skipPadding() throws(SharingError) -> Bool {
    guard padding > 0 else { return true }
    let bytes = try exactly(padding)
    padding = 0
    guard bytes.allSatisfy({ $0 == 0 }) else { throw SharingError("there are bytes between two entries") }
    return true
  }

  private mutating func header(isFirst: Bool) throws(SharingError) -> TarHeader? {
    let block = try exactly(TarHeader.blockBytes, isFirst: isFirst)
    guard block.allSatisfy({ $0 == 0 }) else { return try TarHeader(reading: block) }
    let second = try exactly(TarHeader.blockBytes)
    guard second.allSatisfy({ $0 == 0 }) else { throw SharingError("the archive goes on after its end") }
    // Tools fill the last record up with zeros; anything else is not part of an archive.
    while true {
      let rest = try source(TarHeader.blockBytes)
      if rest.isEmpty { break }
      trailing += rest.count
      guard rest.allSatisfy({ $0 == 0 }), trailing <= Self.mostTrailing else { throw SharingError("the archive goes on after its end") }
    }
    isOver = true
    return nil
  }

  /// GNU tar fills up to 20 blocks.
  private static let mostTrailing = 20 * TarHeader.blockBytes
  private var trailing = 0

  private mutating func extended(_ header: TarHeader) throws(SharingError) -> PaxRecord {
    guard header.size <= PaxRecord.mostBytes else {
      throw SharingError("an extended header has \(header.size) bytes, more than it can need")
    }
    let bytes = try exactly(header.size)
    padding = (TarHeader.blockBytes - header.size % TarHeader.blockBytes) % TarHeader.blockBytes
    _ = try skipPadding()
    return try PaxRecord(reading: bytes)
  }

  private mutating func exactly(_ count: Int, isFirst: Bool = false) throws(SharingError) -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < count {
      let piece = try source(count - bytes.count)
      guard !piece.isEmpty, piece.count <= count - bytes.count else { throw SharingError("the archive is cut off") }
      bytes += piece
      if isFirst, let form = Self.otherForm(bytes) { throw SharingError(form) }
    }
    remaining = remaining.map { $0 - count }
    return bytes
  }

  /// What people may give instead of an archive.
  private static func otherForm(_ bytes: [UInt8]) -> String? {
    let forms: [([UInt8], String)] = [
      ([0x1F, 0x8B], "gzip"), ([0x28, 0xB5, 0x2F, 0xFD], "zstd"), ([0xFD, 0x37, 0x7A, 0x58, 0x5A], "xz"), ([0x42, 0x5A, 0x68], "bzip2"),
      ([0x50, 0x4B, 0x03, 0x04], "zip"),
    ]
    return forms.first { bytes.starts(with: $0.0) }.map {
      "this is compressed (\($0.1)); an archive of Heirloom is a plain tar file: unpack the compression first"
    }
  }
}

/// Bytes of an open file, for a reader.
package func bytes(of descriptor: Int32) -> TarReader.Source {
  { (count) throws(SharingError) in
    var got = 0
    var failure: Int32 = 0
    let piece = [UInt8](unsafeUninitializedCapacity: count) { buffer, used in
      repeat { got = Glibc.read(descriptor, buffer.baseAddress, count) } while got < 0 && errno == EINTR
      failure = got < 0 ? errno : 0
      used = max(got, 0)
    }
    if failure != 0 { throw SharingError("cannot read: \(String(cString: strerror(failure)))", .transfer) }
    return piece
  }
}
