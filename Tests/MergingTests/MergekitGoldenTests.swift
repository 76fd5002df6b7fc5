import Foundation
import JSONValues
import Kernels
import Merging
import Modeling
import Testing

/// Against what mergekit 0.1.5 wrote (`scripts/goldens/mergekit.py`): checkpoints in bfloat16, merged with `dtype: float32`.
@Suite("mergekit's results") struct MergekitGoldenTests {
  static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/Fixtures/mergekit"

  static let cases: [String] = {
    let json = try? JSONValue(contentsOf: fixtures + "/cases.json")
    return (json?.objectValue?.keys ?? []).filter { $0 != "header" }
  }()

  @Test("every method gives mergekit's weights within the rounding of its float32 steps", arguments: cases)
  func golden(name: String) throws {
    let cases = try JSONValue(contentsOf: Self.fixtures + "/cases.json")
    let spec = try #require(cases[name])
    let method = try #require(spec["method"]?.stringValue)
    let models = try #require(spec["models"]?.objectValue?.members)
    let names = (method == "linear" ? [] : ["base"]) + models.map(\.key)
    let sources = try MergedModel(names.map { MergedModel.Source($0, Self.fixtures + "/" + $0) })
    let directory = try TemporaryDirectory()
    try sources.write(
      try Self.method(method, models.map(\.value), spec["parameters"] ?? [:]), .init(type: .f32), to: directory.path,
      pool: ThreadPool(threads: 2))

    let merged = try SafetensorsFile(path: directory.path + "/model.safetensors")
    let golden = try SafetensorsFile(path: "\(Self.fixtures)/\(name).safetensors")
    #expect(merged.tensors.map(\.name) == golden.tensors.map(\.name))
    for tensor in golden.tensors {
      let wanted = try golden.floats(of: tensor)
      let found = try merged.floats(of: try #require(merged[tensor.name]))
      let largest = wanted.reduce(0) { max($0, abs($1)) }
      let difference = zip(wanted, found).reduce(Float(0)) { max($0, abs($1.0 - $1.1)) }
      #expect(difference <= 3e-7 * largest, "\(tensor.name): \(difference) of \(largest)")
    }
  }

  private static func method(_ name: String, _ models: [JSONValue], _ parameters: JSONValue) throws -> MergeMethod {
    func values(_ key: String) -> [Double] { models.map { $0[key]?.numberValue ?? 1 } }
    let normalize = parameters["normalize"]?.boolValue
    switch name {
    case "linear":
      let sum = normalize ?? true ? values("weight").reduce(0, +) : 1
      return .linear(weights: values("weight").map { $0 / sum })
    case "slerp": return .slerp(t: try #require(parameters["t"]?.numberValue))
    default:
      let sparsification: TaskVectors.Sparsification =
        switch name {
        case "ties": .magnitude
        case "dare_linear", "dare_ties": .random(seed: 0, .l1)
        default: .none
        }
      return TaskVectors(
        name: name, weights: values("weight"), densities: values("density"), sparsification: sparsification,
        elects: name.hasSuffix("ties"), normalizes: normalize ?? (name == "ties"), lambda: parameters["lambda"]?.numberValue ?? 1
      ).method
    }
  }
}
