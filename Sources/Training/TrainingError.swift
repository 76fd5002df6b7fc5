/// Why a training run cannot go on.
package enum TrainingError: Error, Equatable, Sendable, CustomStringConvertible {
  case noTargets
  case recordTooLong(record: Int, tokens: Int, limit: Int)
  case tokenOutsideVocabulary(record: Int, token: Int32, vocabulary: Int)
  /// Steps count from 1.
  case notFinite(quantity: String, step: Int)
  case foreignCheckpoint(path: String, part: String)
  case damagedCheckpoint(path: String, reason: String)
  case checkpointNotWritten(path: String, reason: String)

  package var description: String {
    switch self {
    case .noTargets: "no record has a token to train"
    case .recordTooLong(let record, let tokens, let limit):
      "record \(record) has \(tokens) tokens; the model's limit is \(limit) positions"
    case .tokenOutsideVocabulary(let record, let token, let vocabulary):
      "record \(record) has token \(token); the vocabulary has \(vocabulary)"
    case .notFinite(let quantity, let step): "\(quantity) is not finite at step \(step)"
    case .foreignCheckpoint(let path, let part): "\(path): the checkpoint belongs to another run: its \(part) differs"
    case .damagedCheckpoint(let path, let reason): "\(path): the checkpoint cannot be used: \(reason)"
    case .checkpointNotWritten(let path, let reason): "\(path): the checkpoint cannot be written: \(reason)"
    }
  }
}
