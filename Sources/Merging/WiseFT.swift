import Glibc
import JSONValues
import Kernels
import Modeling

/// Weight-space ensembles of a model and its fine-tuned self: θ_α = (1 − α) θ₀ + α θ_ft (Wortsman et al., arXiv 2109.01903, equation 1).
///
/// Works on model directories. α = 0 gives the base's weight files and α = 1 the tuned model's, byte for byte; configuration, tokenizer and
/// generation files are always the base's.
package struct WiseFT {
  package let base: String
  package let tuned: String
  private let baseWeights: WeightSource
  private let tunedWeights: WeightSource

  /// Refuses models of different shapes or vocabularies.
  package init(base: String, tuned: String) throws(ModelError) {
    self.base = base
    self.tuned = tuned
    try Self.compareConfigurations(base, tuned)
    baseWeights = try WeightSource.directory(base)
    tunedWeights = try WeightSource.directory(tuned)
    _ = try merge(alpha: 0)
    try TokenizerComparison.check(base, tuned)
  }

  /// `directory` is created where it is missing. `alpha` from 0 to 1. The weights have the wider of both models' types.
  package func write(alpha: Double, to directory: String, pool: ThreadPool) throws(ModelError) {
    guard (0...1).contains(alpha) else { throw ModelError("alpha must lie between 0 and 1, not \(alpha)") }
    guard mkdir(directory, 0o755) == 0 || errno == EEXIST else {
      throw ModelError("cannot be created: \(String(cString: strerror(errno)))", file: directory)
    }
    switch alpha {
    case 0: try copyWeights(baseWeights, of: base, to: directory)
    case 1: try copyWeights(tunedWeights, of: tuned, to: directory)
    default: try merge(alpha: alpha).write(to: directory + "/" + WeightSource.singleName, pool: pool)
    }
    try writeConfiguration(to: directory)
    for file in try ModelDirectory.companions(of: base) { try AtomicFile.write(file.bytes, to: directory + "/" + file.name) }
  }

  private func merge(alpha: Double) throws(ModelError) -> WeightMerge {
    try WeightMerge(
      [("the base", baseWeights), ("the tuned model", tunedWeights)], method: .linear(weights: [1 - alpha, alpha]))
  }

  private func copyWeights(_ weights: WeightSource, of model: String, to directory: String) throws(ModelError) {
    for file in weights.files { try FileCopy.copy(file.path, to: directory + "/" + Self.lastComponent(file.path)) }
    if !weights.files.contains(where: { Self.lastComponent($0.path) == WeightSource.singleName }) {
      try FileCopy.copy(model + "/" + WeightSource.indexName, to: directory + "/" + WeightSource.indexName)
    }
  }

  private static func lastComponent(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }

  // MARK: - Configuration

  /// The base's config.json as it is, but for the type of the weights where that has changed: transformers casts to what it says.
  private func writeConfiguration(to directory: String) throws(ModelError) {
    let path = base + "/" + ModelDirectory.configurationName
    let target = directory + "/" + ModelDirectory.configurationName
    let json = try JSONValue(contentsOf: path)
    let written = try WeightSource.directory(directory)
    guard let type = Self.torchName(of: written), type != Self.torchName(of: baseWeights), var members = json.objectValue else {
      return try FileCopy.copy(path, to: target)
    }
    for key in ["torch_dtype", "dtype"] where members[key] != nil { members.set(key, .string(type)) }
    try AtomicFile.write(JSONValue.object(members).encodedBytes(pretty: true) + [UInt8(ascii: "\n")], to: target)
  }

  private static func torchName(of weights: WeightSource) -> String? { weights["model.embed_tokens.weight"]?.type.torchName }

  private static func compareConfigurations(_ base: String, _ tuned: String) throws(ModelError) {
    let a = try ModelDirectory.configuration(base)
    let b = try ModelDirectory.configuration(tuned)
    guard a.vocabularySize == b.vocabularySize else {
      throw ModelError(
        "has a vocabulary of \(b.vocabularySize), the base one of \(a.vocabularySize): their weights cannot be averaged", file: tuned)
    }
    guard a.family == b.family else { throw ModelError("is of family \(b.family.rawValue), the base of \(a.family.rawValue)", file: tuned) }
    let sizes: [(String, Int, Int)] = [
      ("hidden_size", a.hiddenSize, b.hiddenSize), ("intermediate_size", a.intermediateSize, b.intermediateSize),
      ("num_hidden_layers", a.layers, b.layers), ("num_attention_heads", a.heads, b.heads),
      ("num_key_value_heads", a.keyValueHeads, b.keyValueHeads), ("head_dim", a.headDimension, b.headDimension),
    ]
    for (name, ofBase, ofTuned) in sizes where ofBase != ofTuned {
      throw ModelError("has \(name) \(ofTuned), the base \(ofBase)", file: tuned)
    }
  }
}
