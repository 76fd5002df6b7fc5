import JSONValues
import Manifests

/// What planning says about contracts and recipes. One message a cause; each stands in a test with its whole rendering.
enum PlanningText {
  // MARK: - Values

  static func unrepresentable(_ text: String) -> String { "\(Scalar.shortened(text)) is no finite 64-bit number" }
  static func unknownName(_ name: String) -> String { "unknown name '\(name)' in ${…}" }
  static func noField(_ field: String, of value: String) -> String { "'\(value)' has no field '\(field)'" }
  static func cannotJoin(_ name: String, _ found: String) -> String {
    "\(found) cannot stand inside text: ${\(name)} must be the whole value"
  }

  // MARK: - Params

  static func unknownParam(_ name: String) -> String { "unknown param '\(name)'" }
  static func unknownProfile(_ name: String) -> String { "unknown profile '\(name)'" }
  static func badSet(_ text: String) -> String { "expected NAME=VALUE after --set, found '\(Scalar.shortened(text))'" }
  static func paramIsNoMapping(_ name: String) -> String { "param '\(name)' is no mapping" }
  static func cyclicParam(_ path: [String]) -> String { "params refer to each other in a circle: \(path.joined(separator: " -> "))" }

  // MARK: - Stages

  static func unknownStage(_ name: String) -> String { "unknown stage '\(Scalar.shortened(name))'" }
  static func noStagesDirectory(_ name: String) -> String {
    "unknown stage '\(Scalar.shortened(name))': no 'stages' directory above the manifest, nor beside the program"
  }
  static func unusableContract(_ name: String) -> String { "the contract of '\(name)' has errors" }
  static func unknownParameter(_ name: String, _ stage: String) -> String { "unknown parameter '\(Scalar.shortened(name))' of \(stage)" }
  static func missingParameter(_ name: String, _ stage: String) -> String { "parameter '\(name)' of \(stage) is missing" }
  static func unknownInput(_ name: String, _ stage: String) -> String { "unknown input '\(Scalar.shortened(name))' of \(stage)" }
  static func missingInput(_ name: String, _ stage: String, _ types: String) -> String {
    "input '\(name)' (\(types)) of \(stage) is missing"
  }
  static func missingInput(_ name: String, _ stage: String, _ types: String, unless parameter: String) -> String {
    "\(stage) needs the input '\(name)' (\(types)) or the parameter '\(parameter)'"
  }
  static func inInstance(_ name: String) -> String { "in \(name)" }

  // MARK: - Parameter values

  static func expected(_ expected: String, for name: String, _ found: JSONValue) -> String {
    "expected \(expected) for \(name), found \(ValueText.described(found))"
  }
  static func quoteIt(_ message: String) -> String { "\(message); put it in quotes" }
  static func outOfBounds(_ name: String, _ bound: String, _ found: JSONValue) -> String {
    "\(name) must be \(bound), found \(ValueText.plain(found))"
  }
  static func elementCount(_ name: String, _ bound: String, _ count: Int) -> String {
    "\(name) must have \(bound) elements, found \(count)"
  }
  static func notAChoice(_ name: String, _ choices: [JSONValue], _ found: JSONValue) -> String {
    "\(name) is one of \(choices.map(ValueText.plain).joined(separator: ", ")), found \(ValueText.described(found))"
  }
  static func unknownField(_ field: String, _ name: String) -> String { "unknown field '\(Scalar.shortened(field))' of \(name)" }
  static func missingField(_ field: String, _ name: String) -> String { "field '\(field)' of \(name) is missing" }

  // MARK: - Matrix

  static func axisIsNoList(_ axis: String, _ found: String) -> String { "expected a list for axis '\(axis)', found \(found)" }
  static func emptyScan(_ variable: String) -> String { "the scan over '\(variable)' has no steps" }
  static func duplicateStep(_ variable: String, _ value: JSONValue) -> String {
    "the scan over '\(variable)' has the step \(ValueText.short(value)) twice"
  }
  static func axisTwice(_ axis: String) -> String { "'\(axis)' is an axis of the matrix as well" }
  static func axisOfGroup(_ axis: String, _ group: String) -> String {
    "axis '\(axis)' is an axis of the group '\(group)' around it as well"
  }
  static func emptyAxis(_ axis: String) -> String { "axis '\(axis)' has no values" }
  static func duplicateAxisValue(_ axis: String, _ value: JSONValue) -> String {
    "axis '\(axis)' has the value \(ValueText.short(value)) twice"
  }
  static func notACombination(_ key: String) -> String { "'\(key)' is a list of mappings" }
  static func unknownAxis(_ axis: String) -> String { "unknown axis '\(Scalar.shortened(axis))'" }
  static func includeLacksAxis(_ axis: String) -> String { "an 'include' that makes a new instance needs a value for axis '\(axis)'" }
  static let everythingExcluded = "'exclude' leaves no instance"
  static func sameName(_ name: String) -> String { "two instances would be called \(name)" }
  static let tooManyInstances = "more than \(Multiplication.mostInstances) instances"

  // MARK: - References

  static func badReference(_ text: String) -> String {
    "'\(Scalar.shortened(text))' is no reference; write name.output, name[value].output, or a path that starts with ./ ../ or /"
  }
  static func unknownEntry(_ name: String) -> String { "unknown stage '\(Scalar.shortened(name))' in a reference" }
  static func isNoGroup(_ name: String) -> String { "'\(name)' is a stage and not a group; only one of its outputs can follow" }
  static func unknownInGroup(_ name: String, _ group: String) -> String { "there is no '\(Scalar.shortened(name))' in group '\(group)'" }
  static func isEntryOfGroup(_ name: String, _ group: String) -> String {
    "'\(name)' is an entry of group '\(group)'; one of its outputs must follow: \(group).\(name).OUTPUT"
  }
  static func hasNoOutputs(_ group: String) -> String { "group '\(group)' has no outputs of its own; write \(group).STAGE.OUTPUT" }
  static func groupLacksOutput(_ output: String, _ group: String) -> String {
    "group '\(group)' has no output '\(Scalar.shortened(output))'"
  }
  static func unknownOutput(_ output: String, _ stage: String) -> String { "\(stage) has no output '\(Scalar.shortened(output))'" }
  static func needsSelector(_ name: String, _ axes: [String]) -> String {
    let each = axes.map { "\($0)=…" }.joined(separator: ",")
    return
      "'\(name)' has the \(axes.count == 1 ? "axis" : "axes") \(axes.joined(separator: ", ")); say which: \(name)[\(each)] or \(name)[*]"
  }
  static func hasNoMatrix(_ name: String) -> String { "'\(name)' has no matrix, so nothing can stand in brackets" }
  static func selectorCount(_ name: String, _ axes: [String], _ found: Int) -> String {
    "'\(name)' has \(axes.count == 1 ? "the axis" : "the axes") \(axes.joined(separator: ", ")), but \(found) values are given"
  }
  static func noSuchAxis(_ axis: String, _ name: String) -> String { "'\(name)' has no axis '\(Scalar.shortened(axis))'" }
  static func noInstance(_ text: String) -> String { "there is no instance \(text)" }
  static func takesOne(_ input: String, _ stage: String, _ count: Int) -> String {
    "input '\(input)' of \(stage) takes one, but this gives \(count)"
  }
  static func takesNoList(_ input: String, _ stage: String) -> String { "input '\(input)' of \(stage) takes one reference, found a list" }
  static func emptyList(_ input: String, _ stage: String) -> String { "input '\(input)' of \(stage) takes at least one" }
  static func notAReference(_ found: String, _ what: String) -> String { "expected a reference for \(what), found \(found)" }
  static func typeMismatch(_ input: String, _ stage: String, _ takes: String, _ source: String, _ type: String) -> String {
    "input '\(input)' of \(stage) takes \(takes), but \(source) is \(type)"
  }
  static func noFile(_ path: String) -> String { "no such file or directory: \(path)" }
  static func specialFile(_ path: String) -> String { "\(path) is neither a file nor a directory" }
  static func wantsFile(_ input: String, _ stage: String, _ takes: String, _ path: String) -> String {
    "input '\(input)' of \(stage) takes \(takes), a single file, but \(path) is a directory"
  }
  static func wantsDirectory(_ input: String, _ stage: String, _ takes: String, _ path: String) -> String {
    "input '\(input)' of \(stage) takes \(takes), a directory, but \(path) is a file"
  }
  static func needsItself(_ name: String) -> String { "'\(name)' stands for itself" }
  static let handedOnTooOften = "this is handed on through too many manifests and scans"
  static func cycle(_ names: [String]) -> String { "stages need each other in a circle: \(names.joined(separator: " -> "))" }
  static func cycleStep(_ name: String, _ next: String) -> String { "\(name) takes an output of \(next)" }
  static func unknownTarget(_ name: String) -> String { "the recipe has no instance '\(Scalar.shortened(name, to: 200))'" }

  // MARK: - Scans

  static func notCarried(_ name: String) -> String { "the scan does not carry '\(Scalar.shortened(name))'" }
  static func thenLacks(_ name: String) -> String { "'then' does not say what '\(name)' is for the next step" }
  static func carriedType(_ name: String, _ expected: String, _ source: String, _ type: String) -> String {
    "the scan carries a \(expected) as '\(name)', but \(source) is \(type)"
  }
  static let carriedFirst = "the first step takes this"
  static func nothingCarried(_ name: String) -> String {
    "'carry.\(Scalar.shortened(name))' stands outside any scan that carries something"
  }
  static func unknownCarried(_ name: String) -> String { "no scan around this carries '\(Scalar.shortened(name))'" }
  static func oneName(_ word: String) -> String { "one name follows '\(word)': \(word).NAME" }

  // MARK: - Manifests that are used

  static let usedHere = "used here"
  static func usesItself(_ circle: [String]) -> String { "a manifest cannot use itself: \(circle.joined(separator: " -> "))" }
  static func tooManyManifests(_ limit: Int) -> String { "manifests that use each other more than \(limit) deep" }
  static func unknownParamOf(_ name: String, _ manifest: String) -> String { "\(manifest) has no param '\(Scalar.shortened(name))'" }
  static func onlyOutputs(_ name: String, _ manifest: String, _ outputs: [String]) -> String {
    let known = outputs.isEmpty ? "it has none" : outputs.map { "\(name).\($0)" }.joined(separator: ", ")
    return "'\(name)' is the manifest \(manifest), of which only outputs can be referred to: \(known)"
  }
  static func manifestLacksInput(_ name: String) -> String { "the manifest declares no input '\(Scalar.shortened(name))'" }
  static func manifestLacksOutput(_ name: String) -> String { "the manifest that is used has no output '\(Scalar.shortened(name))'" }
  static let outputsElsewhere = "'outputs' stands for those of a manifest that is used, in its 'then'"
  static func unboundInput(_ name: String) -> String {
    "nothing is bound to input '\(name)'; it is for manifests that use this one ('optional: true' leaves it out otherwise)"
  }
  static func visiblePath(_ path: String) -> String {
    "'visible' takes absolute paths and paths that begin with '~/', found '\(Scalar.shortened(path))'"
  }
  static func otherHermetic(_ word: String) -> String { "hermetic is \(word) here: the outermost manifest says it" }
  static func hermeticNative(_ name: String) -> String { "'hermetic' is for command stages; \(name) is part of this program" }
  static func unknownExecutor(_ name: String, _ known: [String]) -> String {
    "there is no executor '\(Scalar.shortened(name))' here; there is \(known.joined(separator: ", "))"
  }
  static func otherNumerics(_ name: String) -> String { "numerics is \(name) here: the outermost manifest says it" }

  // MARK: - Settings of an instance

  static func memory(_ found: String) -> String { "expected an amount of memory such as 8GiB, found \(found)" }
  static func time(_ found: String) -> String { "expected a time such as 90s, 30m or 2h, found \(found)" }
  static func count(_ name: String, _ least: Int, _ found: String) -> String {
    "expected an integer of at least \(least) for '\(name)', found \(found)"
  }
  static func digest(_ found: String) -> String { "expected \"sha256:\" and 64 hexadecimal digits, found \(found)" }

  // MARK: - Contracts

  static func otherName(_ said: String, _ path: String) -> String {
    "this file is the contract of '\(path)', but says '\(Scalar.shortened(said))'"
  }
  static func unknownType(_ name: String) -> String { "unknown artifact type '\(Scalar.shortened(name))'" }
  static let anyOutput = "an output cannot be of type any"
  static func unknownParameterType(_ name: String) -> String { "unknown parameter type '\(Scalar.shortened(name))'" }
  static func notForType(_ key: String, _ type: String) -> String { "'\(key)' means nothing to a parameter of type \(type)" }
  static let affects = "'affects' takes the words speed and bytes_when_set"
  static let names = "'names' takes only the word variable, of a string"
  static func emptyBounds() -> String { "the bounds leave no value" }
  static func unknownRecords(_ name: String) -> String {
    "'records' is the name of an integer parameter, but there is no parameter '\(Scalar.shortened(name))'"
  }
  static func badCondition(_ name: String) -> String {
    "'when' is the name of a parameter in the key that is a boolean or may be null; '\(Scalar.shortened(name))' is none"
  }
  static func badSubstitute(_ name: String) -> String {
    "'unless' is the name of a parameter in the key that may be null; '\(Scalar.shortened(name))' is none"
  }
  static let setNeedsNull = "a parameter that affects bytes_when_set has the default null"
  static func notGiven(_ instance: String, _ output: String, _ parameter: String) -> String {
    "\(instance) gives '\(output)' only where its parameter '\(parameter)' is set"
  }
  static func recordsIsNoInteger(_ name: String, _ type: String) -> String {
    "'records' is the name of an integer parameter, but '\(name)' is of type \(type)"
  }
  static let noOutputs = "a stage needs at least one output"
  static let choiceNeedsValues = "a choice needs 'of' with at least one scalar value"
  static let listNeedsType = "a list needs 'of' with the type of its elements"
  static let runNeedsOne = "'run' needs either 'native' or 'command'"
  static let emptyCommand = "a command needs at least one word"
  static func notInNative(_ key: String) -> String { "'\(key)' means nothing to a native stage" }
  static func missingSource(_ path: String) -> String { "no such file beside the contract: \(path)" }
  static func sourceOutside(_ path: String) -> String { "a source file is named relative to the contract, found \(path)" }
  static func badVariable(_ name: String) -> String { "'\(Scalar.shortened(name))' is no name of an environment variable" }
  static func unknownWord(_ name: String) -> String {
    "'${\(name)}' is not known to a command; write ${stage.dir}, ${inputs.NAME}, ${outputs.NAME} or ${params.NAME}"
  }
  static func unknownInCommand(_ kind: String, _ name: String) -> String { "the contract has no \(kind) '\(name)'" }
  static func listInsideWord(_ name: String) -> String { "${\(name)} is a list and must be the whole word" }
}
