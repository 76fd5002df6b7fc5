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

  init?(line: ArraySlice<UInt8>) {
    let fields = line.split(separator: 9, omittingEmptySubsequences: false)
    guard fields.count >= 8, let key = Digest(Self.text(fields[0])), let inode = UInt64(Self.text(fields[1])),
      let modified = Int(Self.text(fields[2])), let size = Int(Self.text(fields[3])), let seconds = Double(Self.text(fields[7]))
    else { return nil }
    var outputs: [StoredOutput] = []
    for field in fields[8...] {
      guard let output = StoredOutput(field: field) else { return nil }
      outputs.append(output)
    }
    self.inode = inode
    self.modified = modified
    self.size = size
    summary = ResultSummary(
      key: key, stage: Store.name(ofFile: Self.text(fields[4])), recipe: Store.name(ofFile: Self.text(fields[5])),
      instance: Store.name(ofFile: Self.text(fields[6])), seconds: seconds, outputs: outputs)
  }

  static func text(_ field: ArraySlice<UInt8>) -> String { String(decoding: field, as: UTF8.self) }
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
  fileprivate init?(field: ArraySlice<UInt8>) {
    let parts = field.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
    guard parts.count == 5, let digest = Digest(IndexEntry.text(parts[2])), let size = Int(IndexEntry.text(parts[3])) else { return nil }
    self.init(
      name: IndexEntry.text(parts[0]), type: IndexEntry.text(parts[1]), digest: digest, size: size,
      isDirectory: parts[4].first == UInt8(ascii: "d"))
  }
}
