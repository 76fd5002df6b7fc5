import Diagnostics
import Testing

@Suite("Text as a reader may be shown it") struct TextTests {
  @Test("accents that are piled up are left out, and one on nothing stands on a space")
  func piles() {
    for medium in [VisibleText.Medium.page, .terminal] {
      #expect(VisibleText.line("a" + String(repeating: "\u{301}", count: 90) + "b", on: medium).unicodeScalars.count == 6)
      #expect(VisibleText.line("e\u{301}", on: medium).unicodeScalars.count == 2)
      #expect(VisibleText.line("\u{301}", on: medium) == " \u{301}")
    }
  }

  @Test("a page shows what is joined as one; a terminal shows characters whose columns are known")
  func media() {
    #expect(VisibleText.line("👩\u{200D}👧 🇨🇭").unicodeScalars.count == 6)
    #expect(VisibleText.line("👩\u{200D}👧 🇨🇭", on: .terminal) == "👩👧 CH")
    #expect(VisibleText.line("a\u{200D}b") == "a⟨U+200D⟩b" && VisibleText.line("a\u{200D}b", on: .terminal) == "ab")
    #expect(VisibleText.line("a\tb\r\nc") == "a␉b⏎c" && VisibleText.line("a\tb\r\nc", on: .terminal) == "a b⏎c")
    #expect(VisibleText.line("abcdef", most: 3) == "abc… (6 characters)" && VisibleText.line("abcdef", most: 3, on: .terminal) == "abc…")
  }

  @Test(
    "time in the units one says it in",
    arguments: [
      (0, "0.0 s", "0 s"), (0.04, "0.0 s", "0.0 s"), (0.42, "0.4 s", "0.4 s"), (9.96, "10 s", "10 s"), (59.4, "59 s", "59 s"),
      (59.6, "1 min 00 s", "1 min"), (190, "3 min 10 s", "3 min 10 s"), (7500, "2 h 05 min", "2 h 5 min"),
      (172_799, "47 h 59 min", "47 h 59 min"),
      (273_600, "3 d 04 h", "3 d 4 h"), (.nan, "–", "–"), (-1, "–", "–"), (.infinity, "–", "–"), (1e300, "very long", "very long"),
    ])
  func duration(_ seconds: Double, _ text: String, _ round: String) {
    #expect(DurationText.text(seconds) == text && DurationText.text(seconds, isRound: true) == round)
  }
}
