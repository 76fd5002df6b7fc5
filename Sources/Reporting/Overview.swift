import Artifacts
import Diagnostics
import Execution
import JSONValues
import Planning

/// What a run was: of which recipe, when, with which params, on what, how it stands, and how to have it again.
package struct Overview: Sendable {
  package let id: String
  package let recipe: String
  package let description: String?
  /// As it was recorded, relative to the store's project where it lies in it.
  package let manifest: String
  package let manifestText: String
  /// Seconds since 1970.
  package let started: Double
  /// Nil while it goes on, and of a run that was killed.
  package let seconds: Double?
  /// `running`, `done`, `failed`, `interrupted`, `killed`.
  package let standing: String
  /// Instances by state, those that there are, in a fixed order.
  package let counts: [(state: String, count: Int)]
  package let parameters: JSONObject
  package let numerics: String
  /// What the results of this run were computed on, each different one once, with how many results.
  package let hosts: [(facts: JSONObject, results: Int)]
  /// Of the program that wrote the report.
  package let version: String
  /// What to type to have it again, one line.
  package let command: String

  static let states = ["ran", "cached", "failed", "skipped", "interrupted", "running", "waiting"]

  init(_ records: inout RunRecords, _ rows: [InstanceRow]) {
    let (run, store) = (records.run, records.store)
    let bytes = ((try? store.files.read("\(store.root)/runs/\(run.id)/manifest.yaml")) ?? nil) ?? []
    let source = SourceFile(path: run.manifest, bytes: bytes)
    let facts = bytes.isEmpty ? nil : ManifestFacts(source)
    id = run.id
    recipe = run.recipe
    description = facts?.description
    manifest = Self.relative(run.manifest, to: store)
    manifestText = String(decoding: bytes, as: UTF8.self)
    started = run.started
    seconds = run.seconds
    standing = run.standingName
    counts = Self.states.map { ($0, run.count($0)) }.filter { $0.1 > 0 }
    parameters = run.parameters
    numerics = run.numerics
    var hosts: [(facts: JSONObject, results: Int)] = []
    for row in rows where !row.host.isEmpty {
      // What one job took is no other's.
      let facts = JSONObject(row.host.members.filter { !JobFacts.ofOneJob.contains($0.0) })
      if let known = hosts.firstIndex(where: { $0.facts == facts }) {
        hosts[known].results += 1
      } else {
        hosts.append((facts, 1))
      }
    }
    self.hosts = hosts
    version = ProgramVersion.text
    command = Self.command(manifest, facts?.settings(for: run.parameters) ?? [], numerics: run.numerics)
  }

  /// A store is `artifacts/` of its project by default.
  private static func relative(_ manifest: String, to store: Store) -> String {
    guard let slash = store.root.lastIndex(of: "/") else { return manifest }
    let project = store.root[...slash]
    return manifest.utf8.starts(with: project.utf8)
      ? String(decoding: manifest.utf8.dropFirst(project.utf8.count), as: UTF8.self) : manifest
  }

  private static func command(_ manifest: String, _ settings: [String], numerics: String) -> String {
    var words = ["heirloom", "run", manifest]
    for setting in settings { words += ["--set", setting] }
    if numerics != NumericsClass.native.rawValue { words += ["--numerics", numerics] }
    return words.map(ShellWord.quoted).joined(separator: " ")
  }
}

/// A word of a command line as a POSIX shell reads it back.
enum ShellWord {
  static func quoted(_ word: String) -> String {
    let isPlain =
      !word.isEmpty
      && word.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "/"), UInt8(ascii: "="), UInt8(ascii: ","),
          UInt8(ascii: ":"), UInt8(ascii: "@"), UInt8(ascii: "%"), UInt8(ascii: "+"):
          true
        default: false
        }
      }
    return isPlain ? word : "'" + word.replacing("'", with: #"'\''"#) + "'"
  }
}

extension Overview {
  package var json: JSONValue {
    var object = JSONObject([("id", .string(id)), ("recipe", .string(recipe))])
    if let description { object.append("description", .string(description)) }
    object.append("manifest", .string(manifest))
    object.append("manifest_text", .string(manifestText))
    object.append("started", .number(started))
    if let seconds { object.append("seconds", .number(seconds)) }
    object.append("state", .string(standing))
    object.append("counts", .object(JSONObject(counts.map { ($0.state, .integer($0.count)) })))
    object.append("parameters", .object(parameters))
    object.append("numerics", .string(numerics))
    object.append("hosts", .array(hosts.map { ["facts": .object($0.facts), "results": .integer($0.results)] }))
    object.append("version", .string(version))
    object.append("command", .string(command))
    return .object(object)
  }
}
