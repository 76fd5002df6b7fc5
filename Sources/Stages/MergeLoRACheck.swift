import JSONValues
import Kernels
import Merging
import Modeling

/// Whether `merge/lora` compares the logits of what it wrote with those of its inputs, and what its report says of that.
enum MergeLoRACheck {
  case compared
  /// With the reason.
  case skipped(String)

  /// `wish`: the parameter `check_logits`.
  init(_ wish: String, _ configuration: ModelConfiguration, _ terms: [LoRAMerge.Term]) {
    let parameters = ParameterLayout(configuration).count
    if wish.utf8.elementsEqual("never".utf8) {
      self = .skipped("check_logits is never")
    } else if let obstacle = LogitCheck.obstacle(terms) {
      self = .skipped(obstacle)
    } else if wish.utf8.elementsEqual("auto".utf8), parameters > Self.largest {
      self = .skipped("check_logits is auto, and the model has \(parameters) parameters, more than \(Self.largest)")
    } else {
      self = .compared
    }
  }

  func json(base: String, _ terms: [LoRAMerge.Term], merged: String, _ pool: ThreadPool) throws -> JSONValue {
    switch self {
    case .compared: try LogitCheck(base: base, terms, merged: merged, pool: pool).json
    case .skipped(let reason): ["skipped": .string(reason)]
    }
  }

  /// Parameters of the largest model that `auto` checks: 1 GiB in float32.
  private static let largest = 1 << 28
}
