import JSONValues
import Tokenization

extension Record {
  /// The record as a model is asked to write its target anew: `{completion}` and `{answer}` may stand in the template.
  package var askedAnew: Record {
    var asked = self
    let target = completion?.plainText ?? answers.first
    asked.extras.set("completion", target.map { .string($0.withoutOuterSpace) })
    asked.extras.set("answer", (answers.first ?? target).map { .string($0.withoutOuterSpace) })
    return asked
  }

  /// The record with another completion in the place of its own, and what was right before is right still.
  ///
  /// A text begins with the white space that the old one began with, for the tokens of prompt and completion meet there.
  package func rewritten(_ text: String) -> Record {
    var record = self
    record.answers = expectedAnswers
    let plain = text.withoutOuterSpace
    switch content {
    case .text: return self
    case .conversation(let messages):
      let turn = ChatMessage(role: "assistant", content: plain)
      record.content = .conversation((messages.last?.role == "assistant" ? messages.dropLast() : messages) + [turn])
    case .prompted(let prompt, let completion):
      switch (prompt, completion) {
      case (.messages, _): record.content = .prompted(prompt, completion: .messages([ChatMessage(role: "assistant", content: plain)]))
      case (.text, let old):
        let space =
          old?.plainText.unicodeScalars.prefix { $0.properties.isWhitespace } ?? text.unicodeScalars.prefix { $0.properties.isWhitespace }
        record.content = .prompted(prompt, completion: .text(String(Substring(space)) + plain))
      }
    }
    return record
  }
}

extension String {
  package var withoutOuterSpace: String {
    let scalars = unicodeScalars
    guard let start = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
      let end = scalars.lastIndex(where: { !$0.properties.isWhitespace })
    else { return "" }
    return String(scalars[start...end])
  }
}
