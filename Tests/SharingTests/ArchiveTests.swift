import Artifacts
import Foundation
import Hashing
import Sharing
import Testing

@Suite("Tar files") struct ArchiveTests {
  /// What a reader finds, or the error.
  private func read(_ bytes: [UInt8], piece: Int = 4096) throws -> [(String, [UInt8])] {
    var place = 0
    var reader = TarReader(bytes: bytes.count) { count in
      let end = min(bytes.count, place + min(count, piece))
      defer { place = end }
      return Array(bytes[place..<end])
    }
    var files: [(String, [UInt8])] = []
    while let entry = try reader.next() {
      var content: [UInt8] = []
      while content.count < entry.size { content += try reader.read(entry.size - content.count) }
      files.append((entry.path.text, content))
    }
    return files
  }

  private func write(_ files: [(String, [UInt8])]) throws -> [UInt8] {
    let scratch = try ScratchDirectory()
    let path = scratch.path + "/a.tar"
    let descriptor = try FileSystem.posix.open(path, O_WRONLY | O_CREAT | O_EXCL)
    var writer = TarWriter(descriptor, path: path)
    for (name, bytes) in files {
      try writer.begin(EntryPath(name), size: bytes.count)
      for start in stride(from: 0, to: bytes.count, by: 300) { try writer.write(Array(bytes[start..<min(start + 300, bytes.count)])) }
    }
    try writer.end()
    close(descriptor)
    return try #require(try scratch.read("a.tar"))
  }

  static let long = String(repeating: "dir/", count: 30) + String(repeating: "n", count: 200) + ".txt"

  @Test("what is written is read again, whatever the sizes and names")
  func roundTrip() throws {
    let files: [(String, [UInt8])] = [
      ("a", []), ("b/c", [1]), ("d", Array(repeating: 7, count: 511)), ("e", Array(repeating: 8, count: 512)),
      ("f", Array(repeating: 9, count: 513)), (String(repeating: "p/", count: 40) + "split", [2]), (Self.long, [3, 4]), ("größe/ü", [5]),
    ]
    let bytes = try write(files)
    for piece in [1, 100, 4096] {
      let found = try read(bytes, piece: piece)
      #expect(found.map(\.0) == files.map(\.0) && found.map(\.1) == files.map(\.1))
    }
    #expect(try write(files) == bytes)
  }

  @Test("other programs read it", .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/tar")))
  func otherPrograms() throws {
    let scratch = try ScratchDirectory()
    try scratch.write("a.tar", write([("b/c", Array("hello".utf8)), (Self.long, Array("long".utf8))]))
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/tar")
    process.arguments = ["-xf", "a.tar", "--one-top-level=out"]
    process.currentDirectoryURL = URL(fileURLWithPath: scratch.path)
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    #expect(try scratch.read("out/b/c") == Array("hello".utf8))
    #expect(try scratch.read("out/" + Self.long) == Array("long".utf8))
  }

  @Test("sizes of eight gibibytes and more are written and read")
  func large() throws {
    let size = 9 << 30
    let header = TarHeader(kind: .file, path: Array("big".utf8), size: size)
    #expect(!header.fits)
    #expect(try PaxRecord(reading: PaxRecord(path: Array("big".utf8), size: size).bytes) == PaxRecord(path: Array("big".utf8), size: size))
    var archive = RawArchive()
    archive.extend(RawArchive.record("path", "big") + RawArchive.record("size", String(size)))
    archive.add(RawArchive.Header("big", size: 0))
    var place = 0
    let blocks = archive.bytes
    var reader = TarReader(bytes: nil) { count in
      let end = min(blocks.count, place + count)
      defer { place = end }
      return place < blocks.count ? Array(blocks[place..<end]) : [UInt8](repeating: 0, count: count)
    }
    #expect(try reader.next() == TarReader.Entry(path: EntryPath("big"), size: size))
    #expect(try reader.read(1000).count == 1000)
  }

  struct Hostile: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let message: String
    let bytes: [UInt8]

    init(_ name: String, _ message: String, _ make: (inout RawArchive) -> Void) {
      testDescription = name
      self.message = message
      var archive = RawArchive()
      archive.add("first", [1])
      make(&archive)
      archive.end()
      bytes = archive.bytes
    }

    init(_ name: String, _ message: String, header change: (inout RawArchive.Header) -> Void) {
      self.init(name, message) { archive in
        var header = RawArchive.Header("x")
        change(&header)
        archive.add(header)
      }
    }
  }

  static let hostile: [Hostile] = [
    Hostile("a path that leads out", "leaves its directory", header: { $0.name = Array("../x".utf8) }),
    Hostile("a path that leads out in the middle", "leaves its directory", header: { $0.name = Array("a/../../x".utf8) }),
    Hostile("a path that names its directory", "leaves its directory", header: { $0.name = Array("./x".utf8) }),
    Hostile("an absolute path", "absolute", header: { $0.name = Array("/etc/passwd".utf8) }),
    Hostile("an empty path", "empty", header: { $0.name = [] }),
    Hostile("an empty component", "empty component", header: { $0.name = Array("a//b".utf8) }),
    Hostile("a path that ends in a slash", "empty component", header: { $0.name = Array("a/".utf8) }),
    Hostile("a prefix that leads out", "leaves its directory", header: { $0.prefix = Array("..".utf8) }),
    Hostile("a path of another system", "backslash", header: { $0.name = Array(#"a\..\b"#.utf8) }),
    Hostile("a control character", "control character", header: { $0.name = [0x61, 0x1B, 0x5B] }),
    Hostile("no UTF-8", "not UTF-8", header: { $0.name = [0x61, 0xFF] }),
    Hostile("a name after its end", "goes on after its end", header: { $0.name = [0x61, 0, 0x62] }),
    Hostile("a symbolic link", "symbolic link", header: { ($0.flag, $0.link) = (UInt8(ascii: "2"), Array("/etc".utf8)) }),
    Hostile("a hard link", "hard link", header: { ($0.flag, $0.link) = (UInt8(ascii: "1"), Array("first".utf8)) }),
    Hostile("a character device", "device", header: { $0.flag = UInt8(ascii: "3") }),
    Hostile("a block device", "device", header: { $0.flag = UInt8(ascii: "4") }),
    Hostile("a directory", "directory", header: { $0.flag = UInt8(ascii: "5") }),
    Hostile("a pipe", "pipe", header: { $0.flag = UInt8(ascii: "6") }),
    Hostile("a sparse file", "GNU", header: { $0.flag = UInt8(ascii: "S") }),
    Hostile("a long name of GNU tar", "GNU", header: { $0.flag = UInt8(ascii: "L") }),
    Hostile("a global header", "global", header: { $0.flag = UInt8(ascii: "g") }),
    Hostile("an unknown kind", "unknown kind", header: { $0.flag = UInt8(ascii: "Z") }),
    Hostile("a file with a link target", "link target", header: { $0.link = Array("y".utf8) }),
    Hostile("GNU's magic", "ustar", header: { $0.magic = Array("ustar  \u{0}".utf8) }),
    Hostile("no magic", "ustar", header: { $0.magic = [] }),
    Hostile("a wrong checksum", "checksum", header: { $0.isChecksumRight = false }),
    Hostile("a binary size", "binary number", header: { $0.sizeField = [0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0] }),
    Hostile("a negative binary size", "binary number", header: { $0.sizeField = [UInt8](repeating: 0xFF, count: 12) }),
    Hostile("a size that is no number", "octal", header: { $0.sizeField = Array("12345678901\u{0}".utf8) }),
    Hostile("a size with a sign", "octal", header: { $0.sizeField = Array("-0000000001\u{0}".utf8) }),
    Hostile("a mode that is no number", "octal", header: { $0.mode = Array("rw-r--r-".utf8) }),
    Hostile("a giant size", "declares", header: { $0.size = 1 << 32 }),
    Hostile("the same name twice", "twice") { $0.add("first", [2]) },
    Hostile("the same name in capitals", "case or spelling") { $0.add("FIRST", [2]) },
    Hostile("the same name, composed otherwise", "case or spelling") {
      $0.add("\u{E9}", [2])
      $0.add("e\u{301}", [2])
    },
    Hostile("a file below a file", "one name") { $0.add("first/x", [2]) },
    Hostile("a file where a directory was", "one name") {
      $0.add("d/x", [2])
      $0.add("D", [2])
    },
    Hostile("a pax path that leads out", "leaves its directory") {
      $0.extend(RawArchive.record("path", "../../x"))
      $0.add("harmless", [2])
    },
    Hostile("a pax size beyond the archive", "declares") {
      $0.extend(RawArchive.record("size", "99999999999"))
      $0.add("x", [2])
    },
    Hostile("a pax size that is no number", "no number") {
      $0.extend(RawArchive.record("size", "-1"))
      $0.add("x", [2])
    },
    Hostile("a pax size that overflows", "no number") {
      $0.extend(RawArchive.record("size", "99999999999999999999"))
      $0.add("x", [2])
    },
    Hostile("two pax paths", "twice") {
      $0.extend(RawArchive.record("path", "a") + RawArchive.record("path", "b"))
      $0.add("x", [2])
    },
    Hostile("a pax link", "linkpath") {
      $0.extend(RawArchive.record("linkpath", "/etc"))
      $0.add("x", [2])
    },
    Hostile("sparse by pax", "GNU.sparse.major") {
      $0.extend(RawArchive.record("GNU.sparse.major", "1"))
      $0.add("x", [2])
    },
    Hostile("a pax record with a wrong length", "damaged") {
      $0.extend("99 path=x\n")
      $0.add("x", [2])
    },
    Hostile("a pax record without an end", "damaged") {
      $0.extend("10 path=xyz")
      $0.add("x", [2])
    },
    Hostile("a pax header before a pax header", "before no file") {
      $0.extend(RawArchive.record("path", "a"))
      $0.extend(RawArchive.record("path", "b"))
      $0.add("x", [2])
    },
    Hostile("a pax header before the end", "before no file") { $0.extend(RawArchive.record("path", "a")) },
    Hostile("a giant pax header", "more than it can need") {
      var header = RawArchive.Header("p", size: 4096)
      header.flag = UInt8(ascii: "x")
      $0.add(header, [UInt8](repeating: 0x61, count: 4096))
    },
    Hostile("bytes after the end", "after its end") {
      $0.end()
      $0.add("x", [2])
    },
    Hostile("one empty block", "after its end") {
      $0.bytes += [UInt8](repeating: 0, count: 512)
      $0.add("x", [2])
    },
    Hostile("bytes between two files", "between two entries") {
      $0.add(RawArchive.Header("x", size: 1), [1, 2])
      $0.add("y", [3])
    },
    Hostile("a path too long", "longer than") {
      $0.extend(RawArchive.record("path", String(repeating: "a/", count: 600) + "b"))
      $0.add("x", [2])
    },
    Hostile("a component too long", "longer than") {
      $0.extend(RawArchive.record("path", String(repeating: "a", count: 256)))
      $0.add("x", [2])
    },
    Hostile("a path too deep", "deeper than") {
      $0.extend(RawArchive.record("path", String(repeating: "a/", count: 65) + "b"))
      $0.add("x", [2])
    },
  ]

  @Test("what is hostile is refused in words", arguments: hostile)
  func refused(_ hostile: Hostile) throws {
    let error = #expect(throws: SharingError.self) { try read(hostile.bytes) }
    #expect(error?.message.contains(hostile.message) == true, "\(error?.description ?? "")")
  }

  @Test("an archive that is cut off anywhere is refused")
  func truncated() throws {
    let bytes = try write([("a", Array(repeating: 1, count: 700)), (Self.long, [2]), ("c", [3])])
    for end in stride(from: 0, to: bytes.count, by: 512) {
      #expect(throws: SharingError.self, "cut at \(end)") { try read(Array(bytes[..<end])) }
    }
    for end in [1, 100, 511, 513, bytes.count - 1] {
      #expect(throws: SharingError.self, "cut at \(end)") { try read(Array(bytes[..<end])) }
    }
  }

  @Test(
    "compressed files are named as what they are",
    arguments: [
      ([0x1F, 0x8B, 8], "gzip"), ([0x28, 0xB5, 0x2F, 0xFD], "zstd"), ([0x50, 0x4B, 3, 4], "zip"), ([0x42, 0x5A, 0x68], "bzip2"),
    ] as [([UInt8], String)])
  func compressed(_ start: [UInt8], _ name: String) throws {
    for length in [start.count, 2000] {
      let error = #expect(throws: SharingError.self) { try read(start + [UInt8](repeating: 1, count: length)) }
      #expect(error?.message.contains("compressed (\(name))") == true)
    }
  }

  @Test("more entries than the limit are refused before they fill memory")
  func entries() throws {
    var place = 0
    // As a million are refused, which take a while to be made.
    var reader = TarReader(mostEntries: 5000) { count in
      guard count == 512 else { return [] }
      place += 1
      return RawArchive.Header("f\(place)").block
    }
    let error = #expect(throws: SharingError.self) { while try reader.next() != nil {} }
    #expect(error?.message.contains("entries") == true)
    #expect(place == 5001)
  }

  @Test("changed bytes never crash the reader")
  func mutated() throws {
    let bytes = try write([("a", Array(repeating: 1, count: 700)), (Self.long, [2]), ("c", [3])])
    var state: UInt64 = 7
    for _ in 0..<4000 {
      var changed = bytes
      for _ in 0..<3 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        changed[Int(state >> 33) % changed.count] = UInt8(truncatingIfNeeded: state >> 20)
      }
      _ = try? read(changed)
    }
  }
}
