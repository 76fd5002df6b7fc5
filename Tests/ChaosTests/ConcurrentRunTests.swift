import Artifacts
import Execution
import Foundation
import Glibc
import Hashing
import Testing

/// Several runs of the same recipe, or of recipes that share stages, on one store: what one computes the others take, nothing is computed
/// twice, nothing is torn, and when one is killed the others go on.
@Suite("Several runs at once", .serialized) struct ConcurrentRunTests {
  private struct Reference {
    let mixed: [String: [String]]
    /// Of both recipes together.
    let both: [String: [String]]

    init() throws {
      let project = try KillProject()
      try Self.run(project, "recipe.yaml")
      mixed = try StoreInspection(project.store).results
      try project.workshop.write("other.yaml", ConcurrentRunTests.other)
      try Self.run(project, "other.yaml")
      both = try StoreInspection(project.store).results
    }

    static func run(_ project: KillProject, _ recipe: String) throws {
      let runner = try RunnerProcess(in: project.root, ["run", recipe])
      try #require(runner.finish() == .exited(0), "\(runner.tail)")
    }
  }

  private static let reference = Result { try Reference() }

  /// Shares data, tokens, the base model and the first training with `mixed`; what comes after differs.
  private static let other = ChaosStages.mixed.replacingOccurrences(of: "alpha: 0.75", with: "alpha: 0.5")
    .replacingOccurrences(of: "name: chaos\n", with: "name: other\n")

  @Test("two and three runs of one recipe compute each stage once between them", arguments: [2, 3])
  func same(count: Int) throws {
    let project = try KillProject()
    let runners = try (0..<count).map { _ in try RunnerProcess(in: project.root) }
    for runner in runners { #expect(runner.finish() == .exited(0), "\(runner.tail)") }
    try expect(project, Self.reference.get().mixed)
  }

  @Test("two recipes that overlap compute what they share once")
  func overlapping() throws {
    let project = try KillProject()
    try project.workshop.write("other.yaml", Self.other)
    let runners = try ["recipe.yaml", "other.yaml"].map { try RunnerProcess(in: project.root, ["run", $0]) }
    for runner in runners { #expect(runner.finish() == .exited(0), "\(runner.tail)") }
    try expect(project, Self.reference.get().both)
  }

  @Test("one of two is killed, at any moment: the other ends as if nothing had been")
  func killed() throws {
    var random = SeededBits(seed: Amount.seed)
    for round in 0..<Amount.rounds {
      let project = try KillProject()
      let victim = try RunnerProcess(in: project.root)
      let other = try RunnerProcess(in: project.root)
      victim.listen(seconds: 60, events: Int.random(in: 1...60, using: &random))
      let survey = ProcessSurvey(project.root)
      if Bool.random(using: &random) { for pid in survey.watchers(of: victim.identifier) { kill(pid, SIGKILL) } }
      victim.child.signal(SIGKILL)
      _ = victim.finish()
      #expect(other.finish() == .exited(0), "round \(round): \(other.tail)")
      try expect(project, Self.reference.get().mixed)
    }
  }

  /// Each key was computed to its end once, all are there, and the store is in order.
  private func expect(_ project: KillProject, _ reference: [String: [String]]) throws {
    let store = try StoreInspection(project.store)
    #expect(store.faults == [])
    #expect(store.results == reference)
    let history = try RunHistory(project.store)
    #expect(history.repeated == [])
    #expect(ProcessSurvey(project.root).words == [])
  }

  @Test("a run that waits for a stage of another ends it when the other is killed and nobody else does", .timeLimit(.minutes(2)))
  func waiting() throws {
    let workshop = try Workshop(
      """
      heirloom: 1
      name: chaos
      stages:
        hang: {uses: chaos/hang}

      """)
    let victim = try RunnerProcess(in: workshop.root)
    try until("the stage hangs") {
      try (FileSystem.posix.list(workshop.store + "/work") ?? []).contains {
        access("\(workshop.store)/work/\($0)/checkpoint/tried", F_OK) == 0
      }
    }
    let blocked = BlockedReaction {
      for pid in ProcessSurvey(workshop.root).watchers(of: victim.identifier) { kill(pid, SIGKILL) }
      kill(victim.identifier, SIGKILL)
    }
    #expect(try workshop.run(display: blocked).ran == 1)
    #expect(victim.finish() == .signalled(SIGKILL))
    #expect(ProcessSurvey(workshop.root).words == [])
  }

  @Test("a runner that died before it wrote down whom it had started leaves nobody the next run would wait for")
  func unknown() throws {
    let workshop = try Workshop(
      """
      heirloom: 1
      name: chaos
      stages:
        text: {uses: chaos/text, with: {text: a}}

      """)
    #expect(try workshop.run().exitStatus == 0)
    let key = try #require(try StoreInspection(workshop.store).results.keys.first)
    let store = try Store.open(workshop.store)
    try store.files.remove("\(workshop.store)/results/\(key.prefix(2))/\(key.dropFirst(2)).json")
    // A process in that stage's environment that holds the lock of a runner that is gone, as if it had been started a moment ago.
    let digest = try #require(Digest(key))
    let lock = try #require(try FileLock.attempt(store.lockPath(digest), .exclusive, store.files))
    let dead = ProcessIdentity(host: ProcessIdentity.hostName, boot: ProcessIdentity.bootID, pid: getpid(), start: 1)
    try store.note(LockOwner(runner: dead, run: "gone", instance: "text"), in: lock)
    let stray = ChildProcess()
    let pid = try stray.start(
      ProcessOrder(
        words: ["/bin/sleep", "600"], directory: "/", environment: ["HEIRLOOM_STAGE": store.workDirectory(digest).orderPath],
        descriptors: [(lock.descriptor, 4)]))
    lock.release()
    let ended = Thread { _ = stray.wait() }
    ended.start()
    #expect(try workshop.run().ran == 1)
    try until("the stray is gone") { ProcessIdentity(pid: pid) == nil }
  }

  private func until(_ what: Comment, _ isSo: () throws -> Bool) throws {
    let deadline = monotonicSeconds() + 30
    while try !isSo() {
      try #require(monotonicSeconds() < deadline, what)
      usleep(2_000)
    }
  }
}

/// Does something the first time a run says that it waits for another.
private final class BlockedReaction: ProgressDisplay {
  private var reaction: (() -> Void)?

  init(_ reaction: @escaping () -> Void) { self.reaction = reaction }

  func show(_ event: ProgressEvent) {
    guard case .blocked = event else { return }
    reaction?()
    reaction = nil
  }
}
