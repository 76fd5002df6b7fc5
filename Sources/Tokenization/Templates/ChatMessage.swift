/// One turn of a conversation.
package struct ChatMessage: Sendable, Equatable {
  /// `system`, `user`, `assistant`, or what else the template knows.
  package let role: String
  package let content: String

  package init(role: String, content: String) {
    self.role = role
    self.content = content
  }

  package static func == (left: ChatMessage, right: ChatMessage) -> Bool {
    left.role.utf8.elementsEqual(right.role.utf8) && left.content.utf8.elementsEqual(right.content.utf8)
  }
}
