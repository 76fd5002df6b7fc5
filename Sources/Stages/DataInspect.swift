import Datasets
import Evaluation
import Foundation
import JSONValues
import StageInterface

/// `data/inspect`: what is to be known of data before a model is trained on it.
package struct DataInspect: NativeStage {
  package static let name = "data/inspect"

  package struct Parameters: Decodable, Sendable {
    let prompting: PromptParameters
    let own: Own

    package init(from decoder: any Decoder) throws {
      prompting = try PromptParameters(from: decoder)
      own = try Own(from: decoder)
    }
  }

  struct Own: Decodable, Sendable {
    let title: String
    let threshold: Double
    let shingle: String
    let shingleSize: Int
    let numPerm: Int
    let examples: Int
    let sureAbove: Double
    let unlikelyBelow: Double
    let scorer: JSONObject?
    let limit: Int?
    let stop: [String]
    let maxNumSeqs: Int
  }

  package static func run(_ parameters: Parameters, _ context: StageContext) throws {
    let own = parameters.own
    let near = NearIndex.Settings(
      threshold: own.threshold, form: .init(Shingles.Unit(rawValue: own.shingle) ?? .word, size: own.shingleSize), permutations: own.numPerm
    )
    let directory = context.optionalInput("model")
    let codec = try (context.optionalInput("tokenizer") ?? directory).map { try TokenizerDirectory(path: $0).codec() }
    let survey = try DatasetSurvey(
      try sources(context, "data"), heldout: try sources(context, "heldout"), near: near,
      tokens: codec.map { codec in { codec.encode($0).count } })
    for leakage in survey.leakage { leakage.overlap.warning(suite: leakage.source.name).map { context.log("warning: \($0)") } }
    if survey.duplicates.count(.conflicting) > 0 {
      context.log("warning: \(survey.duplicates.count(.conflicting)) records ask what an earlier one asks, and want another answer")
    }

    let contradictions = try directory.map { directory in
      try ContradictionSearch(
        directory: directory, prompting: parameters.prompting, rule: try VerifyRule(scorer: own.scorer),
        bounds: .init(sure: own.sureAbove, unlikely: own.unlikelyBelow), stop: own.stop, sequencesAtOnce: own.maxNumSeqs
      ).survey(Array(survey.records.prefix(own.limit ?? survey.records.count)), survey.places, context)
    }
    var json = survey.json(examples: own.examples).objectValue ?? JSONObject()
    if let contradictions { json.append("contradictions", contradictions.json(places: survey.places, examples: own.examples)) }
    try Data((JSONValue.object(json).encoded(pretty: true) + "\n").utf8).write(to: URL(fileURLWithPath: try context.output("table")))
    let text = InspectionText(survey, contradictions, title: own.title, examples: own.examples).text
    try Data(text.utf8).write(to: URL(fileURLWithPath: try context.output("report")))
  }

  /// Each element by its axis values, else by its input and place.
  private static func sources(_ context: StageContext, _ input: String) throws -> [DatasetSurvey.Source] {
    try context.inputs(input).enumerated().map { index, element in
      let labels = element.labels?.labelNames ?? ""
      return .init(labels.isEmpty ? "\(input)[\(index)]" : labels, try RecordFile(RecordsPath.of(element)).records())
    }
  }
}
