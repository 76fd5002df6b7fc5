import Foundation
import Testing

/// A Slurm of a test's own, for it is disturbed; it goes when the test is over. Asked by its own programs.
final class Cluster {
  private let directory = FileManager.default.temporaryDirectory.path + "/heirloom-slurm-" + UUID().uuidString
  let configuration: String

  private static let script = Program.repository + "/scripts/services/slurm"

  init() throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: Self.script)
    process.arguments = ["start", directory]
    process.standardOutput = FileHandle.nullDevice
    try Self.start(process)
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "Slurm starts")
    configuration = directory + "/slurm.conf"
  }

  deinit {
    try? verb("stop")
    try? FileManager.default.removeItem(atPath: directory)
  }

  /// `restart-controller`, `kill-node`, …: what the script can do to it.
  func verb(_ verb: String) throws { try ask(Self.script, verb, directory) }

  /// What the commands of a test need beyond the usual.
  var variables: [String: String] { ["SLURM_CONF": configuration] }

  /// One of Slurm's programs; its output without the last line end.
  @discardableResult
  func ask(_ words: String...) throws -> String { try run(words).output }

  private func run(_ words: [String]) throws -> (status: Int32, output: String) {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = words
    process.environment = Program.environment.merging(variables) { $1 }
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try Self.start(process)
    let bytes = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .newlines))
  }

  /// Worker threads block signals, and a daemon that began with that could not be ended in good time.
  private static func start(_ process: Process) throws {
    var none = sigset_t()
    var mask = sigset_t()
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &mask)
    defer { pthread_sigmask(SIG_SETMASK, &mask, nil) }
    try process.run()
  }

  struct Job {
    /// `12_3` or `12`.
    let id: String
    /// `12`: what one call of sbatch gave.
    let submission: String
    let name: String
    let state: String
  }

  /// Every job of these names' beginning that Slurm still remembers, an array's each for itself.
  func jobs(named prefix: String) throws -> [Job] {
    var answer = (status: Int32(-1), output: "")
    try until("squeue answers") {
      answer = try run(["squeue", "--noheader", "--states=all", "--array", "--format=%i|%F|%j|%T"])
      return answer.status == 0
    }
    return answer.output.split(separator: "\n").compactMap { line in
      let fields = line.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
      guard fields.count == 4, fields[2].hasPrefix(prefix) else { return nil }
      return Job(id: fields[0], submission: fields[1], name: fields[2], state: fields[3])
    }
  }

  /// Looks again and again, for two minutes at most.
  func until(_ what: Comment, _ isSo: () throws -> Bool) throws {
    let deadline = ContinuousClock.now + .seconds(120)
    while try !isSo() {
      try #require(ContinuousClock.now < deadline, what)
      usleep(100_000)
    }
  }
}
