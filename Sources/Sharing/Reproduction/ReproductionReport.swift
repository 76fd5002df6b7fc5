import Hashing
import JSONValues

/// What came of computing a locked recipe again: a row an output, and why where it is not what was locked.
package struct ReproductionReport: Sendable {
  package enum Verdict: String, Sendable, CaseIterable {
    case identical
    /// Other bytes, as the numerics class allows on another kernel.
    case withinClass = "within class"
    case differs
    case failed
    /// It was not chosen, or something it needs failed.
    case notRun = "not run"
    /// Taken from what was shipped, not computed.
    case trusted
    /// The lock has no result of it.
    case notLocked = "not locked"
  }

  package struct Row: Sendable, Equatable {
    package let instance: String
    /// Empty where an instance as a whole is spoken of.
    package let output: String
    package let locked: Digest?
    package let found: Digest?
    package let verdict: Verdict
    /// What is different here by itself: sources, parameters, commands, kernels.
    package var causes: [String] = []
    /// Outputs that it takes and that were different before: it follows from them.
    package var follows: [String] = []
  }

  package let recipe: String
  package let lock: Digest
  package let lockedEngine: String
  package let engine: String
  package let numerics: String
  package let selection: Selection
  package let trustsInputs: Bool
  package let comparison: LockComparison
  package let rows: [Row]
  /// Seconds since 1970.
  package let started: Double
  package let finished: Double
  /// Of the run in the scratch store.
  package let run: String
  package let host: JSONObject

  package func count(_ verdict: Verdict) -> Int { rows.count { $0.verdict == verdict } }

  /// Nothing that could be compared is other than it was, and something was compared.
  package var isReproduced: Bool {
    count(.differs) == 0 && count(.failed) == 0 && count(.identical) + count(.withinClass) > 0 && !comparison.changesKeys
  }

  /// 0 or 1.
  package var exitStatus: Int32 { isReproduced ? 0 : 1 }
}
