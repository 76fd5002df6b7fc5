import Glibc
import JSONValues
import Kernels
import Modeling

/// Model directories that are combined into one: weights by a method, configuration, tokenizer and generation files from the first.
package struct MergedModel {
  /// A model directory, and what errors call it.
  package struct Source {
    package let name: String
    package let directory: String

    package init(_ name: String, _ directory: String) {
      self.name = name
      self.directory = directory
    }
  }

  /// How the weights are stored.
  package struct Storage: Sendable {
    /// Of every floating-point tensor; nil: the widest that the models have for it.
    package var type: ElementType?
    /// Bytes of tensors in a shard; nil: one file.
    package var shardLimit: Int?

    package init(type: ElementType? = nil, shardLimit: Int? = nil) {
      self.type = type
      self.shardLimit = shardLimit
    }
  }

  package let sources: [Source]
  package let weights: [WeightSource]

  /// Refuses models of different shapes or vocabularies.
  package init(_ sources: [Source]) throws(ModelError) {
    precondition(!sources.isEmpty, "nothing to merge")
    self.sources = sources
    for other in sources.dropFirst() {
      try ConfigurationComparison.check(sources[0].directory, named: sources[0].name, other.directory)
    }
    var weights: [WeightSource] = []
    for source in sources { weights.append(try WeightSource.directory(source.directory)) }
    self.weights = weights
    _ = try merge(.linear(weights: sources.map { _ in 0 }), nil)
    for other in sources.dropFirst() {
      try TokenizerComparison.check(sources[0].directory, named: sources[0].name, other.directory)
    }
  }

  /// `directory` is created where it is missing.
  package func write(_ method: MergeMethod, _ storage: Storage, to directory: String, pool: ThreadPool) throws(ModelError) {
    try Self.create(directory)
    try merge(method, storage.type).write(to: directory, limit: storage.shardLimit, pool: pool)
    try writeConfiguration(to: directory)
  }

  /// One model's weight files as they are, byte for byte, beside the first model's configuration.
  package func copy(_ index: Int, to directory: String) throws(ModelError) {
    try Self.create(directory)
    let files = weights[index].files.map(\.path)
    for path in files { try FileCopy.copy(path, to: directory + "/" + Self.lastComponent(path)) }
    if !files.contains(where: { Self.lastComponent($0) == WeightSource.singleName }) {
      try FileCopy.copy(sources[index].directory + "/" + WeightSource.indexName, to: directory + "/" + WeightSource.indexName)
    }
    try writeConfiguration(to: directory)
  }

  private func merge(_ method: MergeMethod, _ type: ElementType?) throws(ModelError) -> WeightMerge {
    try WeightMerge(zip(sources, weights).map { ($0.name, $1) }, method: method, type: type)
  }

  // MARK: - Files

  static func create(_ directory: String) throws(ModelError) {
    guard mkdir(directory, 0o755) == 0 || errno == EEXIST else {
      throw ModelError("cannot be created: \(String(cString: strerror(errno)))", file: directory)
    }
  }

  private static func lastComponent(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }

  /// The first model's config.json as it is, but for the type of the weights where that has changed: transformers casts to what it says.
  func writeConfiguration(to directory: String) throws(ModelError) {
    let base = sources[0].directory
    for file in try ModelDirectory.companions(of: base) { try AtomicFile.write(file.bytes, to: directory + "/" + file.name) }
    let path = base + "/" + ModelDirectory.configurationName
    let target = directory + "/" + ModelDirectory.configurationName
    let json = try JSONValue(contentsOf: path)
    let written = try WeightSource.directory(directory)
    guard let type = Self.torchName(of: written), type != Self.torchName(of: weights[0]), var members = json.objectValue else {
      return try FileCopy.copy(path, to: target)
    }
    for key in ["torch_dtype", "dtype"] where members[key] != nil { members.set(key, .string(type)) }
    try AtomicFile.write(JSONValue.object(members).encodedBytes(pretty: true) + [UInt8(ascii: "\n")], to: target)
  }

  private static func torchName(of weights: WeightSource) -> String? { weights["model.embed_tokens.weight"]?.type.torchName }
}
