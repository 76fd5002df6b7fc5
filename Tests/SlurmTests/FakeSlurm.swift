import Artifacts
import Execution
import Foundation
import Slurm

/// A directory of programs called as Slurm's, that give the answers a test wrote down and note how they were called.
final class FakeSlurm: Sendable {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "slurm-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path + "/bin", withIntermediateDirectories: true)
    try answer("scontrol show config", ["echo 'ClusterName             = fake'; echo 'MaxArraySize            = 100'"])
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// What a program does when it is called for the first time, the second, and so on; the last answer stays. `scontrol show job` is
  /// another program than `scontrol show config`.
  func answer(_ program: String, _ answers: [String]) throws {
    let name = program.split(separator: " ").joined(separator: "-")
    for (number, answer) in answers.enumerated() { try write(answer + "\n", to: "answers.\(name).\(number + 1)") }
    try write("\(answers.count)\n", to: "answers.\(name).count")
    let script = """
      #!/bin/sh
      name=$(basename "$0")
      case "$name $*" in "scontrol show config") name=scontrol-show-config ;; "scontrol --oneliner show job"*) name=scontrol-show-job ;; esac
      printf '%s\\n' "$(basename "$0") $*" >>\(path)/calls
      env >\(path)/environment.$name
      printf x >>\(path)/turn.$name
      turn=$(wc -c <\(path)/turn.$name)
      most=$(cat \(path)/answers.$name.count 2>/dev/null) || { echo "nothing to say" >&2; exit 1; }
      [ "$turn" -le "$most" ] || turn=$most
      . \(path)/answers.$name.$turn
      """
    let executable = path + "/bin/" + String(program.split(separator: " ")[0])
    if !FileManager.default.fileExists(atPath: executable) {
      try write(script + "\n", to: "bin/" + String(program.split(separator: " ")[0]))
      chmod(executable, 0o755)
    }
  }

  func write(_ text: String, to name: String) throws { try Data(text.utf8).write(to: URL(fileURLWithPath: path + "/" + name)) }

  func text(_ name: String) -> String { (try? String(contentsOfFile: path + "/" + name, encoding: .utf8)) ?? "" }

  /// How the programs were called, `scontrol show config` left out.
  var calls: [String] {
    text("calls").split(separator: "\n").map(String.init).filter { $0 != "scontrol show config" }
  }

  func calls(_ program: String) -> [String] { calls.filter { $0.hasPrefix(program + " ") } }

  var variables: [String: String] { ["PATH": path + "/bin:/usr/bin:/bin", "HOME": "/nowhere"] }

  /// A queue that never really waits.
  func queue(_ site: Site = Site(), variables more: [String: String] = [:], seconds: Double = 30) throws(QueueProblem) -> SlurmQueue {
    var pace = SlurmQueue.Pace()
    pace.pause = { _ in }
    let all = variables.merging(more) { $1 }
    return try SlurmQueue(site: site, variables: all, program: SlurmProgram(variables: all, secondsMost: seconds), pace: pace)
  }

  func batch(_ indices: [Int] = [0]) -> QueueBatch {
    QueueBatch(
      name: "run-7.train", words: ["/opt/heirloom", "exec"], indices: indices, directory: "/tmp", environment: ["A": "b"],
      logPath: { [path] in "\(path)/log.\($0)" }, scriptDirectory: path, need: QueueNeed())
  }
}

/// Runs what blocks on a thread of its own.
func onThread<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
  try await withCheckedThrowingContinuation { continuation in startThread { continuation.resume(with: Result(catching: body)) } }
}

func ids(_ texts: String...) -> [QueueJobID] { texts.map(QueueJobID.init) }
