import Kernels

/// A term of the loss that depends on the parameters alone. A loop evaluates it once an optimizer step, after the backward passes and
/// before the gradient is clipped: the norm that is logged and clipped is that of the sum.
package protocol ParameterTerm: Sendable {
  /// What the log calls it.
  var name: String { get }

  /// All that its value depends on beside the weights and what it was built from: a checkpoint is bound to it.
  var identity: String { get }

  /// The term's value, factor included; its gradient is added to the parts'.
  func apply(_ pool: ThreadPool, _ parts: [TrainedPart]) -> Double
}

/// A number of the log.
package struct NamedValue: Sendable, Equatable {
  package let name: String
  package let value: Double

  package init(_ name: String, _ value: Double) { (self.name, self.value) = (name, value) }

  /// The log's column of a term: what it adds to the loss.
  package static func column(ofTerm name: String) -> String { "loss/\(name)" }
}

extension [any ParameterTerm] {
  /// Evaluates every term, in order.
  package func apply(_ pool: ThreadPool, _ parts: [TrainedPart]) -> [NamedValue] {
    map { NamedValue(NamedValue.column(ofTerm: $0.name), $0.apply(pool, parts)) }
  }

  package var identity: String { map(\.identity).joined(separator: "; ") }
}
