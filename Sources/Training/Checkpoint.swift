import JSONValues
import Kernels
import Modeling

/// Everything a stopped run needs to end with the bytes of an uninterrupted one: the parameters that train, their moments, and counters.
struct Checkpoint {
  static let format = "heirloom training checkpoint 3"

  /// Optimizer steps done; the position in the data follows from it.
  var step: Int
  /// Tokens seen.
  var tokens: Int
  /// Kernels of every part of the run so far.
  var kernels: [String]

  func write(
    to path: String, binding: TrainingBinding, _ trained: TrainableParameters, _ optimizer: Optimizer, _ watch: RetentionWatch?
  ) throws(TrainingError) {
    var fields = JSONObject([
      ("step", .integer(step)), ("tokens", .integer(tokens)), ("kernels", .array(kernels.map { .string($0) })),
    ])
    for (name, value) in watch?.fields ?? [] { fields.append(name, value) }
    let buffers = [trained.stored(), optimizer.first, optimizer.second] + (watch?.buffers ?? [])
    try StateFile(path, format: Self.format, binding: binding).write(fields, buffers)
  }

  /// Fills the parameters and moments from the file; refuses one of another run.
  static func read(
    _ path: String, binding: TrainingBinding, _ trained: TrainableParameters, _ optimizer: Optimizer, _ watch: RetentionWatch?,
    _ pool: ThreadPool
  ) throws(TrainingError) -> Checkpoint {
    let stored = trained.stored()
    let buffers = [stored, optimizer.first, optimizer.second] + (watch?.buffers ?? [])
    let header = try StateFile(path, format: format, binding: binding).read(buffers)
    trained.restore(stored, pool)
    guard watch?.resume(header) ?? true, let step = header["step"]?.integerValue, let tokens = header["tokens"]?.integerValue, step >= 0,
      let kernels = header["kernels"]?.arrayValue
    else { throw .damagedCheckpoint(path: path, reason: "its header lacks its counters") }
    return Checkpoint(step: step, tokens: tokens, kernels: kernels.compactMap(\.stringValue))
  }
}
