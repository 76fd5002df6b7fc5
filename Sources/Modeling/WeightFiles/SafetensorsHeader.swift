import JSONValues

/// The header of a safetensors file, in and out: which tensors there are and where. Knows nothing of their values.
///
/// Layout: a little-endian u64 length N, N bytes of JSON padded with spaces, the data. `data_offsets` are relative to the data; the
/// tensors cover it without holes or overlaps, up to the end of the file. Parsing refuses everything else.
package struct SafetensorsHeader: Sendable {
  /// In the order of their data.
  package let tensors: [TensorRecord]
  package let metadata: [(key: String, value: String)]
  /// Bytes of the file before the data.
  package let dataStart: Int

  package static let largestLength = 100_000_000

  package var dataCount: Int { tensors.last?.range.upperBound ?? 0 }

  // MARK: - Reading

  package init(reading file: PositionedFile) throws(ModelError) {
    let length = try Self.length(file)
    let bytes = try file.bytes(at: 8, count: length)
    do throws(ModelError) {
      try self.init(parsing: bytes, dataCount: file.size - 8 - length)
    } catch {
      throw ModelError(error.message, file: file.path)
    }
  }

  private static func length(_ file: PositionedFile) throws(ModelError) -> Int {
    guard file.size >= 8 else {
      throw ModelError("is \(file.size) bytes long; a safetensors file begins with an 8-byte header length", file: file.path)
    }
    let length = try file.bytes(at: 0, count: 8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard length <= largestLength else {
      throw ModelError(
        "gives its header \(length) bytes, more than the format's limit of \(largestLength): not a safetensors file", file: file.path)
    }
    guard Int(length) <= file.size - 8 else {
      throw ModelError("gives its header \(length) bytes, but ends \(file.size - 8) bytes after the length: truncated", file: file.path)
    }
    return Int(length)
  }

  /// `bytes`: the JSON text. `dataCount`: the bytes that follow it in the file.
  package init(parsing bytes: [UInt8], dataCount: Int) throws(ModelError) {
    guard bytes.first == UInt8(ascii: "{") else { throw ModelError("the header does not begin with '{'") }
    let members: JSONObject
    do throws(JSONError) {
      members = try JSONValue(parsing: bytes, maximumDepth: 8).objectValue ?? JSONObject()
    } catch {
      throw ModelError("the header is not valid JSON: \(error)")
    }
    var tensors: [TensorRecord] = []
    var metadata: [(key: String, value: String)] = []
    for (name, value) in members.members {
      if name.utf8.elementsEqual("__metadata__".utf8) {
        metadata = try Self.metadata(value)
      } else {
        tensors.append(try Self.record(name, value))
      }
    }
    tensors.sort { ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound) }
    try Self.checkCoverage(tensors, dataCount: dataCount)
    self.tensors = tensors
    self.metadata = metadata
    dataStart = 8 + bytes.count
  }

  private static func metadata(_ value: JSONValue) throws(ModelError) -> [(key: String, value: String)] {
    guard let object = value.objectValue else { throw ModelError("__metadata__ must be an object, not \(value.kindName)") }
    var metadata: [(key: String, value: String)] = []
    for (key, value) in object.members {
      guard let text = value.stringValue else { throw ModelError("__metadata__ '\(key)' must be a string, not \(value.kindName)") }
      metadata.append((key, text))
    }
    return metadata
  }

  private static func record(_ name: String, _ value: JSONValue) throws(ModelError) -> TensorRecord {
    guard let members = value.objectValue else { throw ModelError("tensor '\(name)' must be an object, not \(value.kindName)") }
    guard let typeName = members["dtype"]?.stringValue else { throw ModelError("tensor '\(name)' has no dtype") }
    guard let type = ElementType(rawValue: typeName) else {
      let known = ElementType.allCases.map(\.rawValue).joined(separator: ", ")
      throw ModelError("tensor '\(name)' has the unknown dtype '\(typeName)'; known: \(known)")
    }
    guard let shape = sizes(members["shape"]) else { throw ModelError("tensor '\(name)': shape must be a list of sizes") }
    guard let offsets = sizes(members["data_offsets"]), offsets.count == 2, offsets[0] <= offsets[1] else {
      throw ModelError("tensor '\(name)': data_offsets must be a start and an end")
    }
    guard let bytes = TensorRecord.byteCount(of: type, shape: shape) else {
      throw ModelError("tensor '\(name)' of shape \(shape) and dtype \(typeName) has no size in bytes: it overflows or is no whole number")
    }
    guard bytes == offsets[1] - offsets[0] else {
      throw ModelError(
        "tensor '\(name)' of shape \(shape) and dtype \(typeName) takes \(bytes) bytes; its data_offsets give \(offsets[1] - offsets[0])")
    }
    return TensorRecord(name: name, type: type, shape: shape, range: offsets[0]..<offsets[1])
  }

  private static func sizes(_ value: JSONValue?) -> [Int]? {
    guard let list = value?.arrayValue else { return nil }
    var sizes: [Int] = []
    for element in list {
      guard case .integer(let size) = element, size >= 0 else { return nil }
      sizes.append(size)
    }
    return sizes
  }

  private static func checkCoverage(_ tensors: [TensorRecord], dataCount: Int) throws(ModelError) {
    var end = 0
    var previous: TensorRecord?
    for tensor in tensors {
      if tensor.range.lowerBound < end, let previous {
        throw ModelError(
          "tensors '\(previous.name)' and '\(tensor.name)' overlap: one ends at byte \(end), the other starts at \(tensor.range.lowerBound)"
        )
      }
      if tensor.range.lowerBound > end {
        throw ModelError(
          "tensor '\(tensor.name)' leaves a hole: it starts at byte \(tensor.range.lowerBound), the data before it ends at \(end)")
      }
      end = tensor.range.upperBound
      previous = tensor
    }
    if end > dataCount { throw ModelError("the tensors take \(end) bytes, but only \(dataCount) follow the header: truncated") }
    if end < dataCount { throw ModelError("the tensors take \(end) bytes, but \(dataCount) follow the header") }
  }

  // MARK: - Writing

  /// Lays tensors out as the reference library does: by type (highest in its order first), then by name in bytes.
  package init(laying declarations: [TensorDeclaration], metadata: [(key: String, value: String)]) {
    let sorted = declarations.sorted {
      $0.type != $1.type ? $0.type.rank > $1.type.rank : $0.name.utf8.lexicographicallyPrecedes($1.name.utf8)
    }
    var end = 0
    tensors = sorted.map { declaration in
      guard let bytes = TensorRecord.byteCount(of: declaration.type, shape: declaration.shape) else {
        preconditionFailure("tensor '\(declaration.name)' of shape \(declaration.shape) has no size in bytes")
      }
      defer { end += bytes }
      return TensorRecord(name: declaration.name, type: declaration.type, shape: declaration.shape, range: end..<end + bytes)
    }
    self.metadata = metadata
    dataStart = 8 + Self.paddedText(tensors, metadata).count
  }

  /// Everything before the data: the length, the JSON text, its padding.
  package var encoded: [UInt8] {
    let text = Self.paddedText(tensors, metadata)
    return withUnsafeBytes(of: UInt64(text.count).littleEndian) { Array($0) } + text
  }

  private static func paddedText(_ tensors: [TensorRecord], _ metadata: [(key: String, value: String)]) -> [UInt8] {
    var object = JSONObject()
    if !metadata.isEmpty { object.append("__metadata__", .object(JSONObject(metadata.map { ($0.key, .string($0.value)) }))) }
    for tensor in tensors {
      let offsets = [tensor.range.lowerBound, tensor.range.upperBound]
      object.append(
        tensor.name,
        .object(
          JSONObject([
            ("dtype", .string(tensor.type.rawValue)), ("shape", .array(tensor.shape.map { .integer($0) })),
            ("data_offsets", .array(offsets.map { .integer($0) })),
          ])))
    }
    var text = JSONValue.object(object).encodedBytes()
    text.append(contentsOf: repeatElement(UInt8(ascii: " "), count: (8 - text.count % 8) % 8))
    return text
  }
}

/// A tensor that is to be written.
package struct TensorDeclaration: Sendable, Equatable {
  package let name: String
  package let type: ElementType
  package let shape: [Int]

  package init(name: String, type: ElementType, shape: [Int]) {
    self.name = name
    self.type = type
    self.shape = shape
  }
}
