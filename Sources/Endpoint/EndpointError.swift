import Diagnostics

/// Why a server could not be asked, or what is wrong with what it answered; one line, without the key that it was asked with.
package struct EndpointError: Error, Equatable, CustomStringConvertible {
  package let message: String

  package init(_ message: String) { self.message = message }

  package var description: String { message }

  // MARK: - Texts

  static func refused(_ url: String, seconds: Double, _ reason: String) -> EndpointError {
    EndpointError("\(url): no server answered within \(Self.text(seconds)) s (\(reason))")
  }

  static func gaveUp(_ url: String, attempts: Int, _ reason: String) -> EndpointError {
    EndpointError("\(url): \(reason), after \(attempts) \(attempts == 1 ? "attempt" : "attempts")")
  }

  static func status(_ url: String, _ status: Int, _ said: String) -> EndpointError {
    EndpointError("\(url): the server answered with status \(status)" + (said.isEmpty ? "" : ": \(VisibleText.line(said, most: 300))"))
  }

  static func tooBig(_ url: String, _ most: Int) -> EndpointError {
    EndpointError("\(url): the answer has more than \(most) bytes")
  }

  static func noJSON(_ url: String, _ error: String) -> EndpointError {
    EndpointError("\(url): the answer is no JSON: \(VisibleText.line(error, most: 200))")
  }

  static func broken(_ url: String, _ what: String) -> EndpointError { EndpointError("\(url): the answer \(what)") }

  static func text(_ seconds: Double) -> String { seconds == seconds.rounded() && seconds < 1e9 ? String(Int(seconds)) : String(seconds) }
}
