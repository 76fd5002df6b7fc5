import Datasets
import Testing

@Suite("Stop texts") struct StopTextTests {
  /// A token is a byte; 256 and above say nothing.
  private static let decode: @Sendable ([Int32]) -> String = { ids in String(decoding: ids.compactMap { UInt8(exactly: $0) }, as: UTF8.self)
  }

  private func place(_ text: String, _ stops: [String]) -> Int? {
    guard let rule = StopTexts.rule(stops, Self.decode)?() else { return nil }
    return Array(text.utf8).firstIndex { rule(Int32($0)) }
  }

  @Test("the token that completes a stop text ends the sequence", arguments: [("answer: 4\nnext", 9), ("no end", nil), ("ab\n", 2)])
  func ends(text: String, end: Int?) { #expect(place(text, ["\n", "END"]) == end) }

  @Test("a long text is found across many tokens") func long() {
    #expect(place("xxxEND OF ANSWER rest", ["END OF ANSWER"]) == 15)
    #expect(place("ENEND", ["END"]) == 4)
  }

  @Test("tokens that say nothing do not hide it") func special() throws {
    let make = try #require(StopTexts.rule(["ab"], Self.decode))
    let rule = make()
    #expect([97, 300, 301, 302, 98].map { rule($0) } == [false, false, false, false, true])
  }

  @Test("each sequence has its own memory") func own() throws {
    let make = try #require(StopTexts.rule(["ab"], Self.decode))
    let (first, second) = (make(), make())
    #expect(!first(97))
    #expect(!second(98))
    #expect(first(98))
  }

  @Test("what is kept ends before the first of them; without any, nothing is cut") func cut() {
    #expect(StopTexts.cut("4\n5 END", at: ["END", "\n"]) == "4")
    #expect(StopTexts.cut("4", at: ["", "x"]) == "4")
    #expect(StopTexts.rule([""], Self.decode) == nil)
  }
}
