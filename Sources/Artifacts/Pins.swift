import Hashing
import JSONValues

/// A name that keeps something: outputs, or all that a run came to. `gc` never touches what a pin holds.
package struct Pin: Sendable, Equatable {
  package enum Subject: Sendable, Equatable {
    /// Outputs of one result, as they are now: a later run that makes others does not move the pin.
    case outputs([StoredOutput], recipe: String, instance: String, key: Digest)
    /// A run by its id: what every instance of it answers with.
    case run(String)
  }

  package let name: String
  package let subject: Subject
  /// Seconds since 1970.
  package let created: Double

  package init(name: String, subject: Subject, created: Double) {
    self.name = name
    self.subject = subject
    self.created = created
  }

  package var json: JSONValue {
    var object = JSONObject([("format", .string(Self.format)), ("name", .string(name)), ("created", .number(created))])
    switch subject {
    case .run(let id): object.set("run", .string(id))
    case .outputs(let outputs, let recipe, let instance, let key):
      object.set("recipe", .string(recipe))
      object.set("instance", .string(instance))
      object.set("key", .string(key.text))
      object.set("outputs", .array(outputs.map(\.json)))
    }
    return .object(object)
  }

  private static let format = "heirloom pin 1"

  init?(json: JSONValue) {
    guard json["format"]?.stringValue == Self.format, let name = json["name"]?.stringValue, let created = json["created"]?.numberValue
    else { return nil }
    if let run = json["run"]?.stringValue {
      self.init(name: name, subject: .run(run), created: created)
      return
    }
    guard let recipe = json["recipe"]?.stringValue, let instance = json["instance"]?.stringValue,
      let key = json["key"]?.stringValue.flatMap(Digest.init), let list = json["outputs"]?.arrayValue
    else { return nil }
    let outputs = list.compactMap(StoredOutput.init(json:))
    guard outputs.count == list.count else { return nil }
    self.init(name: name, subject: .outputs(outputs, recipe: recipe, instance: instance, key: key), created: created)
  }
}

extension Store {
  private func pinPath(_ name: String) -> String { "\(root)/pins/\(Self.fileName(name)).json" }

  /// All pins, by name.
  package func pins() throws(StoreError) -> [Pin] {
    var pins: [Pin] = []
    for file in try files.list(root + "/pins") ?? [] where !TemporaryName.isTemporary(file) {
      if let pin = try pin(file: file) { pins.append(pin) }
    }
    return pins
  }

  package func pin(named name: String) throws(StoreError) -> Pin? { try pin(path: pinPath(name)) }

  func pin(file: String) throws(StoreError) -> Pin? { try pin(path: "\(root)/pins/\(file)") }

  /// A pin that cannot be read is an error and not none: what it kept would be collected.
  private func pin(path: String) throws(StoreError) -> Pin? {
    guard let bytes = try files.read(path) else { return nil }
    guard let pin = (try? JSONValue(parsing: bytes)).flatMap(Pin.init(json:)) else {
      throw StoreError("this pin is damaged; remove the file and pin again", path: path)
    }
    return pin
  }

  /// Keeps something from now on, under a name that is free or meant the same kind of thing before.
  package func keep(_ pin: Pin) throws(StoreError) {
    try files.makeDirectory(root + "/pins")
    try publish(pin.json.encodedBytes() + [0x0A], to: pinPath(pin.name))
  }

  /// False when there was no such pin.
  package func removePin(named name: String) throws(StoreError) -> Bool {
    guard try files.exists(pinPath(name)) else { return false }
    try files.remove(pinPath(name))
    return true
  }
}
