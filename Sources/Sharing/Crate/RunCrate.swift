import Artifacts
import Execution
import Hashing
import JSONValues

/// A run as a Workflow Run RO-Crate (Provenance Run Crate 0.5): the manifest as the workflow, entries as steps, instances as actions with
/// what they took and gave by digest. The bytes themselves stay in the store.
///
/// It knows the run and the store; names of hosts and people are told only where they are asked for.
package struct RunCrate {
  package struct Options: Sendable {
    /// An SPDX identifier or a URL.
    package var license: String?
    /// Who had it run: a URL (an ORCID, say), or a name.
    package var agent: String?

    package init() {}
  }

  /// Files of the crate, the metadata first.
  package let files: [(path: String, bytes: [UInt8])]

  package static let metadataName = "ro-crate-metadata.json"

  package init(_ run: RecordedRun, _ store: Store, _ options: Options = Options()) throws {
    let manifests = try CrateManifests(run, store)
    var writer = CrateWriter(run: run, options: options, manifests: manifests)
    for instance in run.instances {
      let record = try instance.key.flatMap { key throws(StoreError) in try store.result(key) }
      writer.add(instance, record)
    }
    let metadata = writer.document.encodedBytes(pretty: true) + [0x0A]
    files = [(Self.metadataName, metadata)] + manifests.files
  }
}

/// The manifest of a run and those it used, as they were when it began.
struct CrateManifests {
  let files: [(path: String, bytes: [UInt8])]
  let description: String?

  var main: String { files[0].path }

  init(_ run: RecordedRun, _ store: Store) throws {
    let directory = "\(store.root)/runs/\(run.id)"
    guard let manifest = try store.files.read(directory + "/manifest.yaml") else {
      throw SharingError("the run has no manifest", at: directory)
    }
    let plan = try store.files.read(directory + "/plan.json").flatMap { try? JSONValue(parsing: $0) }
    var files = [(Self.name(run.manifest), manifest)]
    for used in plan?["uses"]?.arrayValue ?? [] {
      guard let path = used["manifest"]?.stringValue, let text = used["text"]?.stringValue else { continue }
      files.append(("uses/\(files.count)-\(Self.name(path))", Array(text.utf8)))
    }
    self.files = files
    description = Self.description(manifest)
  }

  /// The last component, with what a reference could not hold taken away.
  private static func name(_ path: String) -> String {
    let last = path.split(separator: "/").last.map(String.init) ?? ""
    let plain = String(
      last.unicodeScalars.filter { $0.isASCII && ($0.properties.isAlphabetic || "0123456789._-".unicodeScalars.contains($0)) })
    return plain.isEmpty || plain.hasPrefix(".") ? "recipe.yaml" : plain
  }

  /// The manifest's own, where it is on one line.
  private static func description(_ manifest: [UInt8]) -> String? {
    let lines = String(decoding: manifest, as: UTF8.self).split(separator: "\n")
    guard let line = lines.first(where: { $0.hasPrefix("description: ") }) else { return nil }
    return String(line.dropFirst("description: ".count))
  }
}
