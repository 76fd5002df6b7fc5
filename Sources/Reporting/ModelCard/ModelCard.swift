import Artifacts
import JSONValues

/// The card of a model that a run made, in Hugging Face's form: metadata that the hub reads, and a page for people.
///
/// It goes beside a copy of the model and never into the artifact, for it holds names and numbers of one run.
package struct ModelCard: Sendable {
  /// What a reader finds first.
  let title: String
  let metadata: CardMetadata
  let document: ReportDocument

  /// - Parameters:
  ///   - instance: its place in the report.
  ///   - output: one of its outputs, of type `model` or `adapter`.
  ///   - configuration: the model's `config.json` or `adapter_config.json`, where it can be had.
  package init(_ report: RunReport, instance: Int, output: StoredOutput, configuration: JSONValue? = nil) {
    let subject = CardSubject(report, instance: instance, output: output)
    title = "\(report.overview.recipe), \(report.instances[instance].name)"
    metadata = CardMetadata(subject, title: title, configuration: configuration)
    document = ReportDocument(cardOf: subject, title: title)
  }

  /// Whether an output of that type has a card.
  package static func isCarded(_ type: String) -> Bool { type == "model" || type == "adapter" }

  /// `README.md`.
  package var text: String { metadata.text + "\n" + MarkdownWriter.text(document) }
}

/// What a card is about: a model and what the run's report has of it.
struct CardSubject {
  let report: RunReport
  let instance: Int
  let output: StoredOutput
  /// The model's way back to its sources.
  let steps: [InstanceRow]
  /// Of this model, of adapters on it as well where it is one.
  let evaluations: [EvaluationRow]
  /// Methods whose matrix holds a score of this model.
  let methods: [(matrix: MatrixReport, method: MatrixReport.Method)]

  init(_ report: RunReport, instance: Int, output: StoredOutput) {
    self.report = report
    self.instance = instance
    self.output = output
    let lineage = report.lineages.first { $0.instance == instance && $0.output.name == output.name }
    steps = (lineage?.steps ?? [instance]).map { report.instances[$0] }
    let digest = output.digest.text
    let evaluations = report.evaluations.filter { row in
      output.type == "adapter" ? row.adapters.last == digest : row.model == digest && row.adapters.isEmpty
    }
    self.evaluations = evaluations
    methods = report.matrices.flatMap { matrix in
      Self.methods(of: matrix, report, evaluations).map { (matrix, $0) }
    }
  }

  /// A report on forgetting got scores with axis values; a method is known by those of its own.
  private static func methods(
    of matrix: MatrixReport, _ report: RunReport, _ evaluations: [EvaluationRow]
  ) -> [MatrixReport.Method] {
    guard let row = report.instances.first(where: { $0.name == matrix.instance }) else { return [] }
    let own = Set(evaluations.map(\.instance))
    let elements = row.inputs.filter { $0.name == "steps" || $0.name == "general" }.flatMap(\.elements)
    let labels = elements.filter { element in element.from.map { own.contains($0) } ?? false }.map(\.labels)
    return matrix.methods.filter { method in
      labels.contains { labels in method.labels.members.allSatisfy { labels[$0.key] == $0.value } }
    }
  }
}
