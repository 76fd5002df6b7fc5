import Glibc
import JSONValues
import Kernels

/// A model directory as Hugging Face writes it: config.json, weights in safetensors, tokenizer and generation files.
package enum ModelDirectory {
  package static let configurationName = "config.json"

  package static func configuration(_ directory: String) throws(ModelError) -> ModelConfiguration {
    let path = directory + "/" + configurationName
    let json = try JSONValue(contentsOf: path)
    do throws(ModelError) {
      return try ModelConfiguration(json: json)
    } catch {
      throw ModelError(error.message, file: path)
    }
  }

  /// Weights of any float type, in one file or in shards. Every tensor must be there, fit, and be finite.
  package static func load(_ directory: String, pool: ThreadPool) throws(ModelError) -> LoadedModel {
    let configuration = try configuration(directory)
    let source = try WeightSource.directory(directory)
    let used = try usedTensors(of: source, configuration)
    let layout = try LayoutFit.layout(of: configuration, found: used.map { ($0.name, $0.shape) }, file: place(of: source, directory))
    let arena = ParameterArena(layout)
    try read(used, into: arena, pool) { source.location(of: $0)?.file }
    return LoadedModel(
      configuration: configuration, arena: arena, companions: try companions(of: directory), tokenizerMetadata: nil, isLossy: false)
  }

  /// The weights alone, into an arena that is there already (an anchor, a second model to compare with).
  package static func loadWeights(
    _ directory: String, _ configuration: ModelConfiguration, into arena: ParameterArena, pool: ThreadPool
  ) throws(ModelError) {
    let source = try WeightSource.directory(directory)
    let used = try usedTensors(of: source, configuration)
    let layout = try LayoutFit.layout(of: configuration, found: used.map { ($0.name, $0.shape) }, file: place(of: source, directory))
    precondition(layout == arena.layout, "the arena has another layout than the configuration asks for")
    try read(used, into: arena, pool) { source.location(of: $0)?.file }
  }

  /// One safetensors file with a number for each parameter of a model (a Fisher): its tensors are the model's.
  package static func arena(
    _ file: SafetensorsFile, for configuration: ModelConfiguration, pool: ThreadPool
  ) throws(ModelError) -> ParameterArena {
    let layout = try LayoutFit.layout(of: configuration, found: file.tensors.map { ($0.name, $0.shape) }, file: file.path)
    let arena = ParameterArena(layout)
    try read(file.tensors, into: arena, pool) { _ in file }
    return arena
  }

  package static func companions(of directory: String) throws(ModelError) -> [CompanionFile] {
    var files: [CompanionFile] = []
    for name in CompanionFile.names where fileExists(directory + "/" + name) {
      files.append(CompanionFile(name: name, bytes: try PositionedFile.contents(of: directory + "/" + name)))
    }
    return files
  }

  // MARK: - Reading weights

  private static func place(of source: WeightSource, _ directory: String) -> String {
    source.files.count == 1 ? source.files[0].path : directory
  }

  private static func usedTensors(of source: WeightSource, _ configuration: ModelConfiguration) throws(ModelError) -> [TensorRecord] {
    var used: [TensorRecord] = []
    for tensor in source.tensors where try !isRedundant(tensor, configuration, source) { used.append(tensor) }
    return used
  }

  /// What files carry and models do not: rotary frequencies that old versions saved, and the head of a tied model, which must equal the
  /// embedding.
  private static func isRedundant(
    _ tensor: TensorRecord, _ configuration: ModelConfiguration, _ source: WeightSource
  ) throws(ModelError) -> Bool {
    if tensor.name.hasSuffix(".rotary_emb.inv_freq") { return true }
    guard configuration.tieEmbeddings, tensor.name == "lm_head.weight", let head = source.location(of: tensor.name) else { return false }
    guard let embedding = source.location(of: "model.embed_tokens.weight") else { return false }
    guard head.tensor.type == embedding.tensor.type, head.tensor.shape == embedding.tensor.shape, try haveEqualBytes(head, embedding) else {
      throw ModelError(
        "'lm_head.weight' differs from 'model.embed_tokens.weight', but config.json says that they are tied", file: head.file.path)
    }
    return true
  }

  private static func haveEqualBytes(
    _ a: (file: SafetensorsFile, tensor: TensorRecord), _ b: (file: SafetensorsFile, tensor: TensorRecord)
  ) throws(ModelError) -> Bool {
    let size = a.tensor.range.count
    let part = 1 << 20
    let buffers = UnsafeMutableRawBufferPointer.allocate(byteCount: 2 * part, alignment: 64)
    defer { buffers.deallocate() }
    for start in stride(from: 0, to: size, by: part) {
      let count = min(part, size - start)
      let left = UnsafeMutableRawBufferPointer(rebasing: buffers[..<count])
      let right = UnsafeMutableRawBufferPointer(rebasing: buffers[part..<part + count])
      try a.file.read(a.tensor, from: start, into: left)
      try b.file.read(b.tensor, from: start, into: right)
      if !left.elementsEqual(right) { return false }
    }
    return true
  }

  private struct Part {
    let tensor: TensorRecord
    let elements: Range<Int>
  }

  private static let partSize = 1 << 18

  private static func read(
    _ tensors: [TensorRecord], into arena: ParameterArena, _ pool: ThreadPool, from file: (_ name: String) -> SafetensorsFile?
  ) throws(ModelError) {
    let parts = tensors.flatMap { tensor in
      stride(from: 0, to: tensor.count, by: partSize).map { Part(tensor: tensor, elements: $0..<min($0 + partSize, tensor.count)) }
    }
    try pool.runThrowing(parts.count) { index throws(ModelError) in
      let part = parts[index]
      guard let file = file(part.tensor.name) else { return }
      let target = arena.view(part.tensor.name) + part.elements.lowerBound
      try file.readFloats(part.tensor, part.elements, into: target)
      if let index = FloatConversion.firstNonFinite(target, count: part.elements.count) {
        let (row, column) = (part.elements.lowerBound + index).quotientAndRemainder(dividingBy: part.tensor.shape.last ?? 1)
        throw ModelError("tensor '\(part.tensor.name)' holds \(target[index]) at row \(row), column \(column)", file: file.path)
      }
    }
  }
}
