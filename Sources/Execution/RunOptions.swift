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
  package var machine: Machine
  /// The caller's environment, of which a stage sees little.
  package var variables: [String: String]
  /// The program that runs native stages as `<program> exec <work directory>`.
  package var program: String
  /// Whether the process's signals are this run's to take.
  package var takesSignals = true
  /// Before the first retry, and between a request to stop and the end by force.
  package var backOffSeconds = 1.0
  package var graceSeconds = 10.0

  package init(program: String, variables: [String: String] = callerEnvironment(), machine: Machine? = nil) {
    self.program = program
    self.variables = variables
    self.machine = machine ?? .current(environment: variables)
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
