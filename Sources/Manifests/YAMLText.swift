/// What is said about a text that is no YAML we take.
enum YAMLText {
  static func tooLarge(_ limit: Int) -> String { "the file has more than \(limit) bytes" }
  static let invalidUTF8 = "the text is not valid UTF-8"
  static let nul = "the text holds a NUL byte"
  static let control = "the text holds a control character that YAML does not allow"
  static let empty = "the file is empty"
  static let severalDocuments = "several documents in one file; only one is allowed"
  static func tooDeep(_ limit: Int) -> String { "nested deeper than \(limit) levels" }
  static func tooManyNodes(_ limit: Int) -> String { "more than \(limit) nodes after aliases are expanded" }
  static func undefinedAlias(_ name: String) -> String { "unknown anchor '\(name)'" }
  static func cyclicAlias(_ name: String) -> String { "alias '\(name)' stands inside its own anchor" }
  static let anchored = "anchored here"
  static let keyIsNoScalar = "a key must be a plain name"
  static func duplicateKey(_ key: String) -> String { "duplicate key '\(Scalar.shortened(key))'" }
  static let firstGiven = "first given here"
  static let mergeNeedsMapping = "'<<' takes a mapping or a list of mappings"
  static func unknownTag(_ tag: String) -> String { "tag '\(tag)' has no meaning here" }
  static func tagDoesNotFit(_ tag: String, _ found: String) -> String { "\(found) is no value of tag '\(tag)'" }
  static let unquotedPlaceholder = "inside { } and [ ] YAML wants quotes around ${…}: write \"${name}\""
  static let unquotedBracket = "inside { } and [ ] YAML wants quotes around a reference with brackets: write \"name[value].output\""
  static let tab = "a tab cannot indent; use spaces"
  static func cannotStart(_ character: Character) -> String { "a plain scalar cannot start with '\(character)'; put the value in quotes" }

  /// libyaml's words for a syntax error, where ours would say no more.
  static func syntax(_ problem: String) -> String {
    switch problem {
    case "did not find expected key": "expected a key here; is the indentation that of the lines above?"
    case "mapping values are not allowed in this context": "a second ': ' on one line; put the value in quotes or on a line of its own"
    case "could not find expected ':'": "expected ':' after this key"
    case "did not find expected ',' or '}'": "expected ',' or '}'"
    case "did not find expected ',' or ']'": "expected ',' or ']'"
    case "did not find expected '-' indicator": "expected '- ' here, as the lines above have"
    case "found unexpected end of stream": "the quote is not closed"
    case "block sequence entries are not allowed in this context": "a list entry cannot stand here; put '- ' on a line of its own"
    default: problem
    }
  }

  static func context(_ context: String) -> String? {
    switch context {
    case "while parsing a flow mapping": "in the mapping that opens here"
    case "while parsing a flow sequence": "in the list that opens here"
    case "while parsing a block mapping": "in the mapping that starts here"
    case "while parsing a block collection": "in the list that starts here"
    case "while scanning a quoted scalar": "the quote opens here"
    default: nil
    }
  }

  static func readsDifferently(_ text: String, ours: String, theirs: String) -> String {
    "'\(Scalar.shortened(text))' is \(ours) here (YAML 1.2), but \(theirs) to PyYAML (YAML 1.1)"
  }
}
