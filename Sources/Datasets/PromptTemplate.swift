import JSONValues

/// A text with places for a record's columns: `Question: {prompt}\nAnswer:`. `{{` and `}}` are the braces themselves.
package struct PromptTemplate: Sendable, Equatable {
  private enum Part: Sendable, Equatable {
    case text(String)
    case column(String)
  }

  private let parts: [Part]
  /// Nothing but the prompt.
  package let isPlain: Bool

  package init(_ template: String) throws(DatasetError) {
    var parts: [Part] = []
    var text = ""
    var rest = Substring(template)
    while let character = rest.first {
      rest.removeFirst()
      if character == "{" || character == "}", rest.first == character {
        text.append(character)
        rest.removeFirst()
      } else if character == "{" {
        guard let end = rest.firstIndex(of: "}") else {
          throw DatasetError("the prompt template has '{' without '}'; write '{{' for a brace")
        }
        if !text.isEmpty { parts.append(.text(text)) }
        text = ""
        parts.append(.column(String(rest[..<end])))
        rest = rest[rest.index(after: end)...]
      } else if character == "}" {
        throw DatasetError("the prompt template has '}' without '{'; write '}}' for a brace")
      } else {
        text.append(character)
      }
    }
    if !text.isEmpty { parts.append(.text(text)) }
    guard parts.contains(where: { if case .column = $0 { true } else { false } }) else {
      throw DatasetError("the prompt template names no column; '{prompt}' is the prompt")
    }
    self.parts = parts
    isPlain = parts == [.column("prompt")]
  }

  /// The template with its places filled in for this prompt text and record.
  package func fill(prompt: String, record: Record) throws(DatasetError) -> String {
    var filled = ""
    for part in parts {
      switch part {
      case .text(let text): filled += text
      case .column("prompt"): filled += prompt
      case .column(let name): filled += try column(name, record)
      }
    }
    return filled
  }

  private func column(_ name: String, _ record: Record) throws(DatasetError) -> String {
    if name == "choices" { return record.choices.joined(separator: ", ") }
    switch FieldMapping.value(at: name, in: record.extras) {
    case .string(let text): return text
    case .integer(let number): return String(number)
    case .number(let number): return JSONText.number(number)
    case nil: throw DatasetError("the prompt template asks for '\(name)', which the record does not have")
    case let value?: throw DatasetError("the prompt template asks for '\(name)', which is \(value.kindName)")
    }
  }
}
