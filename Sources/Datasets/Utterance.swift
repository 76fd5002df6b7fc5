import Tokenization

/// A prompt or a completion: plain text, or turns of a conversation.
package enum Utterance: Sendable {
  case text(String)
  case messages([ChatMessage])

  /// The text itself, or the contents of the turns, one a line.
  package var plainText: String {
    switch self {
    case .text(let text): text
    case .messages(let messages): messages.map(\.content).joined(separator: "\n")
    }
  }
}

extension Utterance: Equatable {
  package static func == (left: Utterance, right: Utterance) -> Bool {
    switch (left, right) {
    case (.text(let left), .text(let right)): left.utf8.elementsEqual(right.utf8)
    case (.messages(let left), .messages(let right)): left == right
    default: false
    }
  }
}
