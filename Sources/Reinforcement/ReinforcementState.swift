import JSONValues
import Kernels
import Modeling
import Training

/// Where a run stands between two passes. With the weights and moments it is all that a stopped run needs to end with the bytes of an
/// uninterrupted one.
struct ReinforcementState {
  /// Steps done.
  var step = 0
  /// Optimizer updates made, in all steps.
  var updates = 0
  /// Updates made of the step that is under way.
  var pass = 0
  /// Tokens seen, of prompts and completions.
  var tokens = 0
  var beta: Double
  /// Of the step that is under way.
  var sums = StepSums()
  /// Rollouts of the step that is under way, once its updates have begun.
  var rollouts: [Rollout]?
  /// Kernels of every part of the run so far.
  var kernels = [CPU.kernelName]

  init(beta: Double) { self.beta = beta }

  var fields: JSONObject {
    JSONObject([
      ("step", .integer(step)), ("updates", .integer(updates)), ("pass", .integer(pass)), ("tokens", .integer(tokens)),
      ("beta", .number(beta)), ("sums", sums.json), ("rollouts", .integer(rollouts?.count ?? 0)),
      ("kernels", .array(kernels.map { .string($0) })),
    ])
  }

  /// nil where a field is missing. The rollouts are in a file of their own.
  init?(fields: JSONValue) {
    guard let step = fields["step"]?.integerValue, let updates = fields["updates"]?.integerValue, let pass = fields["pass"]?.integerValue,
      let tokens = fields["tokens"]?.integerValue, let beta = fields["beta"]?.numberValue, let sums = StepSums(json: fields["sums"]),
      let kernels = fields["kernels"]?.arrayValue, step >= 0, updates >= 0, pass >= 0
    else { return nil }
    self.step = step
    self.updates = updates
    self.pass = pass
    self.tokens = tokens
    self.beta = beta
    self.sums = sums
    self.kernels = kernels.compactMap(\.stringValue)
  }
}

extension ReinforcementRun {
  private static let format = "heirloom reinforcement checkpoint 2"

  private func file(_ directory: String) -> StateFile { StateFile(directory + "/checkpoint", format: Self.format, binding: binding) }

  /// `stored`: the parameters that train.
  private func buffers(_ stored: FloatBuffer, _ watch: RetentionWatch?) -> [FloatBuffer] {
    let moving = settings.reference == .movingAverage ? reference : nil
    let own = [stored, optimizer.first, optimizer.second]
    return own + (moving.map { [$0.arena.buffer] } ?? []) + (watch?.buffers ?? [])
  }

  /// The rollouts of a step under way go first, under a name of their own: the checkpoint that needs them comes after.
  func save(_ control: ReinforcementControl) throws {
    guard let directory = control.checkpointDirectory else { return }
    if let rollouts = state.rollouts { try RolloutFile.replace(Self.rolloutsPath(directory, state.step), with: rollouts) }
    var fields = state.fields
    for (name, value) in control.watch?.fields ?? [] { fields.append(name, value) }
    try file(directory).write(fields, buffers(trained.stored(), control.watch))
    checkpointStep = state.step
  }

  func resume(_ control: ReinforcementControl) throws {
    guard let directory = control.checkpointDirectory else { return }
    let file = file(directory)
    guard StateFile.exists(file.path) else { return }
    let stored = trained.stored()
    let header = try file.read(buffers(stored, control.watch))
    trained.restore(stored, pool)
    guard control.watch?.resume(header) ?? true, var state = ReinforcementState(fields: header),
      let count = header["rollouts"]?.integerValue
    else {
      throw TrainingError.damagedCheckpoint(path: file.path, reason: "its header lacks its counters")
    }
    if count > 0 {
      let rollouts = try RolloutFile(Self.rolloutsPath(directory, state.step)).rollouts()
      guard rollouts.count == count else {
        throw TrainingError.damagedCheckpoint(path: file.path, reason: "\(rollouts.count) of its \(count) rollouts are there")
      }
      state.rollouts = rollouts
    }
    if state.kernels.last.map({ !$0.utf8.elementsEqual(CPU.kernelName.utf8) }) ?? true { state.kernels.append(CPU.kernelName) }
    self.state = state
    checkpointStep = state.step
    if settings.reference == .movingAverage { reference?.repack() }
  }

  private static func rolloutsPath(_ directory: String, _ step: Int) -> String { directory + "/rollouts-\(step + 1).jsonl" }
}
