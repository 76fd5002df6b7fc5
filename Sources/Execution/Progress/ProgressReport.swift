import Artifacts

/// What happens in a run, as it is told to people or programs. Names, not indices: whoever shows it knows nothing of graphs.
package enum ProgressEvent: Sendable {
  case began(run: String, recipe: String, instances: Int)
  /// What had ended before anybody looked.
  case joined(RunOutcome)
  case cached(String)
  case started(String, Start)
  /// What a running instance reports about itself.
  case advanced(String, StageActivity)
  case finished(String, seconds: Double)
  /// What the stage warned of; shown when it has finished.
  case warned(String, String)
  case failed(String, StageProblem)
  case retrying(String, StageProblem, attempt: Int, afterSeconds: Double)
  /// Another run computes the same.
  case blocked(String, LockOwner?)
  /// For want of a failed instance, or because the run ends.
  case skipped(String, because: String?)
  case interrupted(String)
  case notice(String)
  /// The first request to stop.
  case stopping(running: Int)
  case ended(RunOutcome)
  /// What is to be expected; for displays that ask for it.
  case outlook(RunOutlook)

  package struct Start: Sendable {
    package let stage: String
    package let resumes: Bool
    package let attempt: Int
    package let reasons: [String]
    /// What it took before, or others of its stage; nil where nothing is known.
    package let expectedSeconds: Double?
    /// Since it began, when that is told late.
    package let elapsedSeconds: Double
    /// Where it is carried out, when that is not here: `slurm job 12 on node3`.
    package let place: String?

    package init(
      stage: String, resumes: Bool = false, attempt: Int = 1, reasons: [String] = [], expectedSeconds: Double? = nil,
      elapsedSeconds: Double = 0, place: String? = nil
    ) {
      self.stage = stage
      self.resumes = resumes
      self.attempt = attempt
      self.reasons = reasons
      self.expectedSeconds = expectedSeconds
      self.elapsedSeconds = elapsedSeconds
      self.place = place
    }
  }
}

/// Something that shows a run.
package protocol ProgressDisplay: AnyObject {
  func show(_ event: ProgressEvent)
  /// Seconds between looks at what running stages report; nil when nobody would see it.
  var refreshSeconds: Double? { get }
  func refresh()
  /// The terminal has another size.
  func resize()
  /// Whether it shows how long the run will take, which costs something to find out.
  var wantsOutlook: Bool { get }
  /// How work before the first stage is shown.
  var taskStyle: TaskProgress.Style { get }
  /// The program is about to be stopped by its terminal (Ctrl-Z).
  func suspend()
  /// It goes on.
  func resume()
  /// The run is over, however it ended; may be said more than once.
  func close()
}

extension ProgressDisplay {
  package var refreshSeconds: Double? { nil }
  package func refresh() {}
  package func resize() {}
  package var wantsOutlook: Bool { false }
  package var taskStyle: TaskProgress.Style { .silent }
  package func suspend() {}
  package func resume() {}
  package func close() {}
}

/// Shows nothing.
package final class SilentProgress: ProgressDisplay {
  package init() {}
  package func show(_ event: ProgressEvent) {}
}
