import JSONValues

/// Writes the tensors of a model as safetensors: one `model.safetensors`, or, where they exceed a limit, shards with an index, named as
/// Hugging Face names them. Knows nothing of values.
///
/// A shard takes tensors, in the order of their names' bytes, up to the limit; a tensor larger than that has a shard of its own. Data may
/// come in any order and from several threads.
package final class ShardWriter: Sendable {
  /// A tensor of the result, and which shard holds it.
  package struct Place: Sendable {
    package let tensor: TensorRecord
    let shard: Int
  }

  /// Shard by shard, in the order of their data.
  package let places: [Place]
  private let directory: String
  private let names: [String]
  private let writers: [SafetensorsWriter]

  /// `limit`: bytes of tensor data in a shard; nil: all in one file. The directory must exist.
  package init(directory: String, declaring declarations: [TensorDeclaration], limit: Int?) throws(ModelError) {
    let shards = Self.shards(declarations, limit ?? .max)
    self.directory = directory
    names = shards.indices.map { Self.name($0, of: shards.count) }
    var writers: [SafetensorsWriter] = []
    for (name, shard) in zip(names, shards) {
      writers.append(try SafetensorsWriter(path: directory + "/" + name, declaring: shard))
    }
    self.writers = writers
    places = writers.enumerated().flatMap { index, writer in writer.tensors.map { Place(tensor: $0, shard: index) } }
  }

  package func write(_ bytes: [UInt8], to place: Place) throws(ModelError) {
    var failure: ModelError?
    bytes.withUnsafeBytes { bytes in
      do throws(ModelError) { try writers[place.shard].write(bytes, to: place.tensor) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  /// Raw bytes from byte `start` of a tensor on.
  package func write(_ bytes: UnsafeRawBufferPointer, to place: Place, from start: Int) throws(ModelError) {
    try writers[place.shard].write(bytes, to: place.tensor, from: start)
  }

  package func write(_ values: UnsafePointer<Float>, count: Int, to place: Place, from start: Int) throws(ModelError) {
    try writers[place.shard].write(values, count: count, to: place.tensor, from: start)
  }

  /// Makes the files durable and gives them their names, the index last.
  package func finish() throws(ModelError) {
    for writer in writers { try writer.finish() }
    if writers.count > 1 { try AtomicFile.write(index, to: directory + "/" + WeightSource.indexName) }
  }

  // MARK: - Shards

  private static func shards(_ declarations: [TensorDeclaration], _ limit: Int) -> [[TensorDeclaration]] {
    var shards: [[TensorDeclaration]] = [[]]
    var size = 0
    for declaration in declarations.sorted(by: { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }) {
      let bytes = TensorRecord.byteCount(of: declaration.type, shape: declaration.shape) ?? 0
      if size > 0, bytes > limit - size {
        shards.append([])
        size = 0
      }
      shards[shards.count - 1].append(declaration)
      size += bytes
    }
    return shards
  }

  private static func name(_ index: Int, of count: Int) -> String {
    guard count > 1 else { return WeightSource.singleName }
    func padded(_ number: Int) -> String { String(repeating: "0", count: max(0, 5 - String(number).count)) + String(number) }
    return "model-\(padded(index + 1))-of-\(padded(count)).safetensors"
  }

  private var index: [UInt8] {
    let sorted = places.sorted { $0.tensor.name.utf8.lexicographicallyPrecedes($1.tensor.name.utf8) }
    let json: JSONValue = [
      "metadata": ["total_size": .integer(places.reduce(0) { $0 + $1.tensor.range.count })],
      "weight_map": .object(JSONObject(sorted.map { ($0.tensor.name, .string(names[$0.shard])) })),
    ]
    return json.encodedBytes(pretty: true) + [UInt8(ascii: "\n")]
  }
}
