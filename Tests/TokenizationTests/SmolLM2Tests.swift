import Foundation
import JSONValues
import Testing
import Tokenization

/// The real vocabulary is too large for a fixture: these run where HEIRLOOM_SMOLLM2 names SmolLM2-135M-Instruct's GGUF file. CI must have it.
@Suite("SmolLM2's tokenizer", .enabled(if: isSmolLM2Asked, "HEIRLOOM_SMOLLM2 does not name SmolLM2's GGUF file"))
struct SmolLM2Tests {
  private let vocabulary: GGUFVocabulary
  private let tokenizer: Tokenizer

  init() throws {
    let path = try #require(ProcessInfo.processInfo.environment["HEIRLOOM_SMOLLM2"])
    vocabulary = try GGUFVocabulary(metadata: GGUFMetadata(path: path).members)
    tokenizer = try Tokenizer(vocabulary.definition)
  }

  @Test("every stress text gives the recorded ids, before and after a journey through tokenizer.json")
  func ids() throws {
    let rewritten = try Tokenizer(json: JSONValue(parsing: vocabulary.definition.json.encodedBytes()))
    let cases = try Fixtures.json("smollm2-ids.json")["cases"]?.arrayValue ?? []
    #expect(cases.count >= 29)
    for row in cases {
      let text = try #require(row["text"]?.stringValue)
      #expect(tokenizer.encode(text) == row["ids"]?.ids, "\(row["name"]?.stringValue ?? "")")
      #expect(rewritten.encode(text) == row["ids"]?.ids, "\(row["name"]?.stringValue ?? "")")
      #expect(sameBytes(tokenizer.decode(tokenizer.encode(text)), text))
    }
  }

  @Test("it has 49,152 tokens, 17 of them special, and its makers' special roles")
  func tokens() {
    #expect(tokenizer.vocabularySize == 49_152)
    #expect(tokenizer.addedTokens.count == 17 && tokenizer.addedTokens.allSatisfy(\.special))
    #expect(tokenizer.encode("The capital of France is") == [504, 3575, 282, 4649, 314])
    #expect([vocabulary.configuration.bosToken, vocabulary.configuration.eosToken] == ["<|im_start|>", "<|im_end|>"])
  }

  @Test("its chat template begins with the default system message")
  func template() throws {
    let template = try ChatTemplate(source: #require(vocabulary.configuration.chatTemplate))
    let text = try template.render(messages: [ChatMessage(role: "user", content: "Hi")], addGenerationPrompt: true)
    let system = "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n"
    #expect(text == system + "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n")
  }
}

private let isSmolLM2Asked =
  ProcessInfo.processInfo.environment["HEIRLOOM_SMOLLM2"] != nil || ProcessInfo.processInfo.environment["CI"] == "true"
