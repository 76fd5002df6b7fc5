import Artifacts
import Execution
import Foundation
import Hashing
import JSONValues
import Testing

/// What jobs need of a project: the program that is a job, and a queue that tests can spoil.
struct QueuedProject {
  let project: TestProject
  let queue = FakeQueue()

  init(_ manifest: String) throws {
    project = try TestProject()
    try project.write("recipe.yaml", manifest)
  }

  func options(_ options: inout RunOptions) {
    let queue = queue
    options.executor = "fake"
    options.queueSystem = { _ in queue }
    options.variables["PATH"] = "/usr/bin:/bin"
    options.patience.quick = 0.02
    options.patience.slow = 0.2
    options.patience.files = 0.02
    options.patience.lateFiles = 0.3
    options.patience.unknown = 0.1
  }

  @discardableResult
  func run(_ change: (inout RunOptions) -> Void = { _ in }) throws -> Happening {
    try project.run { chosen in
      options(&chosen)
      change(&chosen)
    }
  }

  /// Runs on a thread of its own; `wait` gives what happened.
  func start(_ change: @escaping @Sendable (inout RunOptions) -> Void = { _ in }) -> Running {
    let running = Running()
    let box = UncheckedBox(self)
    startThread { running.finish(Result { try box.value.run(change) }) }
    return running
  }

  var runs: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: project.store + "/runs")) ?? []).sorted() }

  /// How often all runs together have handed an attempt to an executor.
  var handed: Int {
    runs.compactMap { project.read("artifacts/runs/\($0)/journal.jsonl") }.joined().ranges(of: "\"submitted\"").count
  }

  /// Looks again and again, for some minutes at most: the machine may have much else to do.
  func until(_ what: Comment, _ isSo: () -> Bool) throws {
    let deadline = monotonicSeconds() + 300
    while !isSo() {
      try #require(monotonicSeconds() < deadline, what)
      usleep(1000)
    }
  }
}

struct UncheckedBox<Value>: @unchecked Sendable {
  let value: Value
  init(_ value: Value) { self.value = value }
}

/// A run that goes on beside the test.
final class Running: @unchecked Sendable {
  private let done = DispatchSemaphore(value: 0)
  private var result: Result<Happening, any Error>?

  func finish(_ result: Result<Happening, any Error>) {
    self.result = result
    done.signal()
  }

  func wait() throws -> Happening {
    done.wait()
    return try #require(result).get()
  }
}

extension QueuedProject {
  /// Makes every claim one of a runner that is dead.
  func forgetRunner() throws {
    for path in project.files(in: "artifacts/work") where path.hasSuffix("/job.json") {
      let full = "\(project.store)/work/\(path)"
      let json = try JSONValue(parsing: Array(try #require(FileManager.default.contents(atPath: full))))
      guard case .object(var claim) = json else { continue }
      let dead = ProcessIdentity(host: ProcessIdentity.hostName, boot: ProcessIdentity.bootID, pid: 2, start: 1)
      claim.set("runner", dead.json)
      try Data(JSONValue.object(claim).encodedBytes()).write(to: URL(fileURLWithPath: full))
    }
  }
}
