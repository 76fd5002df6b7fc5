import JSONValues
import Testing
import Tokenization

@Suite("Tokenizers against the reference")
struct GoldenTests {
  @Test("every text gives the reference's ids", arguments: Fixtures.kinds)
  func ids(kind: String) throws {
    let tokenizer = try Fixtures.tokenizer(kind)
    let cases = try GoldenCase.all(kind)
    #expect(cases.count >= 30)
    for golden in cases {
      #expect(tokenizer.encode(golden.text) == golden.ids, "\(kind): \(golden.name)")
      #expect(tokenizer.encode(golden.text, addSpecialTokens: true) == golden.withSpecial, "\(kind): \(golden.name)")
      #expect(tokenizer.encode(golden.text, parseSpecial: false) == golden.specialAsText, "\(kind): \(golden.name)")
    }
  }

  @Test("ids decode to the reference's text", arguments: Fixtures.kinds)
  func decoding(kind: String) throws {
    let tokenizer = try Fixtures.tokenizer(kind)
    // The reference reads an added token's accented letters as if they stood for bytes; ours gives the token's own text.
    for golden in try GoldenCase.all(kind) where !(kind == "qwen2" && golden.name == "added tokens, more") {
      #expect(sameBytes(tokenizer.decode(golden.ids), golden.decoded), "\(kind): \(golden.name)")
      #expect(sameBytes(tokenizer.decode(golden.ids, skipSpecialTokens: true), golden.skipped), "\(kind): \(golden.name)")
    }
  }

  @Test("the second encoding, from the cache, equals the first", arguments: Fixtures.kinds)
  func cached(kind: String) throws {
    let tokenizer = try Fixtures.tokenizer(kind)
    let texts = try GoldenCase.all(kind).map(\.text)
    let first = texts.map { tokenizer.encode($0) }
    #expect(texts.map { tokenizer.encode($0) } == first)
  }

  @Test("a definition written out and read again encodes the same", arguments: Fixtures.kinds)
  func rewritten(kind: String) throws {
    let definition = try TokenizerDefinition(json: Fixtures.json(kind + ".json"))
    let tokenizer = try Tokenizer(json: JSONValue(parsing: definition.json.encodedBytes()))
    for golden in try GoldenCase.all(kind) {
      #expect(tokenizer.encode(golden.text, addSpecialTokens: true) == golden.withSpecial, "\(kind): \(golden.name)")
    }
  }
}
