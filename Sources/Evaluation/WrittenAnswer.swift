/// A completion to be scored: what the model wrote, and whether it came to its end.
package struct WrittenAnswer: Sendable, Equatable {
  package let text: String
  package let isComplete: Bool

  package init(text: String, isComplete: Bool) {
    self.text = text
    self.isComplete = isComplete
  }
}
