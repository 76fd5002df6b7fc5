import Artifacts
import Planning

/// What is to be done about an instance, given what is known.
package struct Judgement: Sendable {
  package enum Action: Sendable {
    /// Its result is in the store.
    case cached(ResultSummary)
    case run
    /// An earlier attempt left a checkpoint.
    case resume
    /// It has to run, but bytes of these dependencies are gone from the store.
    case needs([Int])
    /// Outputs of these dependencies are not known yet.
    case waits
    /// Something its key is made of cannot be read.
    case impossible(String)
  }

  package let instance: Int
  /// Nil while inputs are unknown.
  package let key: StageKey?
  package let action: Action

  /// As `plan --json` spells it.
  package var actionName: String {
    switch action {
    case .cached: "cached"
    case .run, .needs, .impossible: "run"
    case .resume: "resume"
    case .waits: "waits"
    }
  }
}
