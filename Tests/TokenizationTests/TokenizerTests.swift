import JSONValues
import Testing
import Tokenization

@Suite("Tokenizer")
struct TokenizerTests {
  @Test("what was encoded decodes to the same bytes", arguments: ["gpt2", "gpt2-digits", "llama3"])
  func roundTrip(kind: String) throws {
    let tokenizer = try Fixtures.tokenizer(kind)
    var random = SeededRandom(seed: 7)
    for _ in 0..<2_000 {
      let text = SplitPatternTests.text(&random)
      #expect(sameBytes(tokenizer.decode(tokenizer.encode(text)), text))
      #expect(sameBytes(tokenizer.decode(tokenizer.encode(text, parseSpecial: false)), text))
    }
  }

  @Test("the streaming decoder gives, joined, what decoding at once gives")
  func streaming() throws {
    let tokenizer = try Fixtures.tokenizer("gpt2")
    var random = SeededRandom(seed: 11)
    for _ in 0..<500 {
      var ids = tokenizer.encode(SplitPatternTests.text(&random))
      // Tokens left out and mixed in make ill-formed UTF-8.
      for _ in 0..<random.below(4) { ids.insert(Int32(random.below(tokenizer.vocabularySize)), at: random.below(ids.count + 1)) }
      if !ids.isEmpty, random.below(2) == 0 { ids.remove(at: random.below(ids.count)) }
      for skip in [false, true] {
        var decoder = StreamingDecoder(tokenizer, skipSpecialTokens: skip)
        let joined = ids.map { decoder.push($0) }.joined() + decoder.finish()
        #expect(sameBytes(joined, tokenizer.decode(ids, skipSpecialTokens: skip)))
      }
    }
  }

  @Test("a letter comes out of the streaming decoder when its last byte has come")
  func heldBack() throws {
    let tokenizer = try Fixtures.tokenizer("gpt2")
    var decoder = StreamingDecoder(tokenizer)
    let bytes = try Array("𓀀".utf8).map { try #require(tokenizer.id(ByteAlphabet.spelling([$0]))) }
    #expect(bytes.map { decoder.push($0) } == ["", "", "", "𓀀"])
    #expect(decoder.push(bytes[0]) == "")
    #expect(decoder.finish() == "\u{FFFD}")
  }

  @Test("tokens are compared by bytes, not by canonical equivalence")
  func byteWise() throws {
    var definition = try TokenizerDefinition(json: Fixtures.json("gpt2.json"))
    definition.addedTokens += [
      AddedToken(id: 800, content: "\u{1EBF}", special: false), AddedToken(id: 801, content: "\u{EA}\u{301}", special: false),
    ]
    let tokenizer = try Tokenizer(definition)
    #expect(tokenizer.encode("\u{1EBF}\u{EA}\u{301}") == [800, 801])
    #expect(tokenizer.id("\u{1EBF}") == 800 && tokenizer.id("\u{EA}\u{301}") == 801)
    #expect(sameBytes(tokenizer.decode([800, 801]), "\u{1EBF}\u{EA}\u{301}"))
    #expect(tokenizer.vocabularySize == 802)
    #expect(tokenizer.token(750) == nil && tokenizer.decode([750, 5_000, -1]).isEmpty)
  }

  @Test("a megabyte of one letter takes no quadratic time", .timeLimit(.minutes(1)))
  func longRun() throws {
    let tokenizer = try Fixtures.tokenizer("qwen2")
    for letter in ["a", " ", "=", "é", "7"] {
      let text = String(repeating: letter, count: 1_000_000)
      #expect(tokenizer.decodeBytes(tokenizer.encode(text)).count == text.utf8.count)
    }
  }

  @Test("many threads share a tokenizer")
  func threads() async throws {
    let tokenizer = try Fixtures.tokenizer("llama3")
    let cases = try GoldenCase.all("llama3")
    let texts = cases.map(\.text)
    let expected = cases.map(\.ids)
    await withTaskGroup(of: Bool.self) { group in
      for _ in 0..<8 { group.addTask { texts.map { tokenizer.encode($0) } == expected } }
      for await isSame in group { #expect(isSame) }
    }
  }
}
