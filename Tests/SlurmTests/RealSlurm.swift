import Execution
import Foundation
import Slurm
import Testing

/// A real Slurm for tests: the one that HEIRLOOM_TEST_SLURM_CONF names, or one of a test's own, for those that break something. Without
/// that variable tests are skipped in one line, which under CI is a failure.
final class RealSlurm: Sendable {
  static let configuration = ProcessInfo.processInfo.environment["HEIRLOOM_TEST_SLURM_CONF"]

  static var trait: ConditionTrait {
    .enabled(
      if: configuration != nil || ProcessInfo.processInfo.environment["CI"] == "true",
      "HEIRLOOM_TEST_SLURM_CONF names no Slurm (scripts/test-services --need slurm starts one)")
  }

  let path: String
  private let variables: [String: String]
  private let ownServer: String?

  private init(configuration: String, ownServer: String?) throws {
    path = "/tmp/slurm-test-\(UUID().uuidString.prefix(8))"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    variables = ProcessInfo.processInfo.environment.merging(["SLURM_CONF": configuration]) { $1 }
    self.ownServer = ownServer
  }

  static func shared() throws -> RealSlurm {
    try RealSlurm(configuration: try #require(configuration, "HEIRLOOM_TEST_SLURM_CONF names no Slurm"), ownServer: nil)
  }

  /// A server of its own, which ends with this.
  static func own(_ options: [String] = []) async throws -> RealSlurm {
    _ = try #require(configuration, "HEIRLOOM_TEST_SLURM_CONF names no Slurm")
    let server = "/tmp/slurm-own-\(UUID().uuidString.prefix(8))"
    let slurm = try RealSlurm(configuration: server + "/slurm.conf", ownServer: server)
    try await slurm.serve("start", options)
    return slurm
  }

  /// Ends its own server, where it has one.
  func close() async throws {
    if ownServer != nil { try await serve("stop") }
    for place in [path, ownServer].compactMap(\.self) { try? FileManager.default.removeItem(atPath: place) }
  }

  static func with(own options: [String]? = nil, _ work: (RealSlurm) async throws -> Void) async throws {
    let slurm = if let options { try await own(options) } else { try shared() }
    do { try await work(slurm) } catch {
      try? await slurm.close()
      throw error
    }
    try await slurm.close()
  }

  /// A verb of `scripts/services/slurm` on its own server.
  func serve(_ verb: String, _ options: [String] = []) async throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path
    let words = ["/bin/bash", root + "/scripts/services/slurm", verb, try #require(ownServer)] + options
    // With the signals that a server expects to find, which a child of Foundation's does not have.
    let order = ProcessOrder(words: words, directory: "/", environment: ProcessInfo.processInfo.environment, descriptors: [(2, 2)])
    let end = try await onThread {
      let child = ChildProcess()
      _ = try child.start(order)
      return child.wait()
    }
    guard end == .exited(0) else { throw QueueProblem(.refused, "\(words) \(end)") }
  }

  /// Asks one of Slurm's own programs.
  func ask(_ words: String...) async throws -> String {
    let program = SlurmProgram(variables: variables)
    return try await onThread {
      let answer = program.run(words)
      guard answer.isGood else { throw QueueProblem(.refused, answer.complaint) }
      return answer.output
    }
  }

  func queue(_ site: Site = Site()) async throws -> SlurmQueue {
    try await onThread { [variables] in
      var pace = SlurmQueue.Pace()
      (pace.first, pace.longest) = (0.2, 1)
      return try SlurmQueue(site: site, variables: variables, pace: pace)
    }
  }

  /// A batch of bash programs with a name of its own.
  func batch(_ program: String, _ indices: [Int] = [0], _ need: QueueNeed = QueueNeed()) -> QueueBatch {
    QueueBatch(
      name: "heirloom-test-\(UUID().uuidString.prefix(13))", words: ["/bin/bash", "-c", program], indices: indices, directory: path,
      environment: ["PATH": "/usr/bin:/bin", "HERE": path], logPath: { [path] in "\(path)/log-\($0).txt" }, scriptDirectory: path,
      need: need)
  }

  func text(_ name: String) -> String { (try? String(contentsOfFile: path + "/" + name, encoding: .utf8)) ?? "" }
}

extension SlurmQueue {
  func hand(over batch: QueueBatch) async throws -> [QueueJobID] { try await onThread { try self.submit(batch) } }

  /// Looks until every job has come to what is wanted; what was seen last, and everything that was seen on the way.
  @discardableResult
  func follow(_ jobs: [QueueJobID], until isReached: @escaping @Sendable (QueueSight) -> Bool) async throws -> [QueueJobID: QueueSight] {
    try await onThread {
      var last: [QueueJobID: QueueSight] = [:]
      for _ in 0..<1500 {
        last = self.look(jobs)
        if jobs.allSatisfy({ last[$0].map(isReached) ?? false }) { return last }
        usleep(100_000)
      }
      throw QueueProblem(.transient, "not reached: \(last)")
    }
  }

  func end(_ job: QueueJobID) async throws -> QueueEnd? {
    guard case .ended(let end)? = try await follow([job], until: \.isOver)[job]?.standing else { return nil }
    return end
  }
}

extension QueueSight {
  var isOver: Bool { if case .ended = standing { true } else { false } }
}
