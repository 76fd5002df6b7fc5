import Datasets
import StageInterface

/// `tokenize`: records to token ids with the targets of the loss marked.
package struct Tokenize: NativeStage {
  package static let name = "tokenize"

  package struct Parameters: Decodable, Sendable {
    let format: String
    let system: String?
    let template: String
    let delimiter: String
    let target: String
    let completionOnlyLoss: Bool
    let addBos: Bool
    let addEos: Bool
    let maxLength: Int?
    let overflow: String
    let faults: String
  }

  package static func run(_ parameters: Parameters, _ context: StageContext) throws {
    let format = try PromptFormat(
      PromptFormat.Layout(rawValue: parameters.format) ?? .auto, system: parameters.system, template: parameters.template,
      delimiter: parameters.delimiter)
    let encoder = RecordEncoder(
      try TokenizerDirectory(path: try context.input("tokenizer")).codec(), format: format,
      completionOnlyLoss: parameters.completionOnlyLoss, addsBeginning: parameters.addBos, addsEnd: parameters.addEos,
      target: RecordEncoder.Target(rawValue: parameters.target) ?? .completion)
    var builder = TokenizedRecordsBuilder(
      encoder, maxLength: parameters.maxLength, overflow: .init(rawValue: parameters.overflow) ?? .error,
      fault: .init(rawValue: parameters.faults) ?? .error)
    for source in context.inputs("data") {
      try RecordFile(RecordsPath.of(source)).read { record, line throws(DatasetError) in try builder.add(record, line: line) }
    }
    let (records, statistics) = try builder.finish()
    try records.write(to: try context.output("tokens"), statistics: statistics)
    context.log("\(records.count) records, \(records.tokenCount) tokens, \(records.trainedCount) of them trained")
    for (reason, lines) in statistics.dropped { context.warn("\(lines.count) records dropped: \(reason)") }
    if statistics.truncated > 0 { context.warn("\(statistics.truncated) records cut at max_length") }
  }
}
