/// How long a server is asked again.
package struct RetryPolicy: Sendable {
  /// Times that one request is sent, where the server is there and cannot answer now (429, 5xx, no answer in time).
  package var attempts = 6
  /// Seconds before the second time; each wait is twice the one before.
  package var firstDelay = 0.5
  package var mostDelay = 30.0
  /// Seconds that a server may take to be there, from the first time that it is not.
  package var patience = 300.0

  package init(attempts: Int = 6, firstDelay: Double = 0.5, mostDelay: Double = 30, patience: Double = 300) {
    self.attempts = attempts
    self.firstDelay = firstDelay
    self.mostDelay = mostDelay
    self.patience = patience
  }

  /// Seconds after so many attempts; what the server asks for goes before it, within bounds.
  package func delay(after attempts: Int, asked: Double?) -> Double {
    let grown = firstDelay * Double(1 << min(attempts - 1, 16))
    return min(max(grown, asked ?? 0), max(mostDelay, min(asked ?? 0, 120)))
  }
}
