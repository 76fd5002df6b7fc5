import Foundation
import Modeling
import StageInterface
import Tokenization

/// The tokenizer of a `tokenizer` or `model` directory: its files as they are, and what a model's configuration has to know of it.
struct TokenizerFiles {
  /// What a model built on the tokenizer takes over from it.
  struct Identity {
    let vocabularySize: Int
    let bos: Int?
    let eos: Int?
    let pad: Int?
  }

  let directory: String

  /// Every tokenizer file, to be copied into a model directory or a `tokenizer` artifact.
  func companions() throws -> [CompanionFile] {
    try ModelDirectory.companions(of: directory).filter { $0.name != "generation_config.json" }
  }

  static func write(_ files: [CompanionFile], to directory: String) throws {
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    for file in files where file.name != "generation_config.json" {
      try Data(file.bytes).write(to: URL(fileURLWithPath: directory + "/" + file.name))
    }
  }
}
