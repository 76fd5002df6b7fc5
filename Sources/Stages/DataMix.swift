import Datasets
import Foundation
import JSONValues
import StageInterface

/// `data/mix`: several datasets as one, by shares; a task's data beside replayed earlier and general records.
package struct DataMix: NativeStage {
  package static let name = "data/mix"

  package struct Parameters: Decodable, Sendable {
    let strategy: String
    let replayRatio: Double
    let ratios: [Double]?
    let ratioOf: String
    let replayBy: String
    let total: Int?
    let replacement: Bool
    let whenShort: String
    let sourceColumn: String?
    let seed: UInt64
  }

  package static func run(_ parameters: Parameters, _ context: StageContext) throws {
    let strategy = try strategy(parameters)
    var sources: [Mixture.Source] = []
    var records: [[Record]] = []
    for (part, input) in [(Mixture.Source.Part.data, "data"), (.replay, "replay")] {
      for (index, element) in context.inputs(input).enumerated() {
        let own = try RecordFile(RecordsPath.of(element)).records()
        let labels = element.labels?.labelNames ?? ""
        sources.append(.init(labels.isEmpty ? "\(input)[\(index)]" : labels, part, records: own.count))
        records.append(own)
      }
    }
    sources = distinct(sources)
    let mixture = try Mixture(
      sources, strategy, replacement: parameters.replacement, shortfall: .init(rawValue: parameters.whenShort) ?? .error,
      seed: parameters.seed)
    if let column = parameters.sourceColumn {
      guard !RowForm.members.contains(where: { $0.utf8.elementsEqual(column.utf8) }) else {
        throw StageFailure("parameter source_column: '\(column)' is a member that records are read by")
      }
      for (index, source) in sources.enumerated() { records[index] = records[index].map { $0.marked(column, source.name) } }
    }
    try RecordFile.write(mixture.picks.lazy.map { records[$0.source][$0.record] }, to: try context.output("mixed"))
    try Data((mixture.json.encoded(pretty: true) + "\n").utf8).write(to: URL(fileURLWithPath: try context.output("counts")))
    for (index, source) in sources.enumerated() {
      let short = mixture.taken[index] < mixture.wanted[index] ? "; \(mixture.wanted[index]) were wanted" : ""
      context.log("\(source.part.rawValue) '\(source.name)': \(mixture.taken[index]) of \(source.records) records\(short)")
    }
  }

  private static func strategy(_ parameters: Parameters) throws -> Mixture.Strategy {
    let whole = Mixture.Whole(rawValue: parameters.ratioOf) ?? .result
    let isInterleaved = parameters.strategy == "interleave"
    for (name, isGiven) in [("ratios", parameters.ratios != nil), ("total", parameters.total != nil)] where isGiven && !isInterleaved {
      throw StageFailure("parameter \(name): is of strategy interleave; \(parameters.strategy) does not read it")
    }
    switch parameters.strategy {
    case "concatenate":
      if parameters.replacement { throw StageFailure("parameter replacement: strategy concatenate takes every record once") }
      return .concatenate
    case "interleave":
      if parameters.total != nil, whole == .first {
        throw StageFailure("parameter total: with ratio_of first the ratios say how many records there are")
      }
      return .interleave(parameters.ratios, of: whole, total: parameters.total)
    default: return .replay(parameters.replayRatio, of: whole, .init(rawValue: parameters.replayBy) ?? .source)
    }
  }

  /// Sources that are called alike get a number.
  private static func distinct(_ sources: [Mixture.Source]) -> [Mixture.Source] {
    sources.enumerated().map { index, source in
      let alike = sources.indices.filter { sources[$0].name.utf8.elementsEqual(source.name.utf8) }
      guard alike.count > 1, let place = alike.firstIndex(of: index) else { return source }
      return .init("\(source.name) (\(place + 1))", source.part, records: source.records)
    }
  }
}

extension Record {
  /// With its source's name in a column; a record that an earlier mix has marked keeps its mark.
  fileprivate func marked(_ column: String, _ source: String) -> Record {
    guard extras[column] == nil else { return self }
    var record = self
    record.extras.append(column, .string(source))
    return record
  }
}
