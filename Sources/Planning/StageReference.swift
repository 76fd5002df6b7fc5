import JSONValues

/// The reference page of a stage and the list of stages, as plain text, made from contracts alone.
package enum StageReference {
  /// One line a stage: name and summary.
  package static func list(_ contracts: [StageContract]) -> String {
    table(contracts.map { [$0.name, $0.summary] }, indent: "")
  }

  package static func page(_ contract: StageContract) -> String {
    var text = "\(contract.name), version \(contract.version)\n"
    if !contract.summary.isEmpty { text += "\(contract.summary)\n" }
    text += section("Inputs", contract.inputs.map { [$0.name, kind($0), $0.doc ?? ""] })
    text += section("Outputs", contract.outputs.map { [$0.name, kind($0), $0.doc ?? ""] })
    text += section("Parameters", rows(contract.parameters, prefix: ""))
    text += section("Runs", [["what", runs(contract.run)], ["resources", resources(contract.resources)], ["notes", notes(contract)]])
    text += "\nIn a manifest\n" + example(contract)
    return text
  }

  // MARK: - Rows

  private static func kind(_ input: InputDeclaration) -> String {
    let types = input.types.map(\.rawValue).joined(separator: " or ")
    return (input.isList ? "list of \(types)" : types)
      + (input.unless.map { ", unless \($0) is set" } ?? (input.isOptional ? ", optional" : ""))
      + (input.labels ? ", with axis values" : "")
  }

  private static func kind(_ output: OutputDeclaration) -> String {
    output.type.rawValue + (output.keep ? "" : ", not kept") + (output.records.map { ", \($0) records" } ?? "")
      + (output.when.map { ", only with \($0)" } ?? "")
  }

  private static func rows(_ parameters: [ParameterDeclaration], prefix: String) -> [[String]] {
    parameters.flatMap { parameter -> [[String]] in
      let row = [prefix + parameter.name, kind(parameter.type), initial(parameter), doc(parameter)]
      switch parameter.type {
      case .record(let fields?): return [row] + rows(fields, prefix: "\(prefix)\(parameter.name).")
      case .list(.record(let fields?), _): return [row] + rows(fields, prefix: "\(prefix)\(parameter.name)[].")
      default: return [row]
      }
    }
  }

  private static func doc(_ parameter: ParameterDeclaration) -> String {
    [
      parameter.doc, parameter.affects == .speed ? "affects speed only" : nil,
      parameter.affects == .bytesWhenSet ? "in the key where it is set" : nil,
    ].compactMap { $0 }.joined(separator: "; ")
  }

  private static func initial(_ parameter: ParameterDeclaration) -> String {
    guard case .value(let value) = parameter.initial else { return "required" }
    return "default \(value == .string("") ? "''" : ValueText.plain(written(value, parameter.type)))"
  }

  /// Without the fields that are at their own defaults.
  private static func written(_ value: JSONValue, _ type: ParameterType) -> JSONValue {
    switch (type, value) {
    case (.list(let element, _), .array(let values)): return .array(values.map { written($0, element) })
    case (.record(let fields?), .object(let object)):
      let said = object.members.filter { member in fields.first { $0.name == member.key }?.initial.value != member.value }
      return .object(JSONObject(said.map { ($0.key, $0.value) }))
    default: return value
    }
  }

  private static func kind(_ type: ParameterType) -> String {
    switch type {
    case .number(let bounds), .integer(let bounds): [type.name, words(bounds)].filter { !$0.isEmpty }.joined(separator: " ")
    case .choice(let values): values.map(ValueText.plain).joined(separator: " | ")
    case .list(let element, let count): "list of \(kind(element))" + (words(count).isEmpty ? "" : " (count \(words(count)))")
    default: type.name
    }
  }

  private static func words(_ bounds: ParameterType.Bounds) -> String {
    if let min = bounds.min, min == bounds.max { return "= \(ValueText.number(min))" }
    let parts = [
      bounds.min.map { "≥ \(ValueText.number($0))" }, bounds.above.map { "> \(ValueText.number($0))" },
      bounds.max.map { "≤ \(ValueText.number($0))" }, bounds.below.map { "< \(ValueText.number($0))" },
    ]
    return parts.compactMap { $0 }.joined(separator: ", ")
  }

  // MARK: - What runs

  private static func runs(_ run: StageContract.Run) -> String {
    switch run {
    case .native(let name): "native \(name)"
    case .command(let command): command.words.map(\.written).joined(separator: " ")
    }
  }

  private static func resources(_ resources: Resources) -> String {
    let memory = resources.memoryBytes.map { ", memory \(Quantity.text(bytes: $0))" } ?? ""
    return "cpus \(resources.cpus)\(memory)" + (resources.gpus > 0 ? ", gpus \(resources.gpus)" : "")
  }

  private static func notes(_ contract: StageContract) -> String {
    let notes = [
      contract.checkpoints ? "writes checkpoints and resumes from them" : nil,
      contract.hermetic.map { $0 == .on ? "sees only what it declares" : "sees the whole machine" },
      contract.isNumeric ? "the numerics class is part of its key" : nil,
    ]
    return notes.compactMap { $0 }.joined(separator: "; ")
  }

  // MARK: - Example

  private static func example(_ contract: StageContract) -> String {
    var text = "  name:\n    uses: \(contract.name)\n"
    let inputs = contract.inputs.filter { !$0.isOptional || $0.unless != nil }.map { "\($0.name): …" }
    if !inputs.isEmpty { text += "    inputs: {\(inputs.joined(separator: ", "))}\n" }
    let parameters = contract.parameters.filter { if case .required = $0.initial { true } else { false } }.map { "\($0.name): …" }
    if !parameters.isEmpty { text += "    with: {\(parameters.joined(separator: ", "))}\n" }
    return text
  }

  // MARK: - Layout

  private static func section(_ title: String, _ rows: [[String]]) -> String {
    let rows = rows.filter { $0.count > 2 || !($0.last ?? "").isEmpty }
    return rows.isEmpty ? "" : "\n\(title)\n" + table(rows, indent: "  ")
  }

  /// Columns as wide as their widest cell (at most 44), the last one free.
  private static func table(_ rows: [[String]], indent: String) -> String {
    let columns = rows.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column in min(44, rows.map { $0.indices.contains(column) ? $0[column].count : 0 }.max() ?? 0) }
    return rows.map { row in
      let cells = row.enumerated().map { column, cell in
        column == row.count - 1 ? cell : cell + String(repeating: " ", count: max(0, widths[column] - cell.count))
      }
      var line = indent + cells.joined(separator: "  ")
      while line.last == " " { line.removeLast() }
      return line + "\n"
    }.joined()
  }
}
