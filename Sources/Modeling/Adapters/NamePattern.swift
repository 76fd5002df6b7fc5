/// A regular expression that has to match the whole of a name, as PEFT and axolotl take them. Knows nothing of what is named.
package struct NamePattern {
  package let text: String
  private let expression: Regex<AnyRegexOutput>

  package init(_ text: String) throws(ModelError) {
    self.text = text
    do { expression = try Regex(text) } catch { throw ModelError("'\(text)' is no regular expression") }
  }

  package func matches(_ name: String) -> Bool { (try? expression.wholeMatch(in: name)) != nil }
}
