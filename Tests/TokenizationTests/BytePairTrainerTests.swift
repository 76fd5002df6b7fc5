import JSONValues
import Testing
import Tokenization

@Suite("Training a tokenizer")
struct BytePairTrainerTests {
  private static let splits: [(String, PreTokenizer, Normalizer)] = [
    ("gpt2", .gpt2, .none), ("gpt2-digits", .gpt2Digits, .none), ("qwen2", .qwen2, .nfc), ("llama3", .llama3, .none),
    ("gpt2-prefix-space", PreTokenizer([.byteLevel(addPrefixSpace: true, useRegex: true)]), .none),
  ]

  private static func trained(_ preTokenizer: PreTokenizer, _ normalizer: Normalizer, _ texts: [String]) throws -> TokenizerDefinition {
    var trainer = BytePairTrainer(preTokenizer: preTokenizer, normalizer: normalizer)
    for text in texts { trainer.add(text) }
    return try trainer.train(.init(vocabularySize: 700, minFrequency: 2))
  }

  @Test("vocabulary and merges are the reference's", arguments: 0..<5)
  func reference(index: Int) throws {
    let (kind, preTokenizer, normalizer) = Self.splits[index]
    let definition = try Self.trained(preTokenizer, normalizer, [String(decoding: Fixtures.bytes("corpus.txt"), as: UTF8.self)])
    let model = try #require(try Fixtures.json(kind + ".json")["model"])
    #expect(definition.json["model"]?["vocab"] == model["vocab"])
    let merges = (model["merges"]?.arrayValue ?? []).compactMap { pair -> String? in
      guard let left = pair[0]?.stringValue, let right = pair[1]?.stringValue else { return nil }
      return left + " " + right
    }
    #expect(merges.count > 400)
    #expect(definition.json["model"]?["merges"] == .array(merges.map { .string($0) }))
  }

  @Test("the order of the texts does not matter")
  func order() throws {
    let text = String(decoding: try Fixtures.bytes("corpus.txt"), as: UTF8.self)
    let lines = text.unicodeScalars.split(separator: "\n").map { String(Substring($0)) }
    let forwards = try Self.trained(.gpt2, .none, lines)
    let backwards = try Self.trained(.gpt2, .none, lines.reversed())
    #expect(forwards.json == backwards.json)
  }

  @Test("special tokens come first and are found in text")
  func specialTokens() throws {
    let definition = try Self.trained(.qwen2, .none, ["some text, some more text"])
    let tokenizer = try Tokenizer(definition)
    #expect(BytePairTrainer.chatTokens.map { tokenizer.id($0) } == [0, 1, 2])
    #expect(tokenizer.encode("<|im_end|>") == [2])
    #expect(tokenizer.vocabularySize < 700)
    let texts = ["", "every byte: \u{0}\u{7F} é 漢 🙂", "<|im_start|>x"]
    for text in texts { #expect(sameBytes(tokenizer.decode(tokenizer.encode(text)), text)) }
  }

  @Test("a vocabulary with no room for the bytes is refused")
  func tooSmall() {
    let trainer = BytePairTrainer(preTokenizer: .gpt2)
    #expect(
      throws: TokenizerError(
        path: "vocabulary_size", message: "258 is out of range: 259 (3 special tokens and 256 bytes) to 16777216")
    ) { _ = try trainer.train(.init(vocabularySize: 258)) }
    #expect(throws: TokenizerError(path: "special_tokens", message: "'<a>' is there twice")) {
      _ = try trainer.train(.init(vocabularySize: 300, specialTokens: ["<a>", "<a>"]))
    }
    #expect(throws: TokenizerError(path: "special_tokens", message: "'!' is a byte's token already")) {
      _ = try trainer.train(.init(vocabularySize: 300, specialTokens: ["!"]))
    }
  }
}
