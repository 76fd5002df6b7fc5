import Foundation
import Modeling
import Tokenization

/// A `tokenizer` artifact, or the tokenizer part of a model directory: its files, and what a model built on it has to know.
struct TokenizerDirectory {
  let path: String

  /// The files, as they are, to stand beside a model's weights.
  func companions() throws -> [CompanionFile] {
    try ModelDirectory.companions(of: path).filter { $0.name != Self.generationConfiguration }
  }

  private static let generationConfiguration = "generation_config.json"

  /// Creates the directory with these files.
  static func write(_ files: [CompanionFile], to path: String) throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    for file in files where file.name != generationConfiguration {
      try Data(file.bytes).write(to: URL(fileURLWithPath: path + "/" + file.name))
    }
  }

  static func write(_ definition: TokenizerDefinition, _ configuration: TokenizerConfiguration, to path: String) throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    try TokenizerFiles.write(definition, configuration, to: path)
  }

  /// What config.json repeats of a tokenizer.
  struct Identity {
    let vocabularySize: Int
    let bos: Int?
    let eos: Int?
    let pad: Int?
  }

  func identity() throws -> Identity {
    let tokenizer = try Tokenizer.load(directory: path)
    let configuration = try TokenizerConfiguration.load(directory: path)
    func id(_ token: String?) -> Int? { token.flatMap(tokenizer.id).map(Int.init) }
    return Identity(
      vocabularySize: tokenizer.vocabularySize, bos: id(configuration.bosToken), eos: id(configuration.eosToken),
      pad: id(configuration.padToken))
  }
}
