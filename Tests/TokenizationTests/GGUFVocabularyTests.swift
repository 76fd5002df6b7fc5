import Foundation
import JSONValues
import Testing
import Tokenization

@Suite("Tokenizers from GGUF metadata")
struct GGUFVocabularyTests {
  /// The metadata that a converter would write for a fixture's tokenizer.
  private static func metadata(_ kind: String, pre: String) throws -> JSONObject {
    let definition = try TokenizerDefinition(json: Fixtures.json(kind + ".json"))
    let special = Set(definition.addedTokens.map(\.id))
    return JSONObject([
      ("tokenizer.ggml.model", "gpt2"), ("tokenizer.ggml.pre", .string(pre)),
      ("tokenizer.ggml.tokens", .array(definition.vocabulary.map { .string($0.token) })),
      ("tokenizer.ggml.token_type", .array(definition.vocabulary.map { special.contains($0.id) ? 3 : 1 })),
      ("tokenizer.ggml.merges", .array(definition.merges.map { .string($0.left + " " + $0.right) })),
      ("tokenizer.ggml.bos_token_id", 1), ("tokenizer.ggml.eos_token_id", 2), ("tokenizer.ggml.padding_token_id", 0),
      ("tokenizer.chat_template", "{{ bos_token }}"),
    ])
  }

  @Test(
    "the pre-tokenizer's name gives the reference's ids",
    arguments: [("gpt2", "gpt-2"), ("gpt2", "default"), ("gpt2-digits", "smollm"), ("llama3", "llama-bpe")])
  func names(kind: String, pre: String) throws {
    let tokenizer = try Tokenizer(GGUFVocabulary(metadata: Self.metadata(kind, pre: pre)).definition)
    for golden in try GoldenCase.all(kind) { #expect(tokenizer.encode(golden.text) == golden.ids, "\(pre): \(golden.name)") }
  }

  @Test("Llama 3's texts begin with the first token, others' only where the file says so")
  func beginning() throws {
    var metadata = try Self.metadata("llama3", pre: "llama-bpe")
    func ids() throws -> [Int32] { try Tokenizer(GGUFVocabulary(metadata: metadata).definition).encode("", addSpecialTokens: true) }
    #expect(try ids() == [1])
    metadata.set("tokenizer.ggml.add_bos_token", false)
    #expect(try ids() == [])
    metadata = try Self.metadata("gpt2", pre: "gpt-2")
    #expect(try ids() == [])
    metadata.set("tokenizer.ggml.add_bos_token", true)
    #expect(try ids() == [1])
  }

  @Test("written files give the same tokenizer and roles when read again")
  func written() throws {
    let directory = NSTemporaryDirectory() + "heirloom-gguf-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let vocabulary = try GGUFVocabulary(metadata: Self.metadata("llama3", pre: "llama-bpe"))
    try TokenizerFiles.write(vocabulary.definition, vocabulary.configuration, to: directory)

    #expect(try TokenizerConfiguration.load(directory: directory) == vocabulary.configuration)
    let tokenizer = try Tokenizer.load(directory: directory)
    for golden in try GoldenCase.all("llama3") { #expect(tokenizer.encode(golden.text) == golden.ids) }
    #expect(tokenizer.encode("", addSpecialTokens: true) == [1])
    let template = try #require(try ChatTemplate.load(directory: directory))
    #expect(try template.render(messages: [], addGenerationPrompt: false) == "<|im_start|>")
  }

  @Test("unused tokens are left out, user-defined ones are found in text but are not special")
  func kinds() throws {
    var metadata = try Self.metadata("gpt2", pre: "gpt-2")
    var tokens = metadata["tokenizer.ggml.tokens"]?.arrayValue ?? []
    var types = metadata["tokenizer.ggml.token_type"]?.arrayValue ?? []
    let count = Int32(tokens.count)
    tokens += ["[PAD]", "<tool>"]
    types += [5, 4]
    metadata.set("tokenizer.ggml.tokens", .array(tokens))
    metadata.set("tokenizer.ggml.token_type", .array(types))
    let tokenizer = try Tokenizer(GGUFVocabulary(metadata: metadata).definition)
    #expect(tokenizer.id("[PAD]") == nil)
    #expect(tokenizer.encode("<tool>") == [count + 1])
    #expect(tokenizer.decode([count + 1, 2], skipSpecialTokens: true) == "<tool>")
  }

  @Test(
    "metadata that cannot be used is told by its name",
    arguments: [
      ("tokenizer.ggml.model", "llama", "tokenizer.ggml.model: tokenizer 'llama' is not supported; gpt2 (byte-level BPE) is"),
      (
        "tokenizer.ggml.pre", "tekken",
        "tokenizer.ggml.pre: pre-tokenizer 'tekken' is not supported; smollm, qwen2, llama-bpe, gpt-2 and default are"
      ),
      ("tokenizer.ggml.token_type", [1], "tokenizer.ggml.token_type: 1 types for 700 tokens"),
      ("tokenizer.ggml.eos_token_id", 700, "tokenizer.ggml.eos_token_id: id 700 belongs to none of the 700 tokens"),
      ("tokenizer.ggml.merges", ["x"], "tokenizer.ggml.merges[0]: expected a merge, \"a b\", found \"x\""),
    ] as [(String, JSONValue, String)])
  func refused(key: String, value: JSONValue, message: String) throws {
    var metadata = try Self.metadata("gpt2", pre: "gpt-2")
    metadata.set(key, value)
    let error = #expect(throws: TokenizerError.self) { _ = try GGUFVocabulary(metadata: metadata) }
    #expect(error?.description == message)
    metadata.set(key, JSONValue?.none)
    if key.hasSuffix("model") { #expect(throws: TokenizerError.self) { _ = try GGUFVocabulary(metadata: metadata) } }
  }
}
