import JSONValues
import Kernels

/// A model in memory, with the files that go with its weights. Knows nothing of what will be done with it.
package struct LoadedModel: Sendable {
  package let configuration: ModelConfiguration
  package let arena: ParameterArena
  /// Tokenizer and generation files of its directory, as they were. Empty for a GGUF file.
  package let companions: [CompanionFile]
  /// Only from a GGUF file: every metadata entry whose key begins with "tokenizer.".
  package let tokenizerMetadata: JSONObject?
  /// The weights were dequantised: this is another model than the one that was quantised.
  package let isLossy: Bool

  /// A Hugging Face directory, a GGUF file of any name, or a directory whose only model is one GGUF file.
  package static func load(_ path: String, pool: ThreadPool) throws(ModelError) -> LoadedModel {
    guard isDirectory(path) else { return try GGUFModel.load(path, pool: pool) }
    if fileExists(path + "/" + ModelDirectory.configurationName) { return try ModelDirectory.load(path, pool: pool) }
    let names = entries(of: path).filter { $0.utf8.suffix(5).elementsEqual(".gguf".utf8) }
    switch names.count {
    case 0: return try ModelDirectory.load(path, pool: pool)
    case 1: return try GGUFModel.load(path + "/" + names[0], pool: pool)
    default: throw ModelError("holds several GGUF files (\(names.joined(separator: ", "))): name one of them", file: path)
    }
  }
}

/// A file of a model directory beside its weights and its configuration.
package struct CompanionFile: Sendable, Equatable {
  package let name: String
  package let bytes: [UInt8]

  package init(name: String, bytes: [UInt8]) {
    self.name = name
    self.bytes = bytes
  }

  /// Those that a model directory may have and that are kept. `chat_template.jinja` wins over the template inside tokenizer_config.json.
  package static let names = [
    "generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json",
    "merges.txt",
    "chat_template.jinja",
  ]
}
