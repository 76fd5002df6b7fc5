/// Whether a command stage sees only what it declares, or the whole machine. Not in its key.
package enum Hermetic: String, Sendable, CaseIterable {
  case on
  case off
}
