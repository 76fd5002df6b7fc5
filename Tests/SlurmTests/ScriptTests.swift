import Execution
import Foundation
import Glibc
import Slurm
import Testing

/// The script as bash runs it, with a scontrol that says what a test wrote down and a program that tells how it goes through a pipe.
struct ScriptTests {
  private struct Outcome: Sendable {
    var status: ProcessEnd
    var output: String
    var calls: [String]
  }

  /// Runs the script around `program`, a piece of shell, and sends signals to the script alone once the program says that it is ready.
  private func run(
    _ program: String, signals: [Int32] = [], state: [String] = ["echo ' JobState=RUNNING '"], environment: [String: String] = [:],
    task: Int? = 3, setup: [String] = [], scratch: String? = nil
  ) async throws -> Outcome {
    let fake = try FakeSlurm()
    try fake.answer("scontrol show job", state)
    try fake.answer("scontrol", ["exit 0"])
    try fake.write(SlurmScript.values(environment), to: "values")
    #expect(mkfifo(fake.path + "/ready", 0o600) == 0)
    let text = SlurmScript.text(
      SlurmScript.Order(
        name: "n", words: ["/bin/bash", "-c", program], firstIndex: 200, valuesPath: fake.path + "/values", setup: setup, scratch: scratch,
        scontrol: fake.path + "/bin/scontrol"))
    try fake.write(text, to: "script")
    var variables = fake.variables.merging(["READY": fake.path + "/ready", "SLURM_JOB_ID": "12"]) { $1 }
    if let task { variables.merge(["SLURM_ARRAY_JOB_ID": "9", "SLURM_ARRAY_TASK_ID": "\(task)"]) { $1 } }
    let order = ProcessOrder(
      words: ["/bin/bash", fake.path + "/script"], directory: fake.path, environment: variables, descriptors: [])
    return try await onThread {
      let output = open(fake.path + "/output", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
      var order = order
      order.descriptors = [(output, 0), (output, 1), (output, 2)]
      let child = ChildProcess()
      let pid = try child.start(order)
      if !signals.isEmpty {
        // Opening it waits for the program to do so.
        close(open(fake.path + "/ready", O_RDONLY))
        for signal in signals { kill(pid, signal) }
      }
      let end = child.wait()
      close(output)
      return Outcome(status: end, output: fake.text("output"), calls: fake.calls)
    }
  }

  /// Leaves a checkpoint when it is told to stop.
  private let checkpoints = "trap 'exit 75' TERM USR1; : >$READY; while :; do read -t 0.02 <>$READY; done"

  @Test("the program gets its index, its variables as they are, and its status is the job's")
  func plain() async throws {
    let outcome = try await run(
      "printf '%s|%s|' $HEIRLOOM_JOB_INDEX \"$TEXT\"; exit 3", environment: ["TEXT": "it's $HOME\n`x`\"\\"])
    #expect(outcome.output == "203|it's $HOME\n`x`\"\\|")
    #expect(outcome.status == .exited(3))
    #expect(outcome.calls == [])
  }

  @Test("the lines of the site run first, in the same shell, and scratch is made")
  func site() async throws {
    let directory = NSTemporaryDirectory() + "scratch-" + UUID().uuidString
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let outcome = try await run(
      "echo $LOADED $TMPDIR; ls -d $TMPDIR", environment: ["BASE": directory], setup: ["export LOADED=cuda"], scratch: "$BASE/x")
    #expect(outcome.output == "cuda \(directory)/x\n\(directory)/x\n")
  }

  @Test(
    "when the time is nearly up or the node is wanted, the checkpoint is left and the element itself is requeued",
    arguments: [SIGUSR1, SIGTERM])
  func requeued(_ signal: Int32) async throws {
    let outcome = try await run(checkpoints, signals: [signal])
    #expect(outcome.calls == ["scontrol --oneliner show job 9_3", "scontrol requeue 9_3"])
    #expect(outcome.status == .exited(75))
  }

  @Test("a job that is no array is requeued by its number")
  func requeuedAlone() async throws {
    let outcome = try await run(checkpoints, signals: [SIGUSR1], task: nil)
    #expect(outcome.calls.last == "scontrol requeue 12")
  }

  @Test("what a person took back is not requeued: Slurm says that it is being ended already")
  func takenBack() async throws {
    let outcome = try await run(checkpoints, signals: [SIGTERM], state: ["echo ' JobState=COMPLETING '"])
    #expect(outcome.calls == ["scontrol --oneliner show job 9_3"])
    #expect(outcome.status == .exited(75))
  }

  @Test("asked for a checkpoint by us, it leaves one and is over, whatever else comes")
  func checkpointed() async throws {
    let outcome = try await run(checkpoints, signals: [SIGUSR2])
    #expect(outcome.calls == [])
    #expect(outcome.status == .exited(75))
    let both = try await run(checkpoints, signals: [SIGUSR2, SIGUSR1])
    #expect(both.calls == [])
  }

  @Test("a program that ends otherwise when it is told to stop is not requeued")
  func failed() async throws {
    let outcome = try await run("trap 'exit 4' TERM; : >$READY; while :; do read -t 0.02 <>$READY; done", signals: [SIGTERM])
    #expect(outcome.calls == [])
    #expect(outcome.status == .exited(4))
  }

  @Test("a program that nobody told to stop is not requeued")
  func unasked() async throws {
    let outcome = try await run("exit 75")
    #expect(outcome.calls == [])
    #expect(outcome.status == .exited(75))
  }

  @Test("a controller that does not answer is asked again")
  func patient() async throws {
    let outcome = try await run(checkpoints, signals: [SIGUSR1], state: ["exit 1", "echo ' JobState=RUNNING '"])
    #expect(outcome.calls.filter { $0.contains("show job") }.count == 2)
    #expect(outcome.calls.last == "scontrol requeue 9_3")
  }
}
