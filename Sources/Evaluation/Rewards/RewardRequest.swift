import Datasets
import JSONValues

/// A completion that is to be scored, with what it answers.
package struct RewardRequest: Sendable {
  package var record: Record
  /// As the model read it.
  package var promptText: String
  /// Without the end token, cut at a stop text.
  package var completion: String
  /// With the end token.
  package var completionIDs: [Int32]
  /// False when the token limit cut it off.
  package var isComplete: Bool
  /// Where the record stands, for errors: `prompts.jsonl:31`; its number in the batch and its prompt where it is not known.
  package var place: String?

  package init(
    record: Record, promptText: String, completion: String, completionIDs: [Int32], isComplete: Bool, place: String? = nil
  ) {
    self.record = record
    self.promptText = promptText
    self.completion = completion
    self.completionIDs = completionIDs
    self.isComplete = isComplete
    self.place = place
  }

  /// What errors call the record.
  func name(_ index: Int) -> String {
    place ?? "record \(index + 1) of the batch, \(JSONValue.string(String(promptText.prefix(40))).encoded())"
  }
}
