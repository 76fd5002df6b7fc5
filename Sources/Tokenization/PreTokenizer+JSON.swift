import JSONValues

extension PreTokenizer {
  init(_ place: JSONPlace) throws(TokenizerError) {
    if place.isNull { throw place.fault("there is none; byte-level BPE needs a ByteLevel pre-tokenizer") }
    let steps = try Self.steps(place)
    guard steps.count <= Self.mostSteps else {
      throw place.fault("there are \(steps.count) steps; at most \(Self.mostSteps) are supported")
    }
    guard case .byteLevel = steps.last else { throw place.fault("its last step is not ByteLevel; only byte-level BPE is supported") }
    for case .byteLevel in steps.dropLast() { throw place.fault("nothing may follow ByteLevel") }
    self.init(steps)
  }

  /// Each step works inside the pieces of the one before.
  private static let mostSteps = 32

  private static func steps(_ place: JSONPlace) throws(TokenizerError) -> [Step] {
    switch try place.required("type").string() {
    case "Sequence":
      var steps: [Step] = []
      for part in try place.required("pretokenizers").array() { steps += try Self.steps(part) }
      return steps
    case "ByteLevel":
      let addPrefixSpace = try place.optional("add_prefix_space").bool(orElse: true)
      return [.byteLevel(addPrefixSpace: addPrefixSpace, useRegex: try place.optional("use_regex").bool(orElse: true))]
    case "Digits": return [.digits(individual: try place.optional("individual_digits").bool(orElse: false))]
    case "Split": return [.split(try pattern(place))]
    case let other:
      throw try place.required("type").fault("pre-tokenizer '\(other)' is not supported; ByteLevel, Digits, Split and Sequence are")
    }
  }

  private static func pattern(_ place: JSONPlace) throws(TokenizerError) -> SplitPattern {
    let regex = try place.required("pattern").required("Regex")
    let expression = try regex.string()
    guard let pattern = SplitPattern(expression: expression) else {
      throw regex.fault("the expression '\(expression)' is not supported; those of GPT-2, Qwen2 and Llama 3 are")
    }
    // The patterns match every scalar, so keeping the matches alone cuts like keeping everything.
    let behavior = try place.required("behavior")
    let invert = try place.optional("invert").bool(orElse: false)
    switch (try behavior.string(), invert) {
    case ("Isolated", _), ("Removed", true): return pattern
    case (let other, _): throw behavior.fault("Split with behavior '\(other)' and invert \(invert) is not supported; Isolated is")
    }
  }

  var json: JSONValue {
    let parts = steps.map(\.json)
    return parts.count == 1 ? parts[0] : ["type": "Sequence", "pretokenizers": .array(parts)]
  }
}

extension PreTokenizer.Step {
  fileprivate var json: JSONValue {
    switch self {
    case .byteLevel(let addPrefixSpace, let useRegex):
      ["type": "ByteLevel", "add_prefix_space": .bool(addPrefixSpace), "trim_offsets": true, "use_regex": .bool(useRegex)]
    case .digits(let individual): ["type": "Digits", "individual_digits": .bool(individual)]
    case .split(let pattern):
      ["type": "Split", "pattern": ["Regex": .string(pattern.expression)], "behavior": "Isolated", "invert": false]
    }
  }
}
