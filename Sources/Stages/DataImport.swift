import Datasets
import JSONValues
import StageInterface

/// `data/import`: somebody's JSONL records in the one form that everything downstream reads, split into train and held-out.
package struct DataImport: NativeStage {
  package static let name = "data/import"

  package struct Parameters: Decodable, Sendable {
    let fields: JSONObject
    let heldout: Int
    let train: Int?
    let deduplicate: Bool
    let suite: String
    let kind: String
    let scorer: JSONObject?
    let maxNewTokens: Int
    let seed: UInt64
  }

  package static func run(_ parameters: Parameters, _ context: StageContext) throws {
    var records: [Record] = []
    let mapping = try about("fields") { () throws(DatasetError) in try FieldMapping(parameters.fields) }
    for source in context.inputs("source") {
      // Not into an array of its own first: there can be millions.
      try RecordFile(source.path, mapping: mapping).read { record, _ in records.append(record) }
    }
    let split = try RecordImport(
      records, heldout: parameters.heldout, train: parameters.train, seed: parameters.seed, deduplicate: parameters.deduplicate)
    context.log("\(records.count) records, \(split.duplicates) duplicates left out, \(split.shadowed) with a held-out question left out")
    try RecordFile.write(split.train, to: try context.output("train"))
    let suite = Suite(name: parameters.suite, scoring: try scoring(parameters, split.heldout), records: split.heldout)
    try about("kind") { () throws(DatasetError) in for record in split.heldout { try suite.check(record) } }
    try suite.write(to: try context.output("heldout"))
  }

  /// A generation suite judges by each record's own rule, by exact match where records have none, or by the scorer asked for.
  private static func scoring(_ parameters: Parameters, _ records: [Record]) throws -> Suite.Scoring {
    switch parameters.kind {
    case "multiple_choice": return .multipleChoice
    case "perplexity": return .perplexity
    default:
      let rule = try parameters.scorer.map { scorer in
        try about("scorer") { () throws(DatasetError) in try VerifyRule(json: .object(scorer)) }
      }
      let own = records.allSatisfy { $0.verify != nil }
      return .generation(rule ?? (own ? nil : .exact(TextNormalization())), maxNewTokens: parameters.maxNewTokens, stop: ["\n"])
    }
  }

  /// An error of what a parameter says names the parameter.
  private static func about<Value>(_ parameter: String, _ body: () throws(DatasetError) -> Value) throws -> Value {
    do { return try body() } catch { throw StageFailure("parameter \(parameter): \(error)") }
  }
}
