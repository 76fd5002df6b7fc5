import JSONValues
import Kernels
import Modeling
import Testing

/// An adapter that PEFT wrote on a tiny checkpoint, with what PEFT makes of both (`scripts/goldens/lora.py`).
struct AdapterFixture {
  static let names = ["lora", "rslora", "dora", "dora-few", "patterns", "stacked"]
  static func directory(_ name: String) -> String { GoldenFixture.directory + "adapters/" + name }

  let base: GoldenFixture
  let adapters: [Adapter]
  let model: Transformer
  let tensors: SafetensorsFile
  let loss: Double

  init(_ name: String, pool: ThreadPool, packed: Bool = false) throws {
    let directory = Self.directory(name)
    let json = try JSONValue(parsing: PositionedFile.contents(of: directory + "/golden.json"))
    base = try GoldenFixture(try #require(json["base"]?.stringValue), pool: pool)
    loss = try #require(json["loss"]?.numberValue)
    tensors = try SafetensorsFile(path: directory + "/golden.safetensors")
    let configuration = base.model.configuration
    let paths = name == "stacked" ? [directory + "/first", directory] : [directory]
    adapters = try paths.map { try AdapterDirectory.load($0, for: configuration) }
    let arena = base.model.arena
    let weights = packed ? ModelWeights.packed(configuration, arena, pool: pool) : ModelWeights(configuration, arena)
    model = Transformer(weights.with(try AdapterStack(adapters, over: arena, pool)), pool: pool)
  }

  func floats(_ name: String) throws -> [Float] { try tensors.floats(of: try #require(tensors[name])) }
}

extension Transformer {
  /// Of every row, (rows, vocabulary).
  func allLogits(_ batch: TokenBatch) -> [Float] {
    let activations = Activations(configuration, tokens: batch.count, targets: batch.count, purpose: .inference)
    var values: [Float] = []
    forward(batch, activations)
    logits(after: (0..<batch.count).map { Int32($0) }, activations) { range, logits in
      values += UnsafeBufferPointer(start: logits, count: range.count * configuration.vocabularySize)
    }
    return values
  }
}

/// The largest difference, as a share of the largest value.
func distance(_ a: [Float], _ b: [Float]) -> Float {
  precondition(a.count == b.count, "\(a.count) values beside \(b.count)")
  let scale = b.reduce(0) { max($0, $1.magnitude) }
  return zip(a, b).reduce(0) { max($0, ($1.0 - $1.1).magnitude) } / scale
}
