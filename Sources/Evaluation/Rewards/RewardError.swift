/// Why a list of rewards cannot be used, or why a component failed while it scored: the component, the record where one is to blame, and the
/// cause in one line. (A component that merely has nothing to say about a record gives null and no error.)
package struct RewardError: Error, Sendable, Equatable, CustomStringConvertible {
  /// `rewards[1]` while the list is read, `reward 'nli'` while it scores.
  package let component: String
  /// Where the record stands, or which of the batch it is.
  package let record: String?
  package let message: String
  /// The last lines that a program wrote to its standard error.
  package let standardError: String

  package init(_ component: String, _ message: String, record: String? = nil, standardError: String = "") {
    self.component = component
    self.record = record
    self.message = message
    self.standardError = standardError
  }

  package var description: String {
    let place = record.map { "\($0): " } ?? ""
    let heard = standardError.isEmpty ? "" : "; its standard error ends: \(standardError)"
    return "\(place)\(component): \(message)\(heard)"
  }
}
