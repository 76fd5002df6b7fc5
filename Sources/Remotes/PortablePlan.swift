import Artifacts
import Execution
import JSONValues
import Planning

/// A run's `plan.json` as it is shown elsewhere: the same, but for where its files lay on a host.
enum PortablePlan {
  /// Nil when it is no plan.
  static func bytes(_ plan: JSONValue) -> [UInt8]? {
    guard var object = plan.objectValue, let manifest = plan["manifest"]?.stringValue else { return nil }
    let project = Paths.parent(manifest)
    object.set("manifest", .string(path(manifest, in: project)))
    let used = (plan["uses"]?.arrayValue ?? []).map { used -> JSONValue in
      guard var entry = used.objectValue, let path = entry["manifest"]?.stringValue else { return used }
      entry.set("manifest", .string(Self.path(path, in: project)))
      return .object(entry)
    }
    if !used.isEmpty { object.set("uses", .array(used)) }
    return JSONValue.object(object).encodedBytes()
  }

  /// Below the manifest's directory as it is; a shipped contract from `stages/` on; of anything else its name.
  static func path(_ path: String, in project: String) -> String {
    let shown = Paths.shown(path, from: project)
    if !shown.hasPrefix("/") { return shown }
    if let stages = path.range(of: "/stages/") { return String(path[path.index(after: stages.lowerBound)...]) }
    return path.split(separator: "/").last.map(String.init) ?? "file"
  }

  // MARK: - Reading

  /// A plan that a tag names, of the tag's recipe and instances; of all that is shown or becomes a path in it, nothing but names.
  static func read(_ bytes: [UInt8], of tag: TagDocument, from address: String) throws(RemoteError) -> JSONValue {
    let reading = StrictReading(subject: "\(address): the plan \(tag.plan.digest)")
    guard let plan = try? JSONValue(parsing: bytes, maximumDepth: 64), let object = plan.objectValue else {
      throw reading.fail("is not JSON")
    }
    guard try reading.name(plan["recipe"], "recipe").utf8.elementsEqual(tag.recipe.utf8) else { throw reading.fail("is of another recipe") }
    let manifest = try reading.name(plan["manifest"], "manifest")
    guard !manifest.hasPrefix("/"), !manifest.split(separator: "/").contains("..") else {
      throw reading.fail("'manifest' is not a relative path")
    }
    for name in object.keys where !["recipe", "manifest", "numerics", "parameters", "uses", "instances"].contains(name) {
      throw reading.fail("has a member of another kind")
    }
    var names: Set<ByteString> = []
    let instances = try reading.list(plan["instances"], "instances", most: RemoteLimits.instances)
    for instance in instances {
      let name = try reading.name(instance["instance"], "instance")
      guard names.insert(ByteString(name)).inserted else { throw reading.fail("names an instance twice") }
      _ = try reading.name(instance["stage"], "stage")
      guard RunPlan.path(instance) != nil else { throw reading.fail("an instance has no path") }
      for list in ["needs", "passing", "changed"] where instance[list] != nil {
        for element in try reading.list(instance[list], list, most: RemoteLimits.instances) { _ = try reading.name(element, list) }
      }
    }
    guard tag.instances.allSatisfy({ names.contains(ByteString($0.name)) }) else { throw reading.fail("lacks instances of the tag") }
    return plan
  }

  /// The plan of some of its instances.
  static func part(_ plan: JSONValue, of instances: Set<ByteString>) -> JSONValue {
    guard var object = plan.objectValue else { return plan }
    let kept = (plan["instances"]?.arrayValue ?? []).filter {
      $0["instance"]?.stringValue.map { instances.contains(ByteString($0)) } ?? false
    }
    object.set("instances", .array(kept))
    return .object(object)
  }
}
