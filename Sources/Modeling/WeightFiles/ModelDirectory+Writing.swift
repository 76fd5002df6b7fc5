import Glibc
import JSONValues
import Kernels

extension ModelDirectory {
  /// Writes the canonical form: config.json, one model.safetensors in the reference writer's order, generation_config.json (made from the
  /// configuration where none is handed over), and the other companions as they are. Equal models give equal bytes.
  ///
  /// `directory` is created where it is missing. Values are rounded to nearest even once, where `type` is narrower than float32.
  package static func write(
    _ configuration: ModelConfiguration, _ arena: ParameterArena, as type: ElementType = .f32, companions: [CompanionFile] = [],
    to directory: String, pool: ThreadPool
  ) throws(ModelError) {
    guard let typeName = type.torchName else { throw ModelError("weights are not written as \(type.rawValue)") }
    guard mkdir(directory, 0o755) == 0 || errno == EEXIST else {
      throw ModelError("cannot be created: \(systemError(errno))", file: directory)
    }
    try write(arena, as: type, to: directory + "/" + WeightSource.singleName, pool: pool)
    try AtomicFile.write(text(configuration.json(dtype: typeName)), to: directory + "/" + configurationName)
    if !companions.contains(where: { $0.name == generationName }) {
      try AtomicFile.write(text(generationConfiguration(configuration)), to: directory + "/" + generationName)
    }
    for file in companions { try AtomicFile.write(file.bytes, to: directory + "/" + file.name) }
  }

  /// The tensors of an arena as one safetensors file.
  package static func write(
    _ arena: ParameterArena, as type: ElementType, to path: String, pool: ThreadPool,
    metadata: [(key: String, value: String)] = SafetensorsWriter.pytorchFormat
  ) throws(ModelError) {
    let writer = try SafetensorsWriter(
      path: path, declaring: arena.layout.entries.map { TensorDeclaration(name: $0.name, type: type, shape: $0.shape) },
      metadata: metadata)
    let partSize = 1 << 20
    let parts = writer.tensors.flatMap { tensor in
      stride(from: 0, to: tensor.count, by: partSize).map { (tensor: tensor, elements: $0..<min($0 + partSize, tensor.count)) }
    }
    try pool.runThrowing(parts.count) { index throws(ModelError) in
      let (tensor, elements) = parts[index]
      try writer.write(arena.view(tensor.name) + elements.lowerBound, count: elements.count, to: tensor, from: elements.lowerBound)
    }
    try writer.finish()
  }

  private static let generationName = "generation_config.json"

  private static func generationConfiguration(_ configuration: ModelConfiguration) -> JSONValue {
    let all = configuration.json(dtype: "float32")
    var members: [(String, JSONValue)] = [("_from_model_config", .bool(true))]
    for key in ["bos_token_id", "eos_token_id", "pad_token_id"] {
      if let value = all[key], !value.isNull { members.append((key, value)) }
    }
    return .object(JSONObject(members))
  }

  /// JSON as files have it: indented, ending with a line feed.
  private static func text(_ json: JSONValue) -> [UInt8] { json.encodedBytes(pretty: true) + [UInt8(ascii: "\n")] }
}
