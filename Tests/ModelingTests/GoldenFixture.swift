import JSONValues
import Kernels
import Modeling
import Testing

/// A tiny checkpoint with what transformers makes of it (`scripts/goldens`): logits, losses, gradients, greedy continuations.
struct GoldenFixture {
  static let names = ["tiny-llama", "tiny-llama-untied", "tiny-qwen2", "tiny-qwen3"]
  static let directory = String(#filePath.dropLast("GoldenFixture.swift".count)) + "Fixtures/"

  let model: LoadedModel
  let tensors: SafetensorsFile
  let json: JSONValue

  init(_ name: String, pool: ThreadPool) throws {
    let directory = Self.directory + name
    model = try ModelDirectory.load(directory, pool: pool)
    tensors = try SafetensorsFile(path: directory + "/golden.safetensors")
    json = try JSONValue(parsing: PositionedFile.contents(of: directory + "/golden.json"))
  }

  func floats(_ name: String) throws -> [Float] { try tensors.floats(of: try #require(tensors[name])) }

  func integers(_ name: String) throws -> [Int32] {
    let bytes = try tensors.bytes(of: try #require(tensors[name]))
    return bytes.withUnsafeBytes { Array($0.bindMemory(to: Int32.self)) }
  }

  /// The golden's records, packed.
  func batch() throws -> TokenBatch {
    let ids = try integers("ids")
    let offsets = try integers("offsets").map { Int($0) }
    return TokenBatch(zip(offsets, offsets.dropFirst()).map { Array(ids[$0..<$1]) })
  }

  /// The golden's targets: tokens whose mark is 1.
  func targets() throws -> Targets {
    var targets = Targets()
    let ids = try integers("ids")
    for (row, mark) in try integers("mask").enumerated() where mark == 1 { targets.append(row: row - 1, token: ids[row]) }
    return targets
  }
}
