/// What became of an instance, or what a run would do with it; each has a colour, a symbol and a word, so that none stands alone.
package enum InstanceState: String, Sendable, CaseIterable {
  case cached, ran, running, waiting, failed, skipped, interrupted
  /// Planned.
  case run, resume, waits

  /// One character that the common fonts have.
  package var symbol: String {
    switch self {
    case .cached: "="
    case .ran: "✓"
    case .running: "◐"
    case .waiting, .waits: "…"
    case .failed: "✗"
    case .skipped: "⊘"
    case .interrupted: "‖"
    case .run: "▸"
    case .resume: "»"
    }
  }
}
