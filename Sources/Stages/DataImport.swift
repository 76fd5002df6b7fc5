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
    let max_new_tokens: Int
    let seed: UInt64
  }

  package static func run(_ parameters: Parameters, _ context: StageContext) throws {
    var records: [Record] = []
    for source in context.inputs("source") {
      records += try RecordFile(source.path, mapping: FieldMapping(parameters.fields)).records()
    }
    let split = try RecordImport(
      records, heldout: parameters.heldout, train: parameters.train, seed: parameters.seed, deduplicate: parameters.deduplicate)
    context.log("\(records.count) records, \(split.duplicates) duplicates left out, \(split.shadowed) with a held-out question left out")
    try RecordFile.write(split.train, to: try context.output("train"))
    let suite = Suite(name: parameters.suite, scoring: try scoring(parameters, split.heldout), records: split.heldout)
    for record in split.heldout { try suite.check(record) }
    try suite.write(to: try context.output("heldout"))
  }

  /// A generation suite judges by each record's own rule, by exact match where records have none, or by the scorer asked for.
  private static func scoring(_ parameters: Parameters, _ records: [Record]) throws -> Suite.Scoring {
    switch parameters.kind {
    case "multiple_choice": return .multipleChoice
    case "perplexity": return .perplexity
    default:
      let rule = try parameters.scorer.map { try VerifyRule(json: .object($0)) }
      let own = records.allSatisfy { $0.verify != nil }
      return .generation(rule ?? (own ? nil : .exact(TextNormalization())), maxNewTokens: parameters.max_new_tokens, stop: ["\n"])
    }
  }
}
