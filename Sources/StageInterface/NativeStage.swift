/// A stage that the program itself implements: its name, its parameters as a type, and what it does.
///
/// The contract `stages/NAME.yaml` says what it takes and gives; the runner has checked all of that before `run` is called.
package protocol NativeStage: Sendable {
  /// A property `learningRate` is the contract's parameter `learning_rate`.
  associatedtype Parameters: Decodable & Sendable
  /// The contract's `run.native`, `train/sft`.
  static var name: String { get }
  /// Does the work: reads inputs, creates every output, reports progress, and heeds `context.stopRequested`.
  static func run(_ parameters: Parameters, _ context: StageContext) throws
  /// What is worth knowing before the compute is spent; `heirloom plan` prints it. Nothing, for most stages.
  static func notes(_ plan: PlannedStage) -> [String]
}

extension NativeStage {
  package static func notes(_ plan: PlannedStage) -> [String] { [] }
}

/// What is wrong with what a stage was given, in one line, with the place where it is known.
package struct StageFailure: Error, Sendable, Equatable, CustomStringConvertible {
  package let message: String
  package let file: String?
  package let line: Int?

  package init(_ message: String, file: String? = nil, line: Int? = nil) {
    self.message = message
    self.file = file
    self.line = line
  }

  package var description: String {
    guard let file else { return message }
    return line.map { "\(file):\($0): \(message)" } ?? "\(file): \(message)"
  }
}

/// Thrown by a stage that was asked to stop, after it has written what it needs to go on later.
package struct StageInterrupted: Error {
  package init() {}
}

/// How a stage process ends, as its exit status.
package enum StageExit {
  package static let done: Int32 = 0
  package static let failed: Int32 = 1
  /// Stopped when asked to, with a checkpoint (EX_TEMPFAIL).
  package static let stopped: Int32 = 75
}
