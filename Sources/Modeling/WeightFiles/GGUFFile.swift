import JSONValues

/// A GGUF file (version 2 or 3) opened for reading: its metadata, and its tensors dequantised to Float. Knows nothing of architectures.
package final class GGUFFile: Sendable {
  package struct Tensor: Sendable, Equatable {
    package let name: String
    package let type: GGUFTensorType
    /// Slowest first, as everywhere else here; the file has it the other way round.
    package let shape: [Int]
    /// In bytes from the start of the file.
    package let offset: Int
    package let byteCount: Int

    /// Values in a row, which is what blocks divide.
    package var columns: Int { shape.last ?? 1 }
    package var rows: Int { shape.dropLast().reduce(1, *) }
    package var count: Int { rows * columns }
    var rowBytes: Int { columns / type.blockSize * type.blockBytes }
  }

  /// In file order. Numbers stored as 32-bit floats are the shortest decimals that round to them.
  package let metadata: JSONObject
  /// In file order.
  package let tensors: [Tensor]
  private let file: PositionedFile
  private let indexByName: [ByteString: Int]

  package init(path: String) throws(ModelError) {
    file = try PositionedFile(path: path)
    var cursor = GGUFCursor(file: file)
    let tensorCount = try Self.head(&cursor)
    let metadataCount = try cursor.count("the number of metadata entries", leastSize: 13)
    guard tensorCount <= cursor.remaining / 24 else {
      throw cursor.failure("the number of tensors is \(tensorCount), but only \(cursor.remaining) bytes follow: truncated or corrupt")
    }
    metadata = try Self.metadata(&cursor, count: metadataCount)
    tensors = try Self.tensors(&cursor, count: tensorCount, alignment: try Self.alignment(metadata, path: path))
    indexByName = Dictionary(uniqueKeysWithValues: tensors.enumerated().map { (ByteString($1.name), $0) })
  }

  package var path: String { file.path }

  package subscript(name: String) -> Tensor? { indexByName[ByteString(name)].map { tensors[$0] } }

  /// Some values are approximations: a model made from this file is not the one that was quantised.
  package var isLossy: Bool { tensors.contains { $0.type.isQuantized } }

  /// Dequantises rows of a tensor; `target` says where each row (`columns` floats) belongs. Thread-safe.
  package func readRows(
    _ tensor: Tensor, _ rows: Range<Int>, to target: (Int) -> UnsafeMutablePointer<Float>
  ) throws(ModelError) {
    precondition(rows.lowerBound >= 0 && rows.upperBound <= tensor.rows, "rows \(rows) outside of tensor '\(tensor.name)'")
    let rowBytes = tensor.rowBytes
    let part = max(1, min(rows.count, Self.conversionBytes / max(rowBytes, 1)))
    let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: max(part * rowBytes, 1), alignment: 64)
    defer { scratch.deallocate() }
    guard let bytes = scratch.baseAddress else { return }
    for first in stride(from: rows.lowerBound, to: rows.upperBound, by: part) {
      let count = min(part, rows.upperBound - first)
      try file.read(into: UnsafeMutableRawBufferPointer(start: bytes, count: count * rowBytes), at: tensor.offset + first * rowBytes)
      for row in 0..<count {
        Dequantization.load(bytes + row * rowBytes, tensor.type, blocks: tensor.columns / tensor.type.blockSize, to: target(first + row))
      }
    }
  }

  package func floats(of tensor: Tensor) throws(ModelError) -> [Float] {
    var failure: ModelError?
    let values = [Float](unsafeUninitializedCapacity: tensor.count) { buffer, initialized in
      guard let start = buffer.baseAddress, tensor.count > 0 else { return }
      do throws(ModelError) {
        try readRows(tensor, 0..<tensor.rows) { start + $0 * tensor.columns }
        initialized = tensor.count
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return values
  }

  private static let conversionBytes = 128 * 1024

  // MARK: - Parsing

  /// Magic, version and the number of tensors.
  private static func head(_ cursor: inout GGUFCursor) throws(ModelError) -> Int {
    let magic: UInt32 = try cursor.integer("the magic number")
    guard magic == 0x4655_4747 else { throw ModelError("does not begin with 'GGUF': not a GGUF file", file: cursor.file.path) }
    let version: UInt32 = try cursor.integer("the version")
    guard version == 0 || version & 0xFFFF != 0 else {
      throw ModelError("is a big-endian GGUF file; only little-endian ones are read", file: cursor.file.path)
    }
    guard version == 2 || version == 3 else {
      throw ModelError("has GGUF version \(version); versions 2 and 3 are read", file: cursor.file.path)
    }
    return try cursor.count("the number of tensors", leastSize: 24)
  }

  private static func metadata(_ cursor: inout GGUFCursor, count: Int) throws(ModelError) -> JSONObject {
    var metadata = JSONObject()
    var seen: Set<ByteString> = []
    for index in 0..<count {
      let key = try cursor.string("the key of metadata entry \(index)")
      guard seen.insert(ByteString(key)).inserted else { throw cursor.failure("metadata '\(key)' is given twice") }
      let type: UInt32 = try cursor.integer("the type of metadata '\(key)'")
      metadata.append(key, try cursor.value(type: type, "metadata '\(key)'"))
    }
    return metadata
  }

  private static func alignment(_ metadata: JSONObject, path: String) throws(ModelError) -> Int {
    guard let value = metadata["general.alignment"] else { return 32 }
    guard let alignment = value.integerValue, alignment > 0, alignment <= 1 << 20, alignment & (alignment - 1) == 0 else {
      throw ModelError("general.alignment must be a power of two up to \(1 << 20), not \(value.encoded())", file: path)
    }
    return alignment
  }

  private static func tensors(_ cursor: inout GGUFCursor, count: Int, alignment: Int) throws(ModelError) -> [Tensor] {
    var tensors: [Tensor] = []
    var seen: Set<ByteString> = []
    for index in 0..<count {
      let tensor = try tensor(&cursor, index, alignment: alignment)
      guard seen.insert(ByteString(tensor.name)).inserted else { throw cursor.failure("tensor '\(tensor.name)' is given twice") }
      tensors.append(tensor)
    }
    let dataStart = (cursor.position + alignment - 1) / alignment * alignment
    let placed = tensors.map {
      Tensor(name: $0.name, type: $0.type, shape: $0.shape, offset: dataStart + $0.offset, byteCount: $0.byteCount)
    }
    try check(placed, path: cursor.file.path, size: cursor.file.size)
    return placed
  }

  /// One tensor's description; its offset is relative to the data still.
  private static func tensor(_ cursor: inout GGUFCursor, _ index: Int, alignment: Int) throws(ModelError) -> Tensor {
    let name = try cursor.string("the name of tensor \(index)")
    let dimensions: UInt32 = try cursor.integer("the dimensions of tensor '\(name)'")
    guard dimensions <= 4 else { throw cursor.failure("tensor '\(name)' has \(dimensions) dimensions; at most 4 are allowed") }
    var shape: [Int] = []
    for _ in 0..<dimensions {
      let size: UInt64 = try cursor.integer("the shape of tensor '\(name)'")
      guard size <= 1 << 40 else { throw cursor.failure("tensor '\(name)' has a dimension of \(size)") }
      shape.insert(Int(size), at: 0)
    }
    let number: UInt32 = try cursor.integer("the type of tensor '\(name)'")
    guard let type = GGUFTensorType(rawValue: number) else { throw unreadable(name, number, cursor) }
    let offset: UInt64 = try cursor.integer("the offset of tensor '\(name)'")
    guard offset <= UInt64(cursor.file.size), offset % UInt64(alignment) == 0 else {
      throw cursor.failure("tensor '\(name)' has the offset \(offset), which lies outside of the file or is no multiple of \(alignment)")
    }
    guard let bytes = byteCount(of: type, shape: shape) else {
      throw cursor.failure(
        "tensor '\(name)' of shape \(shape) and type \(type.name) has no size: it overflows or its rows are no whole blocks")
    }
    return Tensor(name: name, type: type, shape: shape, offset: Int(offset), byteCount: bytes)
  }

  private static func unreadable(_ name: String, _ number: UInt32, _ cursor: GGUFCursor) -> ModelError {
    let known = GGUFTensorType.allCases.map(\.name).joined(separator: ", ")
    let type = GGUFTensorType.unreadNames[number] ?? "number \(number)"
    return ModelError("tensor '\(name)' has type \(type), which is not read; readable: \(known)", file: cursor.file.path)
  }

  private static func byteCount(of type: GGUFTensorType, shape: [Int]) -> Int? {
    guard (shape.last ?? 1) % type.blockSize == 0 else { return nil }
    var count = 1
    for size in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: size)
      if overflow { return nil }
      count = product
    }
    let (bytes, overflow) = (count / type.blockSize).multipliedReportingOverflow(by: type.blockBytes)
    return overflow ? nil : bytes
  }

  private static func check(_ tensors: [Tensor], path: String, size: Int) throws(ModelError) {
    var previous: Tensor?
    for tensor in tensors.sorted(by: { ($0.offset, $0.byteCount) < ($1.offset, $1.byteCount) }) {
      if let previous, previous.offset + previous.byteCount > tensor.offset {
        throw ModelError("tensors '\(previous.name)' and '\(tensor.name)' overlap", file: path)
      }
      let (end, overflow) = tensor.offset.addingReportingOverflow(tensor.byteCount)
      guard !overflow, end <= size else {
        throw ModelError(
          "tensor '\(tensor.name)' takes \(tensor.byteCount) bytes from byte \(tensor.offset) on, but the file has \(size): truncated",
          file: path)
      }
      previous = tensor
    }
  }
}
