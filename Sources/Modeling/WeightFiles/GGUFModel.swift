import JSONValues
import Kernels

/// A model from a GGUF file: configuration from its metadata, weights dequantised under their Hugging Face names.
package enum GGUFModel {
  package static func load(_ path: String, pool: ThreadPool) throws(ModelError) -> LoadedModel {
    let file = try GGUFFile(path: path)
    let configuration = try configuration(of: file)
    let named = try tensors(of: file)
    let arena = ParameterArena(try LayoutFit.layout(of: configuration, found: named.map { ($0.name, $0.tensor.shape) }, file: path))
    try read(named, of: file, configuration, into: arena, pool)
    return LoadedModel(
      configuration: configuration, arena: arena, companions: [], tokenizerMetadata: tokenizerMetadata(of: file), isLossy: file.isLossy)
  }

  package static func configuration(of file: GGUFFile) throws(ModelError) -> ModelConfiguration {
    try GGUFConfiguration(file).configuration()
  }

  package static func tokenizerMetadata(of file: GGUFFile) -> JSONObject {
    JSONObject(file.metadata.members.filter { $0.key.utf8.starts(with: "tokenizer.".utf8) }.map { ($0.key, $0.value) })
  }

  private struct Named {
    let name: String
    let tensor: GGUFFile.Tensor
  }

  private static func tensors(of file: GGUFFile) throws(ModelError) -> [Named] {
    var named: [Named] = []
    for tensor in file.tensors where tensor.name != "rope_freqs.weight" {
      guard let name = GGUFNames.huggingFace(tensor.name) else {
        throw ModelError("tensor '\(tensor.name)' is none that a model of this architecture has", file: file.path)
      }
      named.append(Named(name: name, tensor: tensor))
    }
    return named
  }

  // MARK: - Weights

  private struct Part {
    let named: Named
    let rows: Range<Int>
    let heads: Int?
  }

  private static let partSize = 1 << 18

  private static func read(
    _ named: [Named], of file: GGUFFile, _ configuration: ModelConfiguration, into arena: ParameterArena, _ pool: ThreadPool
  ) throws(ModelError) {
    var parts: [Part] = []
    for each in named {
      let step = max(1, partSize / max(each.tensor.columns, 1))
      let heads = permutedHeads(each.name, configuration)
      for first in stride(from: 0, to: each.tensor.rows, by: step) {
        parts.append(Part(named: each, rows: first..<min(first + step, each.tensor.rows), heads: heads))
      }
    }
    try pool.runThrowing(parts.count) { index throws(ModelError) in try read(parts[index], of: file, into: arena) }
  }

  private static func read(_ part: Part, of file: GGUFFile, into arena: ParameterArena) throws(ModelError) {
    let target = arena.view(part.named.name)
    let tensor = part.named.tensor
    let columns = tensor.columns
    let place = { (row: Int) in part.heads.map { unpermuted(row, of: tensor.rows, heads: $0) } ?? row }
    try file.readRows(tensor, part.rows) { target + place($0) * columns }
    for row in part.rows {
      if let column = FloatConversion.firstNonFinite(target + place(row) * columns, count: columns) {
        throw ModelError(
          "tensor '\(tensor.name)' holds \(target[place(row) * columns + column]) at row \(row), column \(column)", file: file.path)
      }
    }
  }

  /// llama.cpp rotates adjacent pairs, so the converter of Llama models interleaves the two halves of every head's query and key rows;
  /// Qwen's are stored as they were.
  private static func permutedHeads(_ name: String, _ configuration: ModelConfiguration) -> Int? {
    guard configuration.family == .llama else { return nil }
    if name.hasSuffix(".self_attn.q_proj.weight") { return configuration.heads }
    if name.hasSuffix(".self_attn.k_proj.weight") { return configuration.keyValueHeads }
    return nil
  }

  /// Stored row 2i + j of a head is row j·d/2 + i of the original, i < d/2, j < 2.
  static func unpermuted(_ row: Int, of rows: Int, heads: Int) -> Int {
    let dimension = rows / heads
    let (head, inHead) = row.quotientAndRemainder(dividingBy: dimension)
    return head * dimension + inHead % 2 * (dimension / 2) + inHead / 2
  }
}
