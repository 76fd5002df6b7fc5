import JSONValues

/// adapter_config.json in and out, member for member as PEFT has it.
extension LoRASettings {
  /// Which modules a configuration asks for, beyond `targets`: PEFT's `layers_to_transform` and `exclude_modules`.
  struct Selection {
    var layers: Set<Int>?
    private var excluded: Targets?
    private var excludedNames: NamePattern?

    mutating func exclude(_ targets: Targets?) throws(ModelError) {
      excluded = targets
      if case .pattern(let text) = targets { excludedNames = try NamePattern(text) }
    }

    func keeps(_ module: LinearModule) -> Bool {
      if let layers, !layers.contains(module.layer) { return false }
      switch excluded {
      case nil, .allLinear: return true
      case .suffixes(let suffixes): return !suffixes.contains { LoRASettings.ends(module.name, with: $0) }
      case .pattern: return !(excludedNames?.matches(module.name) ?? false)
      }
    }
  }

  /// - Throws: for another kind of adapter, and for members that ask for something else than low-rank terms on linear layers.
  static func read(_ json: JSONValue) throws(ModelError) -> (settings: LoRASettings, selection: Selection) {
    guard let object = json.objectValue else { throw ModelError("is not a JSON object") }
    guard let type = object["peft_type"] else { throw ModelError("lacks 'peft_type'") }
    guard type.stringValue.map({ $0.utf8.elementsEqual("LORA".utf8) }) ?? false else {
      throw ModelError("'peft_type' is \(type.encoded()); only \"LORA\" adapters are read")
    }
    for (key, accepted) in refused {
      guard let value = object[key], value != .null, !accepted.contains(value) else { continue }
      throw ModelError("'\(key)' is \(value.encoded()), which is not built here: an adapter is low-rank terms on linear layers")
    }
    try refuseChangedBase(object["init_lora_weights"])

    var settings = LoRASettings()
    var selection = Selection()
    guard let rank = object["r"]?.integerValue else { throw ModelError("lacks the integer 'r'") }
    settings.rank = rank
    settings.alpha = try number(object, "lora_alpha") ?? settings.alpha
    settings.dropout = try number(object, "lora_dropout") ?? 0
    settings.isRankStabilized = try flag(object, "use_rslora")
    settings.isWeightDecomposed = try flag(object, "use_dora")
    guard let targets = try targets(object, "target_modules") else { throw ModelError("lacks 'target_modules'") }
    settings.targets = targets
    try selection.exclude(try self.targets(object, "exclude_modules"))
    selection.layers = try layers(object["layers_to_transform"])
    settings.rankPattern = try overrides(object, "rank_pattern") { $0.integerValue }
    settings.alphaPattern = try overrides(object, "alpha_pattern") { $0.numberValue }
    return (settings, selection)
  }

  /// `modules`: those that have an adapter. They are named in full unless their last names pick them and no others.
  func json(_ modules: [LinearModule], _ configuration: ModelConfiguration) -> JSONValue {
    let members: [(String, JSONValue)] = [
      ("alpha_pattern", .object(JSONObject(alphaPattern.map { ($0.pattern, .number($0.value)) }))), ("auto_mapping", .null),
      ("base_model_name_or_path", .null), ("bias", "none"), ("fan_in_fan_out", false), ("inference_mode", true),
      ("init_lora_weights", true), ("layers_pattern", .null), ("layers_to_transform", .null), ("lora_alpha", number(alpha)),
      ("lora_dropout", .number(dropout)), ("modules_to_save", .null), ("peft_type", "LORA"), ("r", .integer(rank)),
      ("rank_pattern", .object(JSONObject(rankPattern.map { ($0.pattern, .integer($0.value)) }))), ("revision", .null),
      ("target_modules", .array(Self.targetNames(modules, configuration).map { .string($0) })), ("task_type", "CAUSAL_LM"),
      ("use_dora", .bool(isWeightDecomposed)), ("use_rslora", .bool(isRankStabilized)),
    ]
    return .object(JSONObject(members))
  }

  // MARK: - Parts

  /// Members that would change what is computed, with the values under which they do not.
  private static let refused: [(String, [JSONValue])] = [
    ("modules_to_save", [[]]), ("bias", ["none"]), ("fan_in_fan_out", [false]), ("lora_bias", [false]), ("layer_replication", [[]]),
    ("trainable_token_indices", [[], [:]]), ("target_parameters", [[]]), ("alora_invocation_tokens", [[]]), ("use_qalora", [false]),
    ("use_bdlora", [false]), ("arrow_config", []), ("kasa_config", []), ("monteclora_config", []), ("velora_config", []),
  ]

  /// These begin from weights taken out of the base, so that the adapter does not fit the base as it was.
  private static func refuseChangedBase(_ value: JSONValue?) throws(ModelError) {
    guard let text = value?.stringValue else { return }
    for name in ["pissa", "olora", "corda", "loftq", "lora_ga"] where text.utf8.starts(with: name.utf8) {
      throw ModelError("'init_lora_weights' is \"\(text)\", which changes the base: convert the adapter to a plain one with PEFT first")
    }
  }

  private static func number(_ object: JSONObject, _ key: String) throws(ModelError) -> Double? {
    guard let value = object[key], value != .null else { return nil }
    guard let number = value.numberValue, number.isFinite else { throw ModelError("'\(key)' must be a number, not \(value.encoded())") }
    return number
  }

  private static func flag(_ object: JSONObject, _ key: String) throws(ModelError) -> Bool {
    guard let value = object[key], value != .null else { return false }
    guard let flag = value.boolValue else { throw ModelError("'\(key)' must be true or false, not \(value.encoded())") }
    return flag
  }

  private static func targets(_ object: JSONObject, _ key: String) throws(ModelError) -> Targets? {
    guard let value = object[key], value != .null else { return nil }
    if let text = value.stringValue { return text.utf8.elementsEqual("all-linear".utf8) ? .allLinear : .pattern(text) }
    guard let names = value.arrayValue?.map(\.stringValue), !names.contains(nil) else {
      throw ModelError("'\(key)' must be a list of names, a pattern or \"all-linear\", not \(value.encoded())")
    }
    return .suffixes(names.compactMap { $0 })
  }

  private static func layers(_ value: JSONValue?) throws(ModelError) -> Set<Int>? {
    guard let value, value != .null else { return nil }
    if let layer = value.integerValue { return [layer] }
    guard let layers = value.arrayValue?.map(\.integerValue), !layers.contains(nil) else {
      throw ModelError("'layers_to_transform' must be a layer or a list of them, not \(value.encoded())")
    }
    return layers.isEmpty ? nil : Set(layers.compactMap { $0 })
  }

  private static func overrides<Value>(
    _ object: JSONObject, _ key: String, _ read: (JSONValue) -> Value?
  ) throws(ModelError) -> [Override<Value>] {
    guard let value = object[key], value != .null else { return [] }
    guard let members = value.objectValue?.members else { throw ModelError("'\(key)' must be an object, not \(value.encoded())") }
    var overrides: [Override<Value>] = []
    for member in members {
      guard let number = read(member.value) else { throw ModelError("'\(key)' has \(member.value.encoded()) for '\(member.key)'") }
      overrides.append(Override(member.key, number))
    }
    return overrides
  }

  /// Whole numbers as PEFT's users write them.
  private func number(_ value: Double) -> JSONValue { Int(exactly: value).map { .integer($0) } ?? .number(value) }

  private static func targetNames(_ modules: [LinearModule], _ configuration: ModelConfiguration) -> [String] {
    func last(_ module: LinearModule) -> String { module.name.split(separator: ".").last.map(String.init) ?? module.name }
    let names = Set(modules.map(last))
    let isPlain = LinearModule.all(configuration).count { names.contains(last($0)) } == modules.count
    return (isPlain ? Array(names) : modules.map(\.name)).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }
}
