import Hashing

/// What a result says in short: enough to judge an instance without opening its file.
package struct ResultSummary: Sendable, Equatable {
  package let key: Digest
  package let stage: String
  /// Who computed the answer.
  package let recipe: String
  package let instance: String
  package let seconds: Double
  package let outputs: [StoredOutput]

  package init(_ record: ResultRecord) {
    key = record.key
    stage = record.stage
    recipe = record.answer.recipe
    instance = record.answer.instance
    seconds = record.answer.seconds
    outputs = record.answer.outputs
  }

  package func output(_ name: String) -> StoredOutput? { outputs.first { $0.name.utf8.elementsEqual(name.utf8) } }
}

/// A line of the index: a summary, and which file it was true of.
struct IndexEntry {
  let inode: UInt64
  let modified: Int
  let size: Int
  let summary: ResultSummary

  func speaks(of status: FileStatus) -> Bool { status.inode == inode && status.modified == modified && status.size == size }

  init(_ record: ResultRecord, _ status: FileStatus) {
    inode = status.inode
    modified = status.modified
    size = status.size
    summary = ResultSummary(record)
  }

  // MARK: - As a line

  /// `key inode modified size stage recipe instance seconds output…`, separated by tabs; an output is `name:type:digest:size:f|d`.
  var line: [UInt8] {
    var fields = [
      summary.key.hex, String(inode), String(modified), String(size), Store.fileName(summary.stage), Store.fileName(summary.recipe),
      Store.fileName(summary.instance), String(summary.seconds),
    ]
    for output in summary.outputs {
      fields.append("\(output.name):\(output.type):\(output.digest.hex):\(output.size):\(output.isDirectory ? "d" : "f")")
    }
    return Array((fields.joined(separator: "\t") + "\n").utf8)
  }

  init?(line: UnsafeBufferPointer<UInt8>) {
    var fields = IndexFields(line)
    guard let key = fields.next().flatMap({ Digest(digits: $0) }), let inode = fields.integer(), let modified = fields.integer(),
      let size = fields.integer(), let stage = fields.next(), let recipe = fields.next(), let instance = fields.next(),
      let seconds = fields.next().flatMap({ Double(String(decoding: $0, as: UTF8.self)) })
    else { return nil }
    var outputs: [StoredOutput] = []
    while let field = fields.next() {
      guard let output = StoredOutput(field: field) else { return nil }
      outputs.append(output)
    }
    self.inode = UInt64(inode)
    self.modified = modified
    self.size = size
    summary = ResultSummary(
      key: key, stage: Self.name(stage), recipe: Self.name(recipe), instance: Self.name(instance), seconds: seconds, outputs: outputs)
  }

  private static func name(_ field: UnsafeBufferPointer<UInt8>) -> String { Store.name(ofFile: String(decoding: field, as: UTF8.self)) }
}

/// The fields of a line one after the other, without a copy.
struct IndexFields {
  private let bytes: UnsafeBufferPointer<UInt8>
  private let separator: UInt8
  private var place: Int? = 0

  init(_ bytes: UnsafeBufferPointer<UInt8>, separator: UInt8 = 9) {
    self.bytes = bytes
    self.separator = separator
  }

  /// Nil when there are no more.
  mutating func next() -> UnsafeBufferPointer<UInt8>? {
    guard let start = place else { return nil }
    var end = start
    while end < bytes.count, bytes[end] != separator { end += 1 }
    place = end < bytes.count ? end + 1 : nil
    return UnsafeBufferPointer(rebasing: bytes[start..<end])
  }

  /// The next field if it is a number of decimal digits.
  mutating func integer() -> Int? {
    guard let digits = next(), !digits.isEmpty, digits.count < 20 else { return nil }
    var value: UInt64 = 0
    for digit in digits {
      guard digit &- 0x30 < 10 else { return nil }
      value = value &* 10 &+ UInt64(digit &- 0x30)
    }
    return Int(exactly: value)
  }
}

extension ResultSummary {
  fileprivate init(key: Digest, stage: String, recipe: String, instance: String, seconds: Double, outputs: [StoredOutput]) {
    self.key = key
    self.stage = stage
    self.recipe = recipe
    self.instance = instance
    self.seconds = seconds
    self.outputs = outputs
  }
}

extension StoredOutput {
  fileprivate init?(field: UnsafeBufferPointer<UInt8>) {
    var parts = IndexFields(field, separator: UInt8(ascii: ":"))
    guard let name = parts.next(), let type = parts.next(), let digest = parts.next().flatMap({ Digest(digits: $0) }),
      let size = parts.integer(), let kind = parts.next(), parts.next() == nil
    else { return nil }
    self.init(
      name: String(decoding: name, as: UTF8.self), type: String(decoding: type, as: UTF8.self), digest: digest, size: size,
      isDirectory: kind.first == UInt8(ascii: "d"))
  }
}
