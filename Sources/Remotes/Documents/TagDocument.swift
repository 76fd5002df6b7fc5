import Artifacts
import Hashing
import JSONValues

/// What people give a name to: the instances of a run with their keys and outputs, and the recipe they come from, by digest.
///
/// ```
/// {"format": "heirloom remote tag 1", "recipe": "quickstart", "run": "2026…", "numerics": "portable", "parameters"?,
///  "instances": [{"instance": "data[sort]", "key": "sha256:…", "outputs": {"train": "sha256:…"}}],
///  "manifest": {"digest", "size"}, "plan": {"digest", "size"}, "files": [{"path": "stages/x.yaml", "digest", "size"}]}
/// ```
package struct TagDocument: Sendable, Equatable {
  static let format = "heirloom remote tag 1"

  package struct Instance: Sendable, Equatable {
    package let name: String
    package let key: Digest
    package let outputs: [(name: String, digest: Digest)]

    package init(name: String, key: Digest, outputs: [(name: String, digest: Digest)]) {
      self.name = name
      self.key = key
      self.outputs = outputs
    }

    package static func == (one: Self, other: Self) -> Bool {
      one.name == other.name && one.key == other.key && one.outputs.elementsEqual(other.outputs) { $0 == $1 }
    }
  }

  /// A file that plans are made of, as the recipe's project has it: never where it lay on a host.
  package struct File: Sendable, Equatable {
    package let path: String
    package let blob: Blob

    package init(path: String, blob: Blob) { (self.path, self.blob) = (path, blob) }
  }

  package let recipe: String
  package let run: String
  package let numerics: String
  package let instances: [Instance]
  package let manifest: Blob
  package let plan: Blob
  package let files: [File]

  package init(
    recipe: String, run: String, numerics: String, instances: [Instance], manifest: Blob, plan: Blob, files: [File]
  ) {
    self.recipe = recipe
    self.run = run
    self.numerics = numerics
    self.instances = instances
    self.manifest = manifest
    self.plan = plan
    self.files = files
  }

  /// The blobs that it stands on itself, beside those of its results.
  package var blobs: [Blob] { [manifest, plan] + files.map(\.blob) }

  package var bytes: [UInt8] {
    CanonicalJSON.bytes([
      "format": .string(Self.format), "recipe": .string(recipe), "run": .string(run), "numerics": .string(numerics),
      "instances": .array(
        instances.map { instance in
          [
            "instance": .string(instance.name), "key": .string(instance.key.text),
            "outputs": .object(JSONObject(instance.outputs.map { ($0.name, .string($0.digest.text)) })),
          ]
        }), "manifest": Self.json(manifest), "plan": Self.json(plan),
      "files": .array(
        files.map { ["path": .string($0.path), "digest": .string($0.blob.digest.text), "size": .integer($0.blob.size)] }),
    ])
  }

  private static func json(_ blob: Blob) -> JSONValue { ["digest": .string(blob.digest.text), "size": .integer(blob.size)] }

  package init(_ bytes: [UInt8], name: String, from address: String) throws(RemoteError) {
    let reading = StrictReading(subject: "\(address) tags/\(name)")
    let json = try reading.json(bytes, limit: RemoteLimits.tagBytes, format: Self.format)
    recipe = try reading.name(json["recipe"], "recipe")
    run = try reading.name(json["run"], "run")
    numerics = try reading.word(json["numerics"], "numerics")
    manifest = try Self.blob(json["manifest"], "manifest", most: RemoteLimits.manifestBytes, reading)
    plan = try Self.blob(json["plan"], "plan", most: RemoteLimits.planBytes, reading)
    var files: [File] = []
    for entry in try reading.list(json["files"], "files", most: RemoteLimits.captured) {
      let path = try reading.name(entry["path"], "path")
      let parts = path.split(separator: "/", omittingEmptySubsequences: false)
      guard parts.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }) else { throw reading.fail("names a file that leaves the project") }
      files.append(File(path: path, blob: try Self.blob(entry, path, most: RemoteLimits.manifestBytes, reading)))
    }
    self.files = files
    var instances: [Instance] = []
    var seen: Set<ByteString> = []
    for entry in try reading.list(json["instances"], "instances", most: RemoteLimits.instances) {
      let instance = try reading.name(entry["instance"], "instance")
      guard seen.insert(ByteString(instance)).inserted else { throw reading.fail("names an instance twice") }
      guard let members = entry["outputs"]?.objectValue?.members, members.count <= RemoteLimits.outputs else {
        throw reading.fail("'outputs' is not an object")
      }
      var outputs: [(name: String, digest: Digest)] = []
      for member in members {
        outputs.append((try reading.word(.string(member.key), "output"), try reading.digest(member.value, "output")))
      }
      instances.append(Instance(name: instance, key: try reading.digest(entry["key"], "key"), outputs: outputs))
    }
    self.instances = instances
  }

  private static func blob(_ value: JSONValue?, _ name: String, most: Int, _ reading: StrictReading) throws(RemoteError) -> Blob {
    guard let value else { throw reading.fail("'\(name)' is missing") }
    return Blob(try reading.digest(value["digest"], name), size: try reading.size(value["size"], name, most: most), title: name)
  }
}
