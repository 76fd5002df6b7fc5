import Datasets
import Evaluation
import Foundation
import JSONValues
import Kernels
import Modeling
import Reinforcement
import StageInterface

/// `data/rewrite`: each record's target in the model's own words, where the answer stays right (self-distillation).
package struct DataRewrite: NativeStage {
  package static let name = "data/rewrite"

  package struct Parameters: Decodable, Sendable {
    let prompting: PromptParameters
    let sampling: SamplingParameters
    let own: Own

    package init(from decoder: any Decoder) throws {
      prompting = try PromptParameters(from: decoder)
      sampling = try SamplingParameters(from: decoder)
      own = try Own(from: decoder)
    }
  }

  struct Own: Decodable, Sendable {
    let scorer: JSONObject?
    let whenWrong: String
    let unjudged: String
  }

  package static func run(_ parameters: Parameters, _ context: StageContext) throws {
    let directory = try context.input("model")
    let codec = try TokenizerDirectory(path: directory).codec()
    let rule = try VerifyRule(scorer: parameters.own.scorer)
    let pool = ThreadPool(threads: context.threads)
    let model = try ModelDirectory.load(directory, pool: pool)

    let records = try context.inputs("data").flatMap { element in
      let file = RecordFile(RecordsPath.of(element))
      var placed: [(record: Record, place: (file: String, line: Int))] = []
      try file.read { record, line in placed.append((record, (file.name, line))) }
      return placed
    }
    guard !records.isEmpty else { throw StageFailure("there is no record", file: context.inputs("data").first?.path) }
    let encoder = try parameters.prompting.encoder(codec)
    var asked: [Int: AskedPrompt] = [:]
    for (index, (record, place)) in records.enumerated() where record.prompt != nil && !record.expectedAnswers.isEmpty {
      asked[index] = try parameters.prompting.asked(record, as: record.askedAnew, at: place, encoder, model.configuration)
    }
    let places = asked.keys.sorted()

    let sampler = RolloutSampler(codec, parameters.prompting, parameters.sampling, model.configuration)
    let transformer = Transformer(ModelWeights.packed(model.configuration, model.arena, pool: pool, release: true), pool: pool)
    let rollouts = try JournaledRollouts(
      sampler: sampler, samples: parameters.sampling.numGenerations, greedy: false, directory: directory
    ).rollouts(transformer, places.compactMap { asked[$0] }, context)

    let own = Dictionary(uniqueKeysWithValues: zip(places, rollouts))
    var choice = RewriteChoice(
      rule: rule, dropsWrong: parameters.own.whenWrong == "drop", unjudged: .init(rawValue: parameters.own.unjudged) ?? .original)
    let results = try records.enumerated().map { index, entry in
      try choice.result(entry.record, own[index]?.samples.map { ($0.text, $0.finish == .stop) } ?? [])
    }
    let kept = results.compactMap(\.record)
    guard !kept.isEmpty else { throw StageFailure("no record is left: all \(records.count) are dropped") }
    try RecordFile.write(kept, to: try context.output("rewritten"))
    try RecordFile.write(rows: results.enumerated().map { $1.json(record: $0 + 1) }, to: try context.output("samples"))
    try Data((choice.counts.json.encoded(pretty: true) + "\n").utf8).write(to: URL(fileURLWithPath: try context.output("report")))
    context.log("\(choice.counts.rewritten) of \(records.count) records rewritten, \(choice.counts.dropped) dropped")
    context.metric(step: 0, "rewritten", Double(choice.counts.rewritten))
  }
}

extension VerifyRule {
  /// The parameter `scorer`; nil where it is left out.
  init?(scorer: JSONObject?) throws {
    guard let scorer else { return nil }
    do { self = try VerifyRule(json: .object(scorer)) } catch { throw StageFailure("parameter scorer: \(error)") }
  }
}
