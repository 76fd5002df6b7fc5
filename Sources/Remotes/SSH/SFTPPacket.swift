/// One message of the SSH file transfer protocol, version 3 (draft-ietf-secsh-filexfer-02), as OpenSSH speaks it. Values only; it does not
/// know where messages go.
struct SFTPPacket {
  enum Kind: UInt8 {
    case initialize = 1
    case version = 2
    case open = 3
    case close = 4
    case read = 5
    case write = 6
    case fileStatus = 8
    case setStatus = 9
    case setFileStatus = 10
    case openDirectory = 11
    case readDirectory = 12
    case remove = 13
    case makeDirectory = 14
    case status = 17
    case rename = 18
    case reply = 101
    case handle = 102
    case data = 103
    case names = 104
    case attributes = 105
    case extended = 200
    case extendedReply = 201
  }

  static let version: UInt32 = 3
  static let forReading: UInt32 = 0x01
  static let forReadingAndWriting: UInt32 = 0x01 | 0x02 | 0x08
  static let permissionsFlag: UInt32 = 0x04
  static let sizeFlag: UInt32 = 0x01

  /// Without the length in front.
  private(set) var bytes: [UInt8]

  init(_ kind: Kind, reserving room: Int = 64) {
    bytes = []
    bytes.reserveCapacity(room)
    bytes.append(kind.rawValue)
  }

  mutating func append(_ value: UInt32) {
    for shift in stride(from: 24, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: value >> UInt32(shift))) }
  }

  mutating func append(_ value: UInt64) {
    append(UInt32(truncatingIfNeeded: value >> 32))
    append(UInt32(truncatingIfNeeded: value))
  }

  mutating func append(_ text: some Collection<UInt8>) {
    append(UInt32(text.count))
    bytes.append(contentsOf: text)
  }

  mutating func append(_ text: String) { append(text.utf8) }
}

/// Reads the fields of a message one after the other; nil where the message ends too early. Nothing in it is believed: a length is one only
/// when so many bytes are there.
struct SFTPFields {
  private let bytes: ArraySlice<UInt8>
  private var place: Int

  init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    place = bytes.startIndex
  }

  var isAtEnd: Bool { place == bytes.endIndex }

  mutating func byte() -> UInt8? {
    guard place < bytes.endIndex else { return nil }
    defer { place += 1 }
    return bytes[place]
  }

  mutating func word() -> UInt32? {
    guard bytes.endIndex - place >= 4 else { return nil }
    defer { place += 4 }
    return bytes[place..<place + 4].reduce(0) { $0 << 8 | UInt32($1) }
  }

  mutating func long() -> UInt64? {
    guard let high = word(), let low = word() else { return nil }
    return UInt64(high) << 32 | UInt64(low)
  }

  mutating func string() -> ArraySlice<UInt8>? {
    guard let count = word(), bytes.endIndex - place >= Int(count) else { return nil }
    defer { place += Int(count) }
    return bytes[place..<place + Int(count)]
  }

  mutating func text() -> String? { string().map { String(decoding: $0, as: UTF8.self) } }

  /// The size and permissions of a file's attributes.
  mutating func attributes() -> (size: Int?, permissions: UInt32?)? {
    guard let flags = word() else { return nil }
    var size: Int?
    var permissions: UInt32?
    if flags & SFTPPacket.sizeFlag != 0 {
      guard let value = long() else { return nil }
      size = Int(exactly: value)
    }
    if flags & 0x02 != 0, long() == nil { return nil }
    if flags & SFTPPacket.permissionsFlag != 0 {
      guard let value = word() else { return nil }
      permissions = value
    }
    if flags & 0x08 != 0, long() == nil { return nil }
    if flags & 0x8000_0000 != 0 {
      guard let count = word(), count <= 1000 else { return nil }
      for _ in 0..<count where string() == nil || string() == nil { return nil }
    }
    return (size, permissions)
  }
}

/// What the other side answered.
enum SFTPAnswer {
  case status(code: UInt32, message: String)
  case handle(ArraySlice<UInt8>)
  case data(ArraySlice<UInt8>)
  case names([String])
  case attributes(size: Int?, permissions: UInt32?)
  case extended(ArraySlice<UInt8>)

  static let ok: UInt32 = 0
  static let endOfFile: UInt32 = 1
  static let noSuchFile: UInt32 = 2
  static let permissionDenied: UInt32 = 3

  /// Behind the kind and the number of the request; nil for nonsense.
  init?(_ kind: UInt8, _ rest: ArraySlice<UInt8>) {
    var fields = SFTPFields(rest)
    switch SFTPPacket.Kind(rawValue: kind) {
    case .reply:
      guard let code = fields.word() else { return nil }
      self = .status(code: code, message: fields.text() ?? "")
    case .handle:
      guard let handle = fields.string(), handle.count <= 256 else { return nil }
      self = .handle(handle)
    case .data:
      guard let data = fields.string() else { return nil }
      self = .data(data)
    case .names:
      guard let count = fields.word(), count <= 100_000 else { return nil }
      var names: [String] = []
      for _ in 0..<count {
        guard let name = fields.text(), fields.string() != nil, fields.attributes() != nil else { return nil }
        names.append(name)
      }
      self = .names(names)
    case .attributes:
      guard let (size, permissions) = fields.attributes() else { return nil }
      self = .attributes(size: size, permissions: permissions)
    case .extendedReply: self = .extended(rest)
    default: return nil
    }
  }
}
