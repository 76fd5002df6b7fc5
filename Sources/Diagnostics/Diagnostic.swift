/// What is wrong, where, and what to try: data, so that a test compares it whole and a renderer lays it out.
package struct Diagnostic: Error, Sendable {
  package enum Severity: String, Sendable { case error, warning }

  /// A second place that belongs to the finding, such as the first of two duplicate keys.
  package struct Note: Sendable {
    package let message: String
    package let location: SourceLocation?

    package init(_ message: String, at location: SourceLocation? = nil) { (self.message, self.location) = (message, location) }
  }

  package let severity: Severity
  /// Lower case, no full stop.
  package let message: String
  package let location: SourceLocation?
  package let notes: [Note]
  /// The known name that is nearest to the unknown one.
  package let suggestion: String?

  package init(
    _ severity: Severity = .error, _ message: String, at location: SourceLocation?, suggestion: String? = nil, notes: [Note] = []
  ) {
    self.severity = severity
    self.message = message
    self.location = location
    self.suggestion = suggestion
    self.notes = notes
  }

  /// The message with the suggestion, as one line without the place.
  package var text: String { suggestion.map { "\(message); did you mean '\($0)'?" } ?? message }
}
