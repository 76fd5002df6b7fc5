import Datasets
import StageInterface

/// `data/tasks`: a train part and a held-out suite of one family of procedural problems.
package struct DataTasks: NativeStage {
  package static let name = "data/tasks"

  package struct Parameters: Decodable, Sendable {
    let task: String
    let train: Int
    let heldout: Int
    let difficulty: Int?
    let alphabet: Int
    let style: String
    let form: String?
    let seed: UInt64
  }

  package static func run(_ parameters: Parameters, _ context: StageContext) throws {
    let family = try TaskFamily.named(parameters.task)
    let sampler = try TaskSampler(
      family, difficulty: parameters.difficulty ?? family.difficulties.lowerBound, alphabet: parameters.alphabet,
      style: TaskStyle(rawValue: parameters.style) ?? .symbols, form: parameters.form.flatMap(TaskFamily.Form.init(rawValue:)),
      seed: parameters.seed)
    try RecordFile.write(try sampler.records(.train, count: parameters.train), to: try context.output("train"))
    try sampler.suite(count: parameters.heldout).write(to: try context.output("heldout"))
  }
}
