import Kernels
import Modeling

/// A term of the loss that holds the model's distributions at the targets to those of another model: the mean over the step's targets of
/// factor · KL(p_ref ‖ p_θ), both the softmax of logits / temperature. Record weights do not count in it.
package struct DistributionTerm {
  /// What the log calls it.
  package let name: String
  let identity: String
  let measure: DistributionMatch.Measure
  let reference: Transformer

  /// SFT+KL: β KL(π_ref ‖ π_θ).
  package static func kl(beta: Double, to reference: Transformer) -> DistributionTerm {
    DistributionTerm("kl", "kl \(beta)", temperature: 1, factor: beta, reference)
  }

  /// Distillation as LwF has it: λT² KL(p_old^T ‖ p_θ^T), on the new task's inputs.
  package static func distillation(lambda: Double, temperature: Double, from old: Transformer) -> DistributionTerm {
    DistributionTerm(
      "distill", "distill \(lambda) at \(temperature)", temperature: temperature, factor: lambda * temperature * temperature, old)
  }

  private init(_ name: String, _ identity: String, temperature: Double, factor: Double, _ reference: Transformer) {
    self.name = name
    self.identity = identity
    measure = DistributionMatch.Measure(temperature: Float(temperature), factor: Float(factor))
    self.reference = reference
  }
}

/// The distribution terms of a run: one forward pass a micro-batch for each model, however many terms look at it.
struct DistributionTerms {
  let references: [DistributionReference]
  /// Where each term's divergences are found.
  private let places: [(term: DistributionTerm, reference: Int, measure: Int)]

  /// `tokens`, `targets`: the most of a micro-batch.
  init(_ terms: [DistributionTerm], tokens: Int, targets: Int) {
    var models: [Transformer] = []
    var measures: [[DistributionMatch.Measure]] = []
    var places: [(DistributionTerm, Int, Int)] = []
    for term in terms {
      let model = models.firstIndex { $0 === term.reference } ?? models.count
      if model == models.count {
        models.append(term.reference)
        measures.append([])
      }
      places.append((term, model, measures[model].count))
      measures[model].append(term.measure)
    }
    references = zip(models, measures).map { DistributionReference($0, $1, tokens: tokens, targets: targets) }
    self.places = places
  }

  var identity: String { places.map(\.term.identity).joined(separator: "; ") }
  var columns: [String] { places.map { NamedValue.column(ofTerm: $0.term.name) } }

  /// Each term's sum over the `count` targets of the last pass, factor included.
  func sums(_ count: Int) -> [Double] {
    places.map { place in
      let values = references[place.reference].divergences(place.measure)
      return Double(place.term.measure.factor) * (0..<count).reduce(0.0) { $0 + Double(values[$1]) }
    }
  }
}
