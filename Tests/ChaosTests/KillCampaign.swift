import Execution
import Foundation
import Glibc
import Testing

/// Runs a recipe of forty stages in one store after another, kills at random instants, and looks at what is left: after each kill, after
/// the run that follows it, and against the results of a run that nothing disturbed. The seed fixes who is killed and when; what that
/// meets is the machine's doing.
struct KillCampaign {
  enum Victim: String, CaseIterable {
    case runner, stage
    /// The runner and all stages, and not the watcher that would have ended them.
    case both
    /// The runner and its watcher, so that nobody ends the stages but the next run.
    case runnerAndWatcher
    case everything
  }

  /// What was tried and what was found.
  struct Counts {
    var kills: [Victim: Int] = [:]
    var stores = 0
    var runs = 0
    var resumed = 0
    /// One line each.
    var lostResults: [String] = []
    var wrongDigests: [String] = []
    var stuckLocks: [String] = []
    var orphans: [String] = []
    var repeatedWork: [String] = []
    var damage: [String] = []
    var failedRuns: [String] = []

    var total: Int { kills.values.reduce(0, +) }
    var faults: [String] { lostResults + wrongDigests + stuckLocks + orphans + repeatedWork + damage + failedRuns }
  }

  private(set) var counts = Counts()
  private var random: SeededBits
  private let reference: [String: [String]]
  private let secondsOfRun: Double
  /// Runs of the present store that were looked at.
  private var journals = 0

  /// Of kills in one store, so that every store comes to its end.
  private static let mostKills = 14
  private static let secondsToStop = 14.0

  /// Makes the reference: one run that nothing disturbs.
  init(seed: UInt64) throws {
    random = SeededBits(seed: seed)
    let project = try KillProject()
    let start = monotonicSeconds()
    let runner = try RunnerProcess(in: project.root)
    try #require(runner.finish() == .exited(0), "\(runner.tail)")
    secondsOfRun = monotonicSeconds() - start
    reference = try StoreInspection(project.store).results
    try #require(reference.count == 39, "forty instances, two of them with one key")
  }

  mutating func play(kills: Int) throws {
    while counts.total < kills { try live(KillProject(), atMost: min(Self.mostKills, kills - counts.total)) }
  }

  // MARK: - One store

  /// From the first run in a store to the one that comes to its end.
  private mutating func live(_ project: KillProject, atMost kills: Int) throws {
    counts.stores += 1
    journals = 0
    var known: [String: [String]] = [:]
    var killed = 0
    while true {
      let runner = try RunnerProcess(in: project.root)
      counts.runs += 1
      let victim = killed < kills ? Victim.allCases.randomElement(using: &random) : nil
      if let victim, try strike(victim, runner, project) {
        killed += 1
        counts.kills[victim, default: 0] += 1
      }
      let end = runner.finish()
      counts.resumed += runner.lines.count { $0.contains(#""resumes":true"#) }
      let what = "seed's store \(counts.stores), run \(counts.runs), \(victim?.rawValue ?? "nobody"): \(end)"
      known = try look(project, after: known, what)
      switch end {
      case .exited(0): return try conclude(project, what)
      case .signalled(SIGKILL) where victim != nil && victim != .stage: break
      case .exited(1) where victim == .stage: break
      default:
        counts.failedRuns.append("\(what): \(runner.tail)")
        if victim == nil { return }
      }
      let isWatched = victim == .runner || victim == .both
      if isWatched, Int.random(in: 0..<8, using: &random) == 0 { expectNoStages(project, Self.secondsToStop, what) }
    }
  }

  /// Waits for the instant and kills; false when the run was over before.
  private mutating func strike(_ victim: Victim, _ runner: RunnerProcess, _ project: KillProject) throws -> Bool {
    switch Int.random(in: 0..<3, using: &random) {
    case 0: runner.listen(seconds: Double.random(in: 0...0.15, using: &random))
    case 1: runner.listen(seconds: Double.random(in: 0...secondsOfRun / 3, using: &random))
    default:
      runner.listen(seconds: secondsOfRun, events: Int.random(in: 1...12, using: &random))
      runner.listen(seconds: Double.random(in: 0...0.03, using: &random))
    }
    if victim == .stage { return strikeStage(runner, project) }
    guard runner.listen(seconds: 0) else { return false }
    // Stopped first, so that it does not see its stages end.
    kill(runner.identifier, SIGSTOP)
    let survey = ProcessSurvey(project.root)
    let watchers = survey.watchers(of: runner.identifier)
    if victim == .both || victim == .everything { for pid in survey.stages { kill(pid, SIGKILL) } }
    if victim == .runnerAndWatcher || victim == .everything { for pid in watchers { kill(pid, SIGKILL) } }
    kill(runner.identifier, SIGKILL)
    return true
  }

  private mutating func strikeStage(_ runner: RunnerProcess, _ project: KillProject) -> Bool {
    while runner.listen(seconds: 0.005) {
      let survey = ProcessSurvey(project.root)
      guard !survey.stages.isEmpty else { continue }
      // Or one that keeps a stage, or the server that starts them.
      let victims = survey.stages + survey.watchers(of: runner.identifier)
      if let pid = victims.randomElement(using: &random) { return kill(pid, SIGKILL) == 0 }
    }
    return false
  }

  // MARK: - What is left

  /// Looks at a store that no runner writes to; returns its results.
  private mutating func look(_ project: KillProject, after known: [String: [String]], _ what: String) throws -> [String: [String]] {
    let left = try StoreInspection(project.store, locks: .mayBeHeld)
    counts.damage += left.faults.map { "\(what): \($0)" }
    for (key, outputs) in known where left.results[key] != outputs { counts.lostResults.append("\(what): \(key)") }
    for (key, outputs) in left.results where reference[key] != outputs { counts.wrongDigests.append("\(what): \(key) \(outputs)") }
    let history = try RunHistory(project.store)
    counts.repeatedWork += history.repeated.map { "\(what): \($0) ran to its end twice" }
    // What was there when this run began was not begun again. A run that is killed early enough has no journal.
    for run in history.runs.dropFirst(journals) {
      counts.repeatedWork += run.started.filter { known[$0] != nil }.map { "\(what): \($0) was there, and ran" }
    }
    journals = history.runs.count
    return left.results
  }

  private mutating func conclude(_ project: KillProject, _ what: String) throws {
    expectNoStages(project, 3, what)
    let left = try StoreInspection(project.store)
    counts.stuckLocks += left.heldLocks.map { "\(what): \($0)" }
    for (key, outputs) in reference where left.results[key] != outputs {
      counts.lostResults.append("\(what): \(key) is not there at the end")
    }
  }

  private mutating func expectNoStages(_ project: KillProject, _ seconds: Double, _ what: String) {
    let deadline = monotonicSeconds() + seconds
    while monotonicSeconds() < deadline {
      if ProcessSurvey(project.root).stages.isEmpty { return }
      usleep(5_000)
    }
    let survey = ProcessSurvey(project.root)
    counts.orphans += survey.words.map { "\(what): \($0)" }
    for pid in survey.stages { kill(pid, SIGKILL) }
  }
}

extension KillCampaign.Counts: CustomStringConvertible {
  var description: String {
    let victims = KillCampaign.Victim.allCases.map { "\($0.rawValue) \(kills[$0] ?? 0)" }.joined(separator: ", ")
    return """
      \(total) kills (\(victims)) in \(stores) stores and \(runs) runs, \(resumed) stages resumed from a checkpoint
      lost results \(lostResults.count), wrong digests \(wrongDigests.count), stuck locks \(stuckLocks.count), orphans \(orphans.count), \
      work done twice \(repeatedWork.count), damage \(damage.count), runs that failed by themselves \(failedRuns.count)
      """
  }
}

/// A project with the shipped contracts beside those of the harness.
final class KillProject {
  let workshop: Workshop
  var root: String { workshop.root }
  var store: String { workshop.store }

  init(_ manifest: String = ChaosStages.mixed) throws {
    workshop = try Workshop(manifest)
    let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let shipped = repository.appendingPathComponent("stages").resolvingSymlinksInPath().path
    for name in try FileManager.default.contentsOfDirectory(atPath: shipped) {
      try FileManager.default.copyItem(atPath: "\(shipped)/\(name)", toPath: "\(root)/stages/\(name)")
    }
  }
}
