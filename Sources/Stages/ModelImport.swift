import Foundation
import Kernels
import Modeling
import StageInterface
import Tokenization

/// `model/import`: a model from a Hugging Face directory or a GGUF file, in canonical form.
package struct ModelImport: NativeStage {
  package static let name = "model/import"

  package struct Parameters: Decodable, Sendable {}

  package static func run(_ parameters: Parameters, _ context: StageContext) throws {
    let source = try context.input("source")
    let pool = ThreadPool(threads: context.threads)
    let model = isDirectory(source) ? try ModelDirectory.load(source, pool: pool) : try GGUFModel.load(source, pool: pool)
    let tokenizer = TokenizerDirectory(path: try context.output("tokenizer"))
    if let metadata = model.tokenizerMetadata {
      let vocabulary = try GGUFVocabulary(metadata: metadata)
      try TokenizerDirectory.write(vocabulary.definition, vocabulary.configuration, to: tokenizer.path)
    } else {
      guard model.companions.contains(where: { $0.name == TokenizerFiles.tokenizer }) else {
        throw StageFailure("holds no \(TokenizerFiles.tokenizer)", file: source)
      }
      try TokenizerDirectory.write(model.companions, to: tokenizer.path)
    }
    try check(tokenizer, model.configuration)
    let generation = model.companions.filter { $0.name == "generation_config.json" }
    try ModelDirectory.write(
      model.configuration, model.arena, companions: try tokenizer.companions() + generation, to: try context.output("model"), pool: pool)
    context.log("\(model.arena.layout.parameterCount) parameters\(model.isLossy ? ", dequantised: not the model that was quantised" : "")")
  }

  private static func isDirectory(_ path: String) -> Bool {
    var directory: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &directory) && directory.boolValue
  }

  private static func check(_ tokenizer: TokenizerDirectory, _ configuration: ModelConfiguration) throws {
    let size = try tokenizer.identity().vocabularySize
    guard size <= configuration.vocabularySize else {
      throw StageFailure("the tokenizer has \(size) tokens, the model's vocabulary only \(configuration.vocabularySize)")
    }
  }
}
