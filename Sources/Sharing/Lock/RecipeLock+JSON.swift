import Artifacts
import Hashing
import JSONValues

/// The lock as text: JSON with a member a line, members in canonical order, so that a changed digest is a changed line.
extension RecipeLock {
  package static let format = "heirloom lock 1"

  package var bytes: [UInt8] { Self.sorted(json).encodedBytes(pretty: true) + [0x0A] }

  private var json: JSONValue {
    [
      "format": .string(Self.format), "recipe": .string(recipe), "manifest": .string(manifest),
      "engine": ["name": "heirloom", "version": .string(engine)], "numerics": .string(numerics), "parameters": .object(parameters),
      "files": .object(JSONObject(files.map { ($0.path, ["digest": .string($0.digest.text), "size": .integer($0.size)]) })),
      "contracts": .object(JSONObject(contracts.map { ($0.stage, $0.json) })),
      "sources": .object(JSONObject(sources.map { ($0.origin, $0.json) })),
      "instances": .object(JSONObject(instances.map { ($0.name, $0.json) })),
    ]
  }

  private static func sorted(_ value: JSONValue) -> JSONValue {
    switch value {
    case .object(let object):
      return .object(
        JSONObject(object.members.map { ($0.key, sorted($0.value)) }.sorted { CanonicalJSON.precedes($0.0, $1.0) }))
    case .array(let elements): return .array(elements.map(sorted))
    // As keys have it: 1 and 1.0 are one number.
    case .number(let number): return Int(exactly: number).flatMap { $0.magnitude <= 1 << 53 ? .integer($0) : nil } ?? value
    default: return value
    }
  }

  // MARK: - Reading

  /// Refuses what is not a lock, and one whose keys are not the digests of their parts.
  package init(reading bytes: [UInt8], at place: String) throws(SharingError) {
    let json: JSONValue
    do throws(JSONError) { json = try JSONValue(parsing: bytes) } catch { throw SharingError("no lock: \(error)", at: place) }
    try self.init(json: json, at: place)
  }

  private init(json: JSONValue, at place: String) throws(SharingError) {
    if let format = json["format"]?.stringValue, format != Self.format {
      throw SharingError("'\(format)' is not a form of lock that this Heirloom reads (\(Self.format))", at: place)
    }
    guard json["format"] != nil, let recipe = json["recipe"]?.stringValue, let manifest = json["manifest"]?.stringValue,
      let engine = json["engine"]?["version"]?.stringValue, let numerics = json["numerics"]?.stringValue,
      let parameters = json["parameters"]?.objectValue, let files = json["files"]?.objectValue,
      let contracts = json["contracts"]?.objectValue, let sources = json["sources"]?.objectValue,
      let instances = json["instances"]?.objectValue
    else { throw SharingError("this is no lock of Heirloom, or a damaged one", at: place) }
    func read<T>(_ object: JSONObject, _ what: String, _ make: (String, JSONValue) -> T?) throws(SharingError) -> [T] {
      var list: [T] = []
      for (key, value) in object.members {
        guard let element = make(key, value) else { throw SharingError("the \(what) '\(key)' is damaged", at: place) }
        list.append(element)
      }
      return list
    }
    self.init(
      recipe: recipe, manifest: manifest, engine: engine, numerics: numerics, parameters: parameters,
      files: try read(files, "file", File.init), contracts: try read(contracts, "contract", Contract.init),
      sources: try read(sources, "source", Source.init), instances: try read(instances, "instance", Instance.init))
  }
}

extension RecipeLock.File {
  init?(_ path: String, _ json: JSONValue) {
    guard let digest = json["digest"]?.stringValue.flatMap(Digest.init), let size = json["size"]?.integerValue else { return nil }
    self.init(path: path, digest: digest, size: size)
  }
}

extension RecipeLock.Contract {
  var json: JSONValue {
    var object = JSONObject([("version", .integer(version)), ("digest", .string(digest.text))])
    if let path { object.set("path", .string(path)) }
    return .object(object)
  }

  init?(_ stage: String, _ json: JSONValue) {
    guard let version = json["version"]?.integerValue, let digest = json["digest"]?.stringValue.flatMap(Digest.init) else { return nil }
    self.init(stage: stage, version: version, digest: digest, path: json["path"]?.stringValue)
  }
}

extension RecipeLock.Source {
  var json: JSONValue {
    [
      "digest": .string(digest.text), "size": .integer(size), "directory": .bool(isDirectory),
      "instances": .array(instances.map(JSONValue.string)),
    ]
  }

  init?(_ origin: String, _ json: JSONValue) {
    guard let digest = json["digest"]?.stringValue.flatMap(Digest.init), let size = json["size"]?.integerValue,
      let isDirectory = json["directory"]?.boolValue, let instances = json["instances"]?.arrayValue
    else { return nil }
    self.init(
      origin: origin, digest: digest, size: size, isDirectory: isDirectory, instances: instances.compactMap(\.stringValue))
  }
}

extension RecipeLock.Output {
  var json: JSONValue {
    var object = JSONObject([
      ("type", .string(type)), ("digest", .string(digest.text)), ("size", .integer(size)), ("directory", .bool(isDirectory)),
    ])
    if !metrics.isEmpty { object.set("metrics", .object(metrics)) }
    return .object(object)
  }

  init?(_ name: String, _ json: JSONValue) {
    guard let type = json["type"]?.stringValue, let digest = json["digest"]?.stringValue.flatMap(Digest.init),
      let size = json["size"]?.integerValue, size >= 0, let isDirectory = json["directory"]?.boolValue
    else { return nil }
    self.init(
      name: name, type: type, digest: digest, size: size, isDirectory: isDirectory,
      metrics: json["metrics"]?.objectValue ?? JSONObject())
  }
}

extension RecipeLock.Instance {
  var json: JSONValue {
    var object = JSONObject([("stage", .string(stage))])
    if let key {
      object.set("key", .string(key.text))
      object.set("parts", parts)
    }
    if let outputs { object.set("outputs", .object(JSONObject(outputs.map { ($0.name, $0.json) }))) }
    if !expected.isEmpty {
      object.set("expect", .object(JSONObject(expected.map { ($0.key, .string($0.value.text)) })))
    }
    if let kernel { object.set("kernel", .string(kernel)) }
    return .object(object)
  }

  init?(_ name: String, _ json: JSONValue) {
    guard let stage = json["stage"]?.stringValue else { return nil }
    let key = json["key"]?.stringValue.flatMap(Digest.init)
    let parts = json["parts"] ?? .null
    if let key, CanonicalJSON.digest(parts) != key { return nil }
    if json["key"] != nil, key == nil { return nil }
    var outputs: [RecipeLock.Output]?
    if let members = json["outputs"]?.objectValue?.members {
      let list = members.compactMap { RecipeLock.Output($0.key, $0.value) }
      guard list.count == members.count, key != nil else { return nil }
      outputs = list
    }
    let pins = (json["expect"]?.objectValue?.members ?? []).compactMap { member in
      member.value.stringValue.flatMap(Digest.init).map { (member.key, $0) }
    }
    self.init(
      name: name, stage: stage, key: key, parts: parts, outputs: outputs,
      expected: Dictionary(pins, uniquingKeysWith: { first, _ in first }), kernel: json["kernel"]?.stringValue)
  }
}
