import JSONValues

/// The tensors of one model, whether they lie in one safetensors file or in shards with an index. Knows nothing of architectures.
package final class WeightSource: Sendable {
  package let files: [SafetensorsFile]
  /// Sorted by name, in bytes.
  package let tensors: [TensorRecord]
  private let placeByName: [ByteString: Place]

  private struct Place {
    let file: Int
    let tensor: TensorRecord
  }

  package static let singleName = "model.safetensors"
  package static let indexName = "model.safetensors.index.json"

  /// `model.safetensors` of a directory, or else the shards of its index.
  package static func directory(_ path: String) throws(ModelError) -> WeightSource {
    let single = path + "/" + singleName
    let index = path + "/" + indexName
    if fileExists(single) { return try WeightSource(files: [SafetensorsFile(path: single)]) }
    if fileExists(index) { return try sharded(index: index, in: path) }
    if fileExists(path + "/pytorch_model.bin") || fileExists(path + "/pytorch_model.bin.index.json") {
      throw ModelError("holds pickled weights (pytorch_model.bin), which are not read; save the model as safetensors", file: path)
    }
    throw ModelError("holds neither \(singleName) nor \(indexName)", file: path)
  }

  package static func file(_ path: String) throws(ModelError) -> WeightSource { try WeightSource(files: [SafetensorsFile(path: path)]) }

  private init(files: [SafetensorsFile]) throws(ModelError) {
    var places: [ByteString: Place] = [:]
    for (index, file) in files.enumerated() {
      for tensor in file.tensors {
        if let other = places.updateValue(Place(file: index, tensor: tensor), forKey: ByteString(tensor.name)) {
          throw ModelError("tensor '\(tensor.name)' also stands in '\(files[other.file].path)'", file: file.path)
        }
      }
    }
    self.files = files
    placeByName = places
    tensors = places.values.map(\.tensor).sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
  }

  package subscript(name: String) -> TensorRecord? { placeByName[ByteString(name)]?.tensor }

  /// The file that holds a tensor of this source, and its record there.
  package func location(of name: String) -> (file: SafetensorsFile, tensor: TensorRecord)? {
    placeByName[ByteString(name)].map { (files[$0.file], $0.tensor) }
  }

  // MARK: - Shards

  private static func sharded(index path: String, in directory: String) throws(ModelError) -> WeightSource {
    let map = try weightMap(path)
    let shards = Set(map.values).sorted { $0.text.utf8.lexicographicallyPrecedes($1.text.utf8) }
    var files: [SafetensorsFile] = []
    for name in shards {
      let shard = directory + "/" + name.text
      guard fileExists(shard) else {
        let count = map.values.filter { $0 == name }.count
        throw ModelError(
          "names the shard '\(name.text)' for \(count) tensor\(count == 1 ? "" : "s"), but there is no such file", file: path)
      }
      files.append(try SafetensorsFile(path: shard))
    }
    let source = try WeightSource(files: files)
    try check(map, against: source, index: path, in: directory)
    return source
  }

  private static func weightMap(_ path: String) throws(ModelError) -> [ByteString: ByteString] {
    let json = try JSONValue(contentsOf: path)
    guard let members = json["weight_map"]?.objectValue else { throw ModelError("has no object 'weight_map'", file: path) }
    guard !members.isEmpty else { throw ModelError("'weight_map' names no tensors", file: path) }
    var map: [ByteString: ByteString] = [:]
    for (tensor, value) in members.members {
      guard let shard = value.stringValue else {
        throw ModelError("tensor '\(tensor)' must be mapped to a file name, not \(value.kindName)", file: path)
      }
      guard isPlainName(shard) else {
        throw ModelError("tensor '\(tensor)' is mapped to '\(shard)', which is not the name of a file beside the index", file: path)
      }
      map[ByteString(tensor)] = ByteString(shard)
    }
    return map
  }

  private static func isPlainName(_ name: String) -> Bool {
    !name.isEmpty && name != "." && name != ".." && !name.utf8.contains(UInt8(ascii: "/")) && !name.utf8.contains(0)
  }

  private static func check(
    _ map: [ByteString: ByteString], against source: WeightSource, index: String, in directory: String
  ) throws(ModelError) {
    for (tensor, shard) in map.sorted(by: { $0.key.text.utf8.lexicographicallyPrecedes($1.key.text.utf8) }) {
      guard let place = source.placeByName[tensor] else {
        throw ModelError("maps tensor '\(tensor.text)' to '\(shard.text)', but no shard holds it", file: index)
      }
      let holder = source.files[place.file].path
      guard holder.utf8.elementsEqual((directory + "/" + shard.text).utf8) else {
        throw ModelError("maps tensor '\(tensor.text)' to '\(shard.text)', but it stands in '\(holder)'", file: index)
      }
    }
    for tensor in source.tensors where map[ByteString(tensor.name)] == nil {
      throw ModelError("does not name tensor '\(tensor.name)', which stands in one of its shards", file: index)
    }
  }
}
