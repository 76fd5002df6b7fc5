import Diagnostics

/// Why something could not be shared, taken in or checked, in one line. It knows no exit statuses but whose fault it was.
package struct SharingError: Error, Sendable, Equatable, CustomStringConvertible {
  package enum Blame: Sendable, Equatable {
    /// What was asked for, or the archive that was given.
    case request
    /// The disk, or whatever bytes come from.
    case transfer
    /// Whoever was asked to stop it.
    case interruption
  }

  package let message: String
  /// The file, or the archive and the entry in it, that the message is about.
  package let place: String?
  package let blame: Blame

  package init(_ message: String, at place: String? = nil, _ blame: Blame = .request) {
    self.message = message
    self.place = place
    self.blame = blame
  }

  /// Names in it may come from an archive of any origin.
  package var description: String {
    let text = VisibleText.line(message, most: 2000, on: .terminal)
    return place.map { "\(VisibleText.line($0, most: 400, on: .terminal)): \(text)" } ?? text
  }
}
