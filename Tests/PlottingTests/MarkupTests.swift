import Plotting
import Testing

@Suite("Text for markup") struct MarkupTests {
  @Test(
    "what means something is written so that it means nothing",
    arguments: [
      ("plain", "plain"), ("<b>&\"'", "&lt;b&gt;&amp;&quot;&#39;"), ("a\u{202E}b", "a⟨U+202E⟩b"), ("\u{1B}[31m", "␛[31m"),
      ("a\r\nb\tc", "a⏎b␉c"), ("\0\u{7F}", "␀␡"), ("\u{9B}", "⟨U+009B⟩"), (SampleCharts.noncharacters, "\u{FFFD}\u{FFFD}\u{FFFD}"),
      ("a\u{200B}b", "a⟨U+200B⟩b"),
      ("世界 👩‍👧 é", "世界 👩‍👧 é"),
    ])
  func escaped(_ text: String, _ expected: String) { #expect(Markup.escaped(text).unicodeScalars.elementsEqual(expected.unicodeScalars)) }

  @Test("a megabyte is cut, and its length said")
  func bounded() {
    let text = String(repeating: "<", count: 1_000_000)
    #expect(Markup.escaped(text, limit: 3) == "&lt;&lt;&lt;… (1000000 characters)")
    #expect(Markup.escaped(text).utf8.count < 9_000)
  }

  @Test("a shortened name keeps both its ends")
  func shortened() {
    #expect(Markup.shortened("averaged[0.00002,0.25]", to: 11) == "avera…0.25]")
    #expect(Markup.shortened("short", to: 5) == "short")
    #expect(Markup.shortened(String(repeating: "x", count: 1_000_000), to: 3) == "x…x")
  }
}
