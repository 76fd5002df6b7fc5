/// What is said about a manifest whose YAML is sound but whose words are not. One message a cause.
package enum ManifestText {
  package static func expected(_ expected: String, for what: String, found: Node) -> String {
    "expected \(expected) for \(what), found \(found.description)"
  }
  package static func unknownKey(_ key: String, of what: String) -> String { "unknown key '\(Scalar.shortened(key))' in \(what)" }
  package static func missing(_ key: String, in what: String) -> String { "'\(key)' is missing in \(what)" }
  package static func badName(_ name: String) -> String {
    "'\(Scalar.shortened(name))' is no name; names start with a letter and go on with letters, digits, '_' and '-'"
  }
  package static func version(_ found: Node) -> String { "this program reads manifests of version 1, found \(found.description)" }
  package static let noStages = "the manifest has no stages"
  package static let neitherStageNorGroup = "an entry needs 'uses' (a stage) or 'stages' (a group)"
  package static let noStagesInGroup = "the group has no stages"
  package static let bothStageAndGroup = "an entry has either 'uses' (a stage) or 'stages' (a group), not both"
  package static func takenName(_ name: String) -> String {
    "no entry can be called '\(name)': references that begin with '\(name).' mean something else"
  }
  package static func scanOfStage(_ key: String) -> String { "'\(key)' belongs to a group: put the stage under 'stages'" }
  package static func needsScan(_ key: String) -> String { "'\(key)' means nothing without 'scan'" }
  package static func scanVariables(_ count: Int) -> String { "a scan has one variable, found \(count == 0 ? "none" : "\(count)")" }
  package static func notOfManifest(_ key: String) -> String { "'\(key)' means nothing to a whole manifest; its stages say it" }
  package static let placeholderInUses = "'uses' takes no ${…}"
  package static func numerics(_ found: String) -> String { "numerics is 'native' or 'portable', found '\(Scalar.shortened(found))'" }
  package static let emptyMatrix = "the matrix has no axis"
  package static func unclosedPlaceholder() -> String { "'${' without '}'; write '$${' for the characters themselves" }
  package static func badPlaceholder(_ text: String) -> String {
    "'${\(Scalar.shortened(text))}' names nothing; write ${name} or ${name.field}"
  }
  package static func unreadable(_ path: String, _ reason: String) -> String { "cannot read \(path): \(reason)" }
}
