import Hashing
import JSONValues
import Sharing

/// An archive written block by block, so that every field can be wrong.
struct RawArchive {
  var bytes: [UInt8] = []

  struct Header {
    var name: [UInt8]
    var size = 0
    var flag = UInt8(ascii: "0")
    var link: [UInt8] = []
    var prefix: [UInt8] = []
    var magic = Array("ustar\u{0}00".utf8)
    /// Replaces the octal digits.
    var sizeField: [UInt8]?
    var mode: [UInt8]?
    var isChecksumRight = true

    init(_ name: String, size: Int = 0) { (self.name, self.size) = (Array(name.utf8), size) }

    var block: [UInt8] {
      var block = [UInt8](repeating: 0, count: 512)
      func put(_ bytes: [UInt8], _ place: Int) { block.replaceSubrange(place..<place + bytes.count, with: bytes) }
      put(Array(name.prefix(100)), 0)
      put(mode ?? Array("0000644\u{0}".utf8), 100)
      put(Array("0000000\u{0}0000000\u{0}".utf8), 108)
      put(sizeField ?? Array((Self.octal(size) + "\u{0}").utf8), 124)
      put(Array("00000000000\u{0}".utf8), 136)
      block[156] = flag
      put(link, 157)
      put(magic, 257)
      put(prefix, 345)
      put([UInt8](repeating: 0x20, count: 8), 148)
      let sum = block.reduce(0) { $0 + Int($1) } + (isChecksumRight ? 0 : 1)
      put(Array((String(Self.octal(sum).suffix(6)) + "\u{0} ").utf8), 148)
      return block
    }

    private static func octal(_ value: Int) -> String {
      let digits = String(value, radix: 8)
      return String(repeating: "0", count: max(0, 11 - digits.count)) + digits
    }
  }

  mutating func add(_ header: Header, _ content: [UInt8] = []) {
    bytes += header.block + content + [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
  }

  mutating func add(_ name: String, _ content: [UInt8]) { add(Header(name, size: content.count), content) }

  mutating func end() { bytes += [UInt8](repeating: 0, count: 1024) }

  /// `pax` before a file.
  mutating func extend(_ record: String) {
    var header = Header("pax/header", size: record.utf8.count)
    header.flag = UInt8(ascii: "x")
    add(header, Array(record.utf8))
  }

  static func record(_ keyword: String, _ value: String) -> String {
    let rest = 3 + keyword.utf8.count + value.utf8.count
    var length = rest + 1
    while rest + String(length).utf8.count != length { length = rest + String(length).utf8.count }
    return "\(length) \(keyword)=\(value)\n"
  }
}

/// A small exported recipe, as a writer that is not the project's own would make it.
struct RawRecipe {
  var files: [(path: String, bytes: [UInt8])] = [
    ("recipe/r.lock", Array("lock".utf8)), ("recipe/r.yaml", Array("heirloom: 1\n".utf8)), ("recipe/sub/data.txt", Array("data".utf8)),
  ]
  /// What the document says instead, by path.
  var digests: [String: Digest] = [:]
  var sizes: [String: JSONValue] = [:]
  var listed: [String]?

  var document: [UInt8] {
    let entries = (listed ?? files.map(\.path)).map { path -> JSONValue in
      let bytes = files.first { $0.path == path }?.bytes ?? []
      return [
        "path": .string(path), "digest": .string((digests[path] ?? Digest(hashing: bytes)).text),
        "size": sizes[path] ?? .integer(bytes.count),
      ]
    }
    let json: JSONValue = [
      "format": "heirloom recipe 1", "recipe": "r", "engine": "0", "manifest": "r.yaml", "lock": "r.lock", "directories": [],
      "entries": .array(entries),
    ]
    return json.encodedBytes()
  }

  func archive(_ change: (inout RawArchive) -> Void = { _ in }) -> [UInt8] {
    var archive = RawArchive()
    archive.add(RecipeDocument.name, document)
    for (path, bytes) in files { archive.add(path, bytes) }
    change(&archive)
    archive.end()
    return archive.bytes
  }
}
