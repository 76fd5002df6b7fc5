import JSONValues
import Testing
import Tokenization

@Suite("Damaged tokenizer files")
struct DamagedTokenizerTests {
  /// A sound file; `model` and `rest` replace members of the model and of the file.
  private static func file(model: [String: JSONValue] = [:], rest: [String: JSONValue] = [:]) -> JSONValue {
    var inner = JSONObject([
      ("type", "BPE"), ("vocab", ["a": 0, "b": 1, "ab": 2]), ("merges", ["a b"]),
    ])
    for (key, value) in model { inner.set(key, value == "absent" ? JSONValue?.none : value) }
    var outer = JSONObject([
      ("added_tokens", [["id": 3, "content": "<s>", "special": true]]), ("pre_tokenizer", ["type": "ByteLevel"]),
      ("decoder", ["type": "ByteLevel"]),
      ("model", .object(inner)),
    ])
    for (key, value) in rest { outer.set(key, value == "absent" ? JSONValue?.none : value) }
    return .object(outer)
  }

  private static func error(_ json: JSONValue) -> TokenizerError? {
    do throws(TokenizerError) {
      _ = try Tokenizer(json: json)
      return nil
    } catch {
      return error
    }
  }

  @Test("the sound file is sound")
  func sound() throws {
    let tokenizer = try Tokenizer(json: Self.file())
    #expect(tokenizer.encode("ab<s>") == [2, 3])
  }

  @Test(
    "a fault in the model is told by its path",
    arguments: [
      ("vocab", "absent", "model: 'vocab' is missing"), ("merges", "absent", "model: 'merges' is missing"),
      ("vocab", 7, "model.vocab: expected an object, found an integer"), ("merges", 7, "model.merges: expected a list, found an integer"),
      ("vocab", ["a": "x"], #"model.vocab["a"]: expected a token id, found a string"#),
      ("vocab", ["a": -1], #"model.vocab["a"]: token id -1 is out of range: ids are 0 to 16777215"#),
      ("vocab", ["a": 99_999_999], #"model.vocab["a"]: token id 99999999 is out of range: ids are 0 to 16777215"#),
      ("vocab", ["a": 0, "b": 0], #"model.vocab["b"]: id 0 belongs to 'a' already"#),
      ("merges", ["a c"], "model.merges[0]: 'c' is not in the vocabulary"),
      ("merges", ["a b", "b a"], "model.merges[1]: 'ba' is not in the vocabulary"),
      ("merges", ["ab"], #"model.merges[0]: expected a merge, "a b" or ["a", "b"], found "ab""#),
      ("merges", [["a", 1]], #"model.merges[0]: expected a merge, "a b" or ["a", "b"], found ["a",1]"#),
      ("type", "WordPiece", "model.type: model type 'WordPiece' is not supported; BPE is"),
      ("byte_fallback", true, "model.byte_fallback: byte fallback is not supported; only byte-level BPE is"),
      ("unk_token", "<u>", "model.unk_token: '<u>' is not in the vocabulary"),
      ("end_of_word_suffix", "</w>", "model.end_of_word_suffix: '</w>' is not supported; only none is"),
      ("dropout", 0.1, "model.dropout: dropout 0.1 is not supported: the same text must give the same ids"),
      ("ignore_merges", 1, "model.ignore_merges: expected a boolean, found an integer"),
    ] as [(String, JSONValue, String)])
  func model(key: String, value: JSONValue, message: String) {
    #expect(Self.error(Self.file(model: [key: value]))?.description == message)
  }

  @Test(
    "a fault outside the model is told by its path",
    arguments: [
      ("model", "absent", "'model' is missing"), ("model", 1, "model: expected an object, found an integer"),
      ("pre_tokenizer", "absent", "pre_tokenizer: there is none; byte-level BPE needs a ByteLevel pre-tokenizer"),
      (
        "pre_tokenizer", ["type": "Metaspace"],
        "pre_tokenizer.type: pre-tokenizer 'Metaspace' is not supported; ByteLevel, Digits, Split and Sequence are"
      ),
      (
        "pre_tokenizer", ["type": "Sequence", "pretokenizers": [["type": "Split", "pattern": ["Regex": "x+"], "behavior": "Isolated"]]],
        "pre_tokenizer.pretokenizers[0].pattern.Regex: the expression 'x+' is not supported; those of GPT-2, Qwen2 and Llama 3 are"
      ),
      ("pre_tokenizer", ["type": "Digits"], "pre_tokenizer: its last step is not ByteLevel; only byte-level BPE is supported"),
      ("decoder", nil, "decoder: there is none; byte-level BPE needs a ByteLevel decoder"),
      ("decoder", ["type": "WordPiece"], "decoder.type: decoder 'WordPiece' is not supported; ByteLevel and Sequence are"),
      ("normalizer", ["type": "Lowercase"], "normalizer.type: normalizer 'Lowercase' is not supported; NFC and Sequence are"),
      ("added_tokens", [["id": 1, "content": "<s>"]], "added_tokens[0]: id 1 belongs to 'b' already"),
      ("added_tokens", [["id": 5, "content": "a"]], "added_tokens[0]: 'a' has the id 0 already, here 5"),
      ("added_tokens", [["id": 5, "content": "x"], ["id": 5, "content": "x"]], "added_tokens[1]: id 5 belongs to 'x' already"),
      ("added_tokens", [["content": "x"]], "added_tokens[0]: 'id' is missing"),
      ("added_tokens", [["id": 5, "content": 5]], "added_tokens[0].content: expected a string, found an integer"),
      (
        "post_processor", ["type": "TemplateProcessing", "single": [["SpecialToken": ["id": "<s>"]]], "special_tokens": [:]],
        "post_processor.special_tokens: '<s>' is missing"
      ),
      (
        "post_processor", ["type": "RobertaProcessing", "sep": ["<s>", 9], "cls": ["<s>", 3]], "post_processor: id 9 belongs to no token"
      ),
    ] as [(String, JSONValue, String)])
  func file(key: String, value: JSONValue, message: String) {
    #expect(Self.error(Self.file(rest: [key: value]))?.description == message)
  }

  @Test("a file that is missing or no JSON is named")
  func files() {
    #expect(throws: TokenizerError(file: "/nowhere/tokenizer.json", message: "there is no such file")) {
      _ = try Tokenizer.load(directory: "/nowhere")
    }
  }
}
