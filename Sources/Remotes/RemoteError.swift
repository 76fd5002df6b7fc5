/// Why a remote did not do what it was asked, in one line that begins with its address where that is not plain.
package struct RemoteError: Error, Sendable, Equatable, CustomStringConvertible {
  package enum Kind: Sendable, Equatable {
    /// It may go well when it is tried again: no answer in time, a broken connection, "too many requests".
    case passing
    /// It would fail again: not allowed, no such place, an answer that is none.
    case lasting
    /// It does not have what was asked for.
    case absent
    /// It gave something else than was promised: other bytes, too many, a document that is none or belongs elsewhere.
    case damaged
    /// The address or the name is wrong, which is said before anything is tried.
    case usage
  }

  package let kind: Kind
  package let message: String
  /// Seconds that the remote asks to be left alone for.
  package let retryAfter: Double?

  package init(_ kind: Kind, _ message: String, retryAfter: Double? = nil) {
    self.kind = kind
    self.message = message
    self.retryAfter = retryAfter
  }

  package var description: String { message }
}
