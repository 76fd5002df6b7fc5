import ArgumentParser
import Foundation
import Generation
import Kernels
import Modeling
import Tokenization

/// `heirloom generate MODEL PROMPT`: try a model; the answer appears as it is written.
struct Generate: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Let a model continue a prompt.")

  @Argument(help: "A model directory or a GGUF file.", completion: .directory) var model: String
  @Argument(help: "The prompt; a user's turn where the model has a chat template.") var prompt: String
  @Flag(help: "Take the prompt as it is, without the chat template.") var plain = false
  @Option(help: "A system turn before the prompt.") var system: String?
  @Option(name: .customLong("max-new-tokens"), help: "Tokens to write at the most.") var maxNewTokens = 128
  @Option(help: "0 takes the likeliest token.") var temperature = 0.0
  @Option(name: .customLong("top-k"), help: "Draw from the k likeliest tokens; 0 for all.") var topK = 0
  @Option(name: .customLong("top-p"), help: "Draw from the likeliest tokens of this mass.") var topP = 1.0
  @Option(help: "Of the random draws.") var seed: UInt64 = 0
  @Option(help: "Threads.") var threads = ProcessInfo.processInfo.activeProcessorCount

  func validate() throws {
    guard maxNewTokens > 0, threads > 0, temperature >= 0, topK >= 0, topP > 0, topP <= 1 else {
      throw ValidationError("--max-new-tokens and --threads must be positive, --temperature and --top-k not negative, --top-p in (0, 1]")
    }
  }

  func run() throws {
    let settings = SamplingSettings(temperature: temperature, topK: topK, topP: topP, seed: seed)
    do {
      let writer = try PromptedModel(model, threads: threads)
      let text = try plain ? prompt : writer.conversation(prompt, system: system)
      try writer.write(text, settings, maxNewTokens: maxNewTokens) { Terminal.say($0, terminator: "") }
      Terminal.say("")
    } catch let error as ModelError {
      throw CommandFailure.usage("\(error)")
    } catch let error as TokenizerError {
      throw CommandFailure.usage("\(error)")
    }
  }
}

/// A model with its tokenizer, as one talks to it.
struct PromptedModel {
  private let transformer: Transformer
  private let tokenizer: Tokenizer
  private let template: ChatTemplate?
  private let ends: Set<Int32>

  init(_ path: String, threads: Int) throws {
    let pool = ThreadPool(threads: threads)
    let loaded = try LoadedModel.load(path, pool: pool)
    let configuration: TokenizerConfiguration
    if let metadata = loaded.tokenizerMetadata {
      let vocabulary = try GGUFVocabulary(metadata: metadata)
      configuration = vocabulary.configuration
      tokenizer = try Tokenizer(vocabulary.definition)
      template = try configuration.chatTemplate.map { try ChatTemplate(source: $0, tokens: configuration, file: path) }
    } else {
      configuration = try TokenizerConfiguration.load(directory: path)
      tokenizer = try Tokenizer.load(directory: path)
      template = try ChatTemplate.load(directory: path)
    }
    let weights = ModelWeights.packed(loaded.configuration, loaded.arena, pool: pool, release: true)
    transformer = Transformer(weights, pool: pool)
    let end = configuration.eosToken.flatMap(tokenizer.id)
    ends = Set(loaded.configuration.eosTokens.map { Int32($0) } + [end].compactMap { $0 })
  }

  /// A user's turn as the chat template writes it; the text itself where the model has none.
  func conversation(_ prompt: String, system: String?) throws -> String {
    guard let template else { return prompt }
    let opening = system.map { [ChatMessage(role: "system", content: $0)] } ?? []
    return try template.render(messages: opening + [ChatMessage(role: "user", content: prompt)], addGenerationPrompt: true)
  }

  func write(_ text: String, _ settings: SamplingSettings, maxNewTokens: Int, _ show: @escaping (String) -> Void) throws {
    let ids = tokenizer.encode(text)
    let room = transformer.maximumPositions - ids.count
    guard room > 0 else { throw ModelError("the prompt has \(ids.count) tokens; the model's context \(transformer.maximumPositions)") }
    let stream = TokenStream(tokenizer, ends, show)
    let limits = GenerationLimits(maxNewTokens: min(maxNewTokens, room), stopTokens: ends) {
      { token in
        stream.take(token)
        return false
      }
    }
    _ = try Generator(transformer, sampling: settings, limits: limits, batchSize: 1).generate([ids])
    stream.end()
  }
}

/// Shows tokens as text while they come. `@unchecked Sendable`: generation calls it from the one thread that runs it.
private final class TokenStream: @unchecked Sendable {
  private var decoder: StreamingDecoder
  private let ends: Set<Int32>
  private let show: (String) -> Void

  init(_ tokenizer: Tokenizer, _ ends: Set<Int32>, _ show: @escaping (String) -> Void) {
    decoder = StreamingDecoder(tokenizer, skipSpecialTokens: true)
    self.ends = ends
    self.show = show
  }

  func take(_ token: Int32) {
    if !ends.contains(token) { show(decoder.push(token)) }
  }

  func end() { show(decoder.finish()) }
}
