import Glibc
import JSONValues
import Kernels

/// An adapter as PEFT writes it: adapter_config.json and adapter_model.safetensors. Knows the base it belongs to by its shapes alone.
package enum AdapterDirectory {
  package static let configurationName = "adapter_config.json"
  package static let weightsName = "adapter_model.safetensors"

  private static let prefix = "base_model.model."
  /// Under this key the weights' metadata names the terms that an adapter was put together from: `[[rank, scale], …]`.
  private static let termsKey = "low_rank_terms"

  /// Weights of any float type. Everything that the configuration asks for must be there, fit the base, and be finite.
  package static func load(_ directory: String, for configuration: ModelConfiguration) throws(ModelError) -> Adapter {
    let path = directory + "/" + configurationName
    let json = try JSONValue(contentsOf: path)
    var settings: LoRASettings
    let linears: [LinearModule]
    do throws(ModelError) {
      let selection: LoRASettings.Selection
      (settings, selection) = try LoRASettings.read(json)
      linears = try selected(settings, selection, configuration)
    } catch {
      throw ModelError(error.message, file: path)
    }
    let file = try SafetensorsFile(path: directory + "/" + weightsName)
    do throws(ModelError) {
      try checkSize(settings, linears, file)
      let adapter = Adapter(settings, linears, composition: try terms(file.header.metadata, settings))
      try read(file, into: adapter)
      return adapter
    } catch {
      throw ModelError(error.message, file: file.path)
    }
  }

  /// Equal adapters give equal bytes. `directory` is created where it is missing.
  package static func write(_ adapter: Adapter, for configuration: ModelConfiguration, to directory: String) throws(ModelError) {
    guard mkdir(directory, 0o755) == 0 || errno == EEXIST else {
      throw ModelError("cannot be created: \(systemError(errno))", file: directory)
    }
    var metadata = SafetensorsWriter.pytorchFormat
    if adapter.composition.count > 1 { metadata.append((termsKey, json(adapter.composition).encoded())) }
    let writer = try SafetensorsWriter(
      path: directory + "/" + weightsName,
      declaring: adapter.arena.layout.entries.map { TensorDeclaration(name: prefix + $0.name, type: .f32, shape: $0.shape) },
      metadata: metadata)
    for tensor in writer.tensors {
      try writer.write(adapter.arena.view(String(tensor.name.dropFirst(prefix.count))), count: tensor.count, to: tensor)
    }
    try writer.finish()
    let json = adapter.settings.json(adapter.modules.map(\.linear), configuration)
    try AtomicFile.write(json.encodedBytes(pretty: true) + [UInt8(ascii: "\n")], to: directory + "/" + configurationName)
  }

  // MARK: - Reading

  private static func selected(
    _ settings: LoRASettings, _ selection: LoRASettings.Selection, _ configuration: ModelConfiguration
  ) throws(ModelError) -> [LinearModule] {
    if let layer = selection.layers?.max(), layer >= configuration.layers {
      throw ModelError("'layers_to_transform' names layer \(layer); the base has \(configuration.layers)")
    }
    var kept: [LinearModule] = []
    for module in try settings.modules(configuration) where selection.keeps(module) { kept.append(module) }
    guard !kept.isEmpty else { throw ModelError("asks for an adapter on no module") }
    return kept
  }

  /// No memory is taken for ranks that the file cannot hold: every number takes at least a byte of it.
  private static func checkSize(_ settings: LoRASettings, _ linears: [LinearModule], _ file: SafetensorsFile) throws(ModelError) {
    let numbers = linears.reduce(0.0) { $0 + Double(settings.rank(of: $1.name)) * Double($1.inputs + $1.outputs) }
    guard numbers <= max(Double(file.header.dataCount), 0x1p24) else {
      throw ModelError("is too small for the ranks that the configuration asks for, up to \(settings.largestRank)")
    }
  }

  private static func read(_ file: SafetensorsFile, into adapter: Adapter) throws(ModelError) {
    for tensor in file.tensors {
      guard let name = layoutName(tensor.name), adapter.arena.layout[name] != nil else {
        throw ModelError("tensor '\(tensor.name)' belongs to no module that the configuration asks for and the base has")
      }
    }
    for entry in adapter.arena.layout.entries {
      let found = file[prefix + entry.name] ?? file[prefix + entry.name + ".weight"]
      guard let tensor = found else { throw ModelError("lacks tensor '\(prefix + entry.name)', which the configuration asks for") }
      guard tensor.shape == entry.shape else {
        throw ModelError("tensor '\(tensor.name)' is \(tensor.shape) where the configuration and the base ask for \(entry.shape)")
      }
      let values = adapter.arena.view(entry.name)
      try file.readFloats(tensor, 0..<tensor.count, into: values)
      if let index = FloatConversion.firstNonFinite(values, count: tensor.count) {
        let (row, column) = index.quotientAndRemainder(dividingBy: tensor.shape.last ?? 1)
        throw ModelError("tensor '\(tensor.name)' holds \(values[index]) at row \(row), column \(column)")
      }
    }
  }

  /// Some versions end a magnitude's name with ".weight".
  private static func layoutName(_ name: String) -> String? {
    guard name.utf8.starts(with: prefix.utf8) else { return nil }
    let name = name.dropFirst(prefix.count)
    let magnitude = "lora_magnitude_vector.weight"
    return name.utf8.suffix(magnitude.utf8.count).elementsEqual(magnitude.utf8) ? String(name.dropLast(".weight".count)) : String(name)
  }

  // MARK: - Terms

  private static func json(_ terms: [AdapterTerm]) -> JSONValue {
    .array(terms.map { .array([.integer($0.rank), .number($0.scale)]) })
  }

  private static func terms(
    _ metadata: [(key: String, value: String)], _ settings: LoRASettings
  ) throws(ModelError) -> [AdapterTerm]? {
    guard let text = metadata.first(where: { $0.key.utf8.elementsEqual(termsKey.utf8) })?.value else { return nil }
    let rows = (try? JSONValue.parse(text))?.arrayValue ?? []
    let terms = rows.compactMap { row in
      row[0]?.integerValue.flatMap { rank in row[1]?.numberValue.map { AdapterTerm(rank: rank, scale: $0) } }
    }
    guard !terms.isEmpty, terms.count == rows.count, terms.allSatisfy({ (1...1 << 24).contains($0.rank) && $0.scale.isFinite }) else {
      throw ModelError("its metadata '\(termsKey)' is no list of ranks and scales")
    }
    return terms
  }
}
