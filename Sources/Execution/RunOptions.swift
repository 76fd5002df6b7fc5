import Artifacts
import Planning

/// How a recipe is run: what the command line says, and what it says it on.
package struct RunOptions: Sendable {
  /// Instances or whole entries as `InstanceGraph.instances(named:)` reads them; empty means everything.
  package var targets: [String] = []
  /// Names of instances or entries that run although their results are there.
  package var reruns: [String] = []
  /// Instances at once; nil is as many as there are processors.
  package var jobs: Int?
  /// Threads of one instance; nil is what its resources say.
  package var threads: Int?
  package var keepGoing = false
  /// Who carries attempts out, of which their stage says nothing; nil is this machine. `local` said aloud is for all stages.
  package var executor: String?
  /// The queueing system of that name. Throws a `QueueProblem` for one that is not known, or not here.
  package var queueSystem: @Sendable (String) throws -> any QueueSystem = { name in
    throw QueueProblem(.refused, "there is no executor '\(name)'")
  }
  /// Whether the first request to stop takes jobs back; else they go on without the run.
  package var cancelsJobs = false
  package var patience = QueuePatience()
  package var machine: Machine
  /// The caller's environment, of which a stage sees little.
  package var variables: [String: String]
  /// The program that runs native stages as `<program> exec <work directory>`.
  package var program: String
  /// Asked for a result before a stage runs, and given what one came to.
  package var exchange: (any ResultExchange)?
  /// Whether the process's signals are this run's to take.
  package var takesSignals = true
  /// Before the first retry, and between a request to stop and the end by force.
  package var backOffSeconds = 1.0
  package var graceSeconds = 10.0

  package init(program: String, variables: [String: String] = callerEnvironment(), machine: Machine? = nil) {
    self.program = program
    // What a queueing system tells a job that the program itself is in is no stage's business, and no part of a key.
    self.variables = variables.filter { !QueueVariables.isOwn($0.key) }
    self.machine = machine ?? .current(environment: variables)
  }
}

extension RunOptions {
  package static let localExecutor = "local"

  /// Whose matter an instance is.
  func executor(for instance: StageInstance) -> String {
    if executor == Self.localExecutor { return Self.localExecutor }
    return instance.executor ?? executor ?? Self.localExecutor
  }
}

/// What a run came to.
package struct RunOutcome: Sendable, Equatable {
  package var run: String
  package var ran = 0
  package var cached = 0
  package var failed = 0
  package var skipped = 0
  package var interrupted = 0
  package var seconds = 0.0

  package init(run: String) { self.run = run }

  /// 0 done, 1 a stage failed, 130 interrupted.
  package var exitStatus: Int32 { interrupted > 0 ? 130 : failed > 0 || skipped > 0 ? 1 : 0 }
}
