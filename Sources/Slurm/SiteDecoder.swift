import Diagnostics
import JSONValues
import Manifests
import Planning

/// Reads the words of a site profile, reporting every one that is unknown or of the wrong kind.
package struct SiteDecoder {
  private var findings = Findings()

  /// The profile, and what is wrong with it; it is not to be used when there are errors.
  package static func decode(_ source: SourceFile, name: String) -> (site: Site?, findings: Findings) {
    // An empty profile is one that says nothing.
    let isEmpty = source.bytes.split(separator: 0x0A).allSatisfy { line in
      let text = line.drop { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
      return text.isEmpty || text.first == UInt8(ascii: "#")
    }
    if isEmpty { return (Site(name: name), Findings()) }
    let (node, findings) = YAMLParser.parse(source)
    guard let node else { return (nil, findings) }
    var decoder = SiteDecoder(findings: findings)
    let site = decoder.site(node, name)
    return (site, decoder.findings)
  }

  private init(findings: Findings) { self.findings = findings }

  private mutating func site(_ node: Node, _ name: String) -> Site? {
    guard var reader = MappingReader(node, "the site", &findings) else { return nil }
    var site = Site(name: name)
    site.executor = executor(&reader)
    site.account = word("account", &reader)
    site.partition = word("partition", &reader)
    site.qos = word("qos", &reader)
    site.constraint = word("constraint", &reader)
    site.reservation = word("reservation", &reader)
    site.gpus = gpus(&reader)
    site.scratch = scratch(&reader)
    site.defaults = defaults(reader.take("defaults"))
    site.concurrent = reader.integer("concurrent", atLeast: 1, &findings)?.value
    site.extra = extra(&reader)
    site.setup = setup(&reader)
    site.program = program(&reader)
    site.environment = environment(&reader)
    reader.finish(&findings)
    return site
  }

  // MARK: - Words

  private mutating func executor(_ reader: inout MappingReader) -> Site.Executor? {
    guard let text = reader.string("executor", &findings) else { return nil }
    if let executor = Site.Executor(rawValue: text.value) { return executor }
    let near = NearestName.find(text.value, among: Site.Executor.allCases.map(\.rawValue))
    findings.error(SiteText.executor(text.value), at: text.location, suggestion: near)
    return nil
  }

  /// A value that goes to sbatch as it is. A number is a word too: accounts and reservations may be called 1234.
  private mutating func word(_ key: String, _ reader: inout MappingReader) -> String? {
    guard let node = reader.take(key) else { return nil }
    guard let scalar = node.scalar, !node.isNull else {
      findings.error(SiteText.expected("a string", for: "'\(key)'", found: node), at: node.location)
      return nil
    }
    guard !scalar.text.isEmpty, !scalar.text.hasPrefix("-"), scalar.text.unicodeScalars.allSatisfy({ $0.value > 0x20 && $0.value != 0x7F })
    else {
      findings.error(SiteText.word(key, scalar.text), at: node.location)
      return nil
    }
    return scalar.text
  }

  private mutating func gpus(_ reader: inout MappingReader) -> Site.GPUOption {
    guard let text = reader.string("gpus", &findings) else { return Site.GPUOption() }
    if let option = Site.GPUOption(text.value) { return option }
    findings.error(SiteText.gpus(text.value), at: text.location)
    return Site.GPUOption()
  }

  private mutating func scratch(_ reader: inout MappingReader) -> String? {
    guard let text = reader.string("scratch", &findings) else { return nil }
    let plain = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./${}".utf8)
    guard text.value.hasPrefix("/") || text.value.hasPrefix("$"), text.value.utf8.allSatisfy(plain.contains) else {
      findings.error(SiteText.scratch, at: text.location)
      return nil
    }
    return text.value
  }

  private mutating func program(_ reader: inout MappingReader) -> String? {
    guard let text = reader.string("program", &findings) else { return nil }
    guard text.value.hasPrefix("/"), !text.value.utf8.contains(0) else {
      findings.error(SiteText.program, at: text.location)
      return nil
    }
    return text.value
  }

  // MARK: - Defaults

  private mutating func defaults(_ node: Node?) -> Site.Defaults {
    var defaults = Site.Defaults()
    guard let node, var reader = MappingReader(node, "'defaults'", &findings) else { return defaults }
    defaults.seconds = seconds("time", &reader)
    if let memory = reader.take("memory") {
      defaults.memoryBytes = Self.value(memory).flatMap(Quantity.bytes)
      if defaults.memoryBytes == nil { findings.error(SiteText.memory, at: memory.location) }
    }
    if let lead = seconds("lead", &reader) { defaults.leadSeconds = lead }
    reader.finish(&findings)
    return defaults
  }

  private mutating func seconds(_ key: String, _ reader: inout MappingReader) -> Double? {
    guard let node = reader.take(key) else { return nil }
    if let seconds = Self.value(node).flatMap(Quantity.seconds) { return seconds }
    findings.error(SiteText.time(key), at: node.location)
    return nil
  }

  private static func value(_ node: Node) -> JSONValue? {
    switch node.scalar?.value {
    case .integer(let value)?: .integer(value)
    case .number(let value)?: .number(value)
    case .string(let text)?: .string(text)
    default: nil
    }
  }

  // MARK: - Lists

  private mutating func extra(_ reader: inout MappingReader) -> [String] {
    (reader.strings("extra", &findings) ?? []).compactMap { option in
      let name = option.value.dropFirst(2).prefix { $0 != "=" }
      let isPlain = name.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
      guard option.value.hasPrefix("--"), !name.isEmpty, isPlain, option.value.unicodeScalars.allSatisfy({ $0.value >= 0x20 }) else {
        findings.error(SiteText.flag(option.value), at: option.location)
        return nil
      }
      guard let objection = OwnOptions.objection(String(name)) else { return option.value }
      findings.error(objection, at: option.location)
      return nil
    }
  }

  private mutating func setup(_ reader: inout MappingReader) -> [String] {
    (reader.strings("setup", &findings) ?? []).compactMap { line in
      guard !line.value.utf8.contains(where: { $0 == 0x0A || $0 == 0 }) else {
        findings.error(SiteText.line, at: line.location)
        return nil
      }
      return line.value
    }
  }

  private mutating func environment(_ reader: inout MappingReader) -> [String] {
    (reader.strings("environment", &findings) ?? []).compactMap { name in
      let letters = name.value.utf8.allSatisfy { byte in
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x5F
      }
      guard letters, let first = name.value.utf8.first, !(0x30...0x39).contains(first) else {
        findings.error(SiteText.variable(name.value), at: name.location)
        return nil
      }
      guard !name.value.hasPrefix("SLURM_"), name.value != SlurmScript.indexVariable else {
        findings.error(SiteText.ownVariable(name.value), at: name.location)
        return nil
      }
      return name.value
    }
  }
}
