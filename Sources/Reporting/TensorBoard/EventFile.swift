/// The bytes of a TensorBoard event file: TFRecords of `Event` messages (tensorboard/compat/proto/event.proto), scalars only.
struct EventFile {
  private(set) var bytes: [UInt8] = []

  /// - Parameter time: seconds since 1970, of every event.
  init(time: Double) {
    var version = Message()
    version.add(1, time)
    version.add(3, bytes: Array("brain.Event:2".utf8))
    append(version)
  }

  /// One event with the values of a step. Scalars are float32 there.
  mutating func add(step: Int, time: Double, _ scalars: [(tag: String, value: Double)]) {
    var summary = Message()
    for (tag, value) in scalars {
      var entry = Message()
      entry.add(1, bytes: Array(tag.utf8))
      entry.add(2, Float(value))
      summary.add(1, bytes: entry.bytes)
    }
    var event = Message()
    event.add(1, time)
    event.add(2, step)
    event.add(5, bytes: summary.bytes)
    append(event)
  }

  /// Length, its checksum, the message, its checksum; all little-endian.
  private mutating func append(_ message: Message) {
    let length = Message.fixed(UInt64(message.bytes.count))
    bytes += length + Message.fixed(CRC32C.masked(length)) + message.bytes + Message.fixed(CRC32C.masked(message.bytes))
  }

  /// A protobuf message in the making.
  private struct Message {
    var bytes: [UInt8] = []

    mutating func add(_ field: Int, _ value: Double) {
      key(field, wireType: 1)
      bytes += Self.fixed(value.bitPattern)
    }

    mutating func add(_ field: Int, _ value: Float) {
      key(field, wireType: 5)
      bytes += Self.fixed(value.bitPattern)
    }

    mutating func add(_ field: Int, _ value: Int) {
      key(field, wireType: 0)
      varint(UInt64(bitPattern: Int64(value)))
    }

    mutating func add(_ field: Int, bytes value: [UInt8]) {
      key(field, wireType: 2)
      varint(UInt64(value.count))
      bytes += value
    }

    private mutating func key(_ field: Int, wireType: UInt64) { varint(UInt64(field) << 3 | wireType) }

    private mutating func varint(_ value: UInt64) {
      var rest = value
      while rest >= 0x80 {
        bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
        rest >>= 7
      }
      bytes.append(UInt8(rest))
    }

    static func fixed<Word: FixedWidthInteger>(_ word: Word) -> [UInt8] {
      withUnsafeBytes(of: word.littleEndian) { Array($0) }
    }
  }
}
