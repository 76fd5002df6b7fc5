/// The text of an extended header: `LENGTH KEYWORD=VALUE\n` again and again, of which `path` and `size` are known here.
package struct PaxRecord: Equatable, Sendable {
  package var path: [UInt8]?
  package var size: Int?

  package init(path: [UInt8]? = nil, size: Int? = nil) {
    self.path = path
    self.size = size
  }

  /// A path of the greatest length and a size need less.
  package static let mostBytes = 2048

  package var bytes: [UInt8] {
    var bytes: [UInt8] = []
    if let path { bytes += Self.line("path", path) }
    if let size { bytes += Self.line("size", Array(String(size).utf8)) }
    return bytes
  }

  /// The length counts itself.
  private static func line(_ keyword: String, _ value: [UInt8]) -> [UInt8] {
    let rest = 1 + keyword.utf8.count + 1 + value.count + 1
    var length = rest + 1
    while rest + String(length).utf8.count != length { length = rest + String(length).utf8.count }
    return Array("\(length) \(keyword)=".utf8) + value + [0x0A]
  }

  package init(reading bytes: [UInt8]) throws(SharingError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let digits = rest.prefix { (0x30...0x39).contains($0) }
      guard (1...5).contains(digits.count), let length = Int(String(decoding: digits, as: UTF8.self)), length <= rest.count,
        length > digits.count + 2, rest[rest.startIndex + digits.count] == 0x20, rest[rest.startIndex + length - 1] == 0x0A
      else { throw SharingError("the extended header is damaged") }
      let line = rest[(rest.startIndex + digits.count + 1)..<(rest.startIndex + length - 1)]
      try take(line)
      rest = rest[(rest.startIndex + length)...]
    }
  }

  private mutating func take(_ line: ArraySlice<UInt8>) throws(SharingError) {
    guard let equals = line.firstIndex(of: UInt8(ascii: "=")) else { throw SharingError("the extended header is damaged") }
    let keyword = String(decoding: line[..<equals], as: UTF8.self)
    let value = Array(line[(equals + 1)...])
    switch keyword {
    case "path" where path == nil: path = value
    case "size" where size == nil:
      guard (1...18).contains(value.count), value.allSatisfy({ (0x30...0x39).contains($0) }),
        let number = Int(String(decoding: value, as: UTF8.self))
      else { throw SharingError("the extended header's size is no number") }
      size = number
    case "path", "size": throw SharingError("the extended header says \(keyword) twice")
    default: throw SharingError("the extended header says '\(keyword)', which is not read (only path and size)")
    }
  }
}
