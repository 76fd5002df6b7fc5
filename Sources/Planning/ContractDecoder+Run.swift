import Diagnostics
import JSONValues
import Manifests

/// What a command's words may name.
struct CommandNames {
  let inputs: [InputDeclaration]
  let outputs: [OutputDeclaration]
  let parameters: [ParameterDeclaration]
}

extension ContractDecoder {
  mutating func run(_ node: Node, _ names: CommandNames) -> StageContract.Run? {
    guard var reader = MappingReader(node, "'run'", &findings) else { return nil }
    let native = reader.string("native", &findings)
    let command = reader.takeMember("command")
    let rest = ["sources", "versions", "environment", "keyed_environment", "visible"].map { reader.takeMember($0) }
    reader.finish(&findings)
    guard (native == nil) != (command == nil) else {
      findings.error(PlanningText.runNeedsOne, at: node.location)
      return nil
    }
    if let native {
      for case let member? in rest { findings.error(PlanningText.notInNative(member.key), at: member.keyLocation) }
      return .native(native.value)
    }
    guard let command else { return nil }
    return .command(
      StageContract.Command(
        words: words(command.value, names), sources: sources(rest[0]), versions: versions(rest[1]), environment: variables(rest[2]),
        keyedEnvironment: variables(rest[3]), visible: visible(rest[4])))
  }

  // MARK: - Words

  private mutating func words(_ node: Node, _ names: CommandNames) -> [CommandWord] {
    guard let words = node.strings(for: "'command'", &findings) else { return [] }
    if words.isEmpty { findings.error(PlanningText.emptyCommand, at: node.location) }
    return words.compactMap { word($0, names) }
  }

  private mutating func word(_ word: Located<String>, _ names: CommandNames) -> CommandWord? {
    guard let template = Template.reading(word.value, at: word.location, &findings) else { return nil }
    let isWhole = template.whole != nil
    var pieces: [CommandWord.Piece] = []
    for piece in template.pieces {
      switch piece {
      case .text(let text): pieces.append(.text(text))
      case .placeholder(let path):
        guard let piece = self.piece(path, isWhole, names, word.location) else { return nil }
        pieces.append(piece)
      }
    }
    return CommandWord(written: word.value, pieces: pieces)
  }

  private mutating func piece(_ path: [String], _ isWhole: Bool, _ names: CommandNames, _ location: SourceLocation) -> CommandWord.Piece? {
    let written = path.joined(separator: ".")
    switch (path[0], path.count) {
    case ("stage", 2) where path[1] == "dir": return .stageDirectory
    case ("inputs", 2):
      guard let input = names.inputs.first(where: { $0.name.hasSameBytes(as: path[1]) }) else {
        return unknown("input", path[1], names.inputs.map(\.name), location)
      }
      if input.isList, !isWhole { findings.error(PlanningText.listInsideWord(written), at: location) }
      return .input(path[1])
    case ("outputs", 2):
      guard names.outputs.contains(where: { $0.name.hasSameBytes(as: path[1]) }) else {
        return unknown("output", path[1], names.outputs.map(\.name), location)
      }
      return .output(path[1])
    case ("params", 2...): return parameter(Array(path.dropFirst()), isWhole, names.parameters, location)
    default:
      findings.error(PlanningText.unknownWord(written), at: location)
      return nil
    }
  }

  private mutating func parameter(
    _ path: [String], _ isWhole: Bool, _ parameters: [ParameterDeclaration], _ location: SourceLocation
  ) -> CommandWord.Piece? {
    var fields: [ParameterDeclaration]? = parameters
    for (depth, name) in path.enumerated() {
      guard let known = fields else { break }
      guard let field = known.first(where: { $0.name.hasSameBytes(as: name) }) else {
        return unknown(depth == 0 ? "parameter" : "field", name, known.map(\.name), location)
      }
      switch field.type {
      case .record(let inner): fields = inner
      case .list where !isWhole:
        findings.error(PlanningText.listInsideWord("params." + path.joined(separator: ".")), at: location)
        fields = []
      default: fields = []
      }
    }
    return .parameter(path)
  }

  private mutating func unknown(_ kind: String, _ name: String, _ known: [String], _ location: SourceLocation) -> CommandWord.Piece? {
    findings.error(PlanningText.unknownInCommand(kind, name), at: location, suggestion: NearestName.find(name, among: known))
    return nil
  }

  // MARK: - What belongs to a command

  private mutating func sources(_ member: Node.Member?) -> [String] {
    guard let strings = member?.value.strings(for: "'sources'", &findings) else { return [] }
    for source in strings {
      if source.value.hasPrefix("/") {
        findings.error(PlanningText.sourceOutside(source.value), at: source.location)
      } else if files.kind(Paths.absolute(source.value, from: Paths.parent(path))) != .file {
        findings.error(PlanningText.missingSource(source.value), at: source.location)
      }
    }
    return strings.map(\.value)
  }

  private mutating func visible(_ member: Node.Member?) -> [String] {
    guard let strings = member?.value.strings(for: "'visible'", &findings) else { return [] }
    for path in strings where !path.value.hasPrefix("/") && !path.value.hasPrefix("~/") {
      findings.error(PlanningText.visiblePath(path.value), at: path.location)
    }
    return strings.map(\.value)
  }

  private mutating func versions(_ member: Node.Member?) -> [[String]] {
    guard let node = member?.value else { return [] }
    guard let elements = node.elements else {
      findings.error(ManifestText.expected("a list of commands", for: "'versions'", found: node), at: node.location)
      return []
    }
    return elements.compactMap { element in
      let words = element.strings(for: "a command of 'versions'", &findings)
      if let words, words.isEmpty { findings.error(PlanningText.emptyCommand, at: element.location) }
      return words?.map(\.value)
    }
  }

  private mutating func variables(_ member: Node.Member?) -> [String] {
    guard let member, let strings = member.value.strings(for: "'\(member.key)'", &findings) else { return [] }
    for variable in strings where !isVariable(variable.value) {
      findings.error(PlanningText.badVariable(variable.value), at: variable.location)
    }
    return strings.map(\.value)
  }

  private func isVariable(_ name: String) -> Bool {
    guard let first = name.utf8.first, !(0x30...0x39).contains(first) else { return false }
    return name.utf8.allSatisfy { byte in
      (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "_")
    }
  }
}
