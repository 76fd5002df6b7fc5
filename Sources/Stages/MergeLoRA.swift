import Foundation
import JSONValues
import Kernels
import Merging
import Modeling
import StageInterface

/// `merge/lora`: a base model with adapters made part of its weights.
package struct MergeLoRA: NativeStage {
  package static let name = "merge/lora"

  package struct Parameters: Decodable, Sendable {
    let own: Own
    let storage: StorageParameters

    package init(from decoder: any Decoder) throws {
      own = try Own(from: decoder)
      storage = try StorageParameters(from: decoder)
    }
  }

  struct Own: Decodable, Sendable {
    let alpha: Double
    let outside: String
    let weight: [Double]?
    let compat: String
    let checkLogits: String
  }

  package static func run(_ parameters: Parameters, _ context: StageContext) throws {
    let own = parameters.own
    guard own.alpha.isFinite, own.outside == "extrapolate" || (0...1).contains(own.alpha) else {
      throw StageFailure("alpha must lie between 0 and 1, not \(own.alpha)")
    }
    let base = try context.input("base")
    let configuration = try ModelDirectory.configuration(base)
    let directories = context.inputs("adapters").map(\.path)
    guard !directories.isEmpty else { throw StageFailure("input 'adapters' has no adapters") }
    let weights = try OneForEach.values(own.weight, "weight", count: directories.count, of: "adapter")
    let terms = try zip(directories, weights).map {
      LoRAMerge.Term(try AdapterDirectory.load($0, for: configuration), factor: own.alpha * $1)
    }
    let merge = try LoRAMerge(base: base, terms, rounding: LoRAMerge.Rounding(rawValue: own.compat) ?? .once)
    let pool = ThreadPool(threads: context.threads)
    let target = try context.output("model")
    let report = try merge.write(try parameters.storage.storage(), to: target, pool: pool)
    let formula = LoRAMerge.formula(terms)
    context.log(formula)
    let logits = try MergeLoRACheck(own.checkLogits, configuration, terms).json(base: base, terms, merged: target, pool)
    context.log("logits: " + logits.encoded())
    let json = JSONObject([("formula", .string(formula))] + report.json.members.map { ($0.key, $0.value) } + [("logits", logits)])
    try Data(JSONValue.object(json).encodedBytes() + [0x0A]).write(to: URL(fileURLWithPath: try context.output("report")))
  }
}
