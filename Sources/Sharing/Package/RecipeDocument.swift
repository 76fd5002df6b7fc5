import Hashing
import JSONValues

/// The first file of an exported recipe: what else is in it, by path, digest and size. Nothing is taken in that it does not list.
package struct RecipeDocument: Sendable, Equatable {
  package struct Entry: Sendable, Equatable {
    package let path: EntryPath
    package let digest: Digest
    package let size: Int
    package var isExecutable = false
  }

  /// Where an entry belongs.
  package enum Place: Sendable, Equatable {
    /// A file of the recipe, relative to its root.
    case recipe(EntryPath)
    /// A store's record of that key.
    case result(Digest)
    /// A store's object.
    case object(Digest)
  }

  package let recipe: String
  package let engine: String
  /// Relative to the recipe's root.
  package let manifest: String
  package let lock: String
  /// Directories of the recipe that hold nothing, for a program may look for them.
  package let emptyDirectories: [String]
  package let entries: [Entry]

  package static let name = "heirloom-recipe.json"
  package static let format = "heirloom recipe 1"
  package static let mostBytes = 256 << 20

  package init(
    recipe: String, engine: String, manifest: String, lock: String, emptyDirectories: [String], entries: [Entry]
  ) {
    self.recipe = recipe
    self.engine = engine
    self.manifest = manifest
    self.lock = lock
    self.emptyDirectories = emptyDirectories.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    self.entries = entries.sorted { $0.path < $1.path }
  }

  package var bytes: [UInt8] {
    let json: JSONValue = [
      "format": .string(Self.format), "recipe": .string(recipe), "engine": .string(engine), "manifest": .string(manifest),
      "lock": .string(lock), "directories": .array(emptyDirectories.map(JSONValue.string)), "entries": .array(entries.map(\.json)),
    ]
    return json.encodedBytes(pretty: true) + [0x0A]
  }

  // MARK: - Places

  package static let recipePrefix = "recipe/"
  package static let resultsPrefix = "results/"
  package static let objectsPrefix = "objects/"

  /// Bytes of everything it lists.
  package var size: Int { entries.reduce(0) { $0 + $1.size } }

  package static func place(of path: EntryPath) throws(SharingError) -> Place {
    let text = path.text
    if text.hasPrefix(recipePrefix) { return .recipe(try EntryPath(String(text.dropFirst(recipePrefix.count)))) }
    if text.hasPrefix(objectsPrefix), let digest = Digest(String(text.dropFirst(objectsPrefix.count))),
      objectsPrefix + digest.hex == text
    {
      return .object(digest)
    }
    if text.hasPrefix(resultsPrefix), text.hasSuffix(".json"), let key = Digest(String(text.dropFirst(resultsPrefix.count).dropLast(5))),
      resultsPrefix + key.hex + ".json" == text
    {
      return .result(key)
    }
    throw SharingError("is neither a file of the recipe, nor a result, nor an object", at: text)
  }
}

// MARK: - Reading

extension RecipeDocument {
  /// Every path is one that may be made, no two are one, sizes add up, and an object is called what its bytes are said to be.
  package init(reading bytes: [UInt8]) throws(SharingError) {
    let json: JSONValue
    do throws(JSONError) { json = try JSONValue(parsing: bytes) } catch {
      throw SharingError("no document of a recipe: \(error)", at: Self.name)
    }
    guard json["format"]?.stringValue == Self.format else {
      throw SharingError("this is not the document of an exported recipe (\(Self.format))", at: Self.name)
    }
    guard let recipe = json["recipe"]?.stringValue, let engine = json["engine"]?.stringValue, let manifest = json["manifest"]?.stringValue,
      let lock = json["lock"]?.stringValue, let directories = json["directories"]?.arrayValue, let list = json["entries"]?.arrayValue
    else { throw SharingError("the document is damaged", at: Self.name) }
    guard list.count < TarReader.mostEntries else { throw SharingError("it lists more than \(TarReader.mostEntries) files", at: Self.name) }
    var entries: [Entry] = []
    for element in list { entries.append(try Entry(json: element)) }
    try self.init(
      checked: recipe, engine, try EntryPath(manifest).text, try EntryPath(lock).text,
      try directories.map { (value) throws(SharingError) in try EntryPath(value.stringValue ?? "").text }, entries)
  }

  private init(
    checked recipe: String, _ engine: String, _ manifest: String, _ lock: String, _ directories: [String], _ entries: [Entry]
  ) throws(SharingError) {
    var register = PathRegister()
    var total = 0
    for entry in entries {
      try register.add(entry.path)
      if case .object(let digest) = try Self.place(of: entry.path), digest != entry.digest {
        throw SharingError("is listed with another digest than its name says", at: entry.path.text)
      }
      let (sum, overflow) = total.addingReportingOverflow(entry.size)
      guard !overflow else { throw SharingError("the sizes add up to more than a disk can hold", at: Self.name) }
      total = sum
    }
    for directory in directories {
      let inside = try EntryPath(Self.recipePrefix + directory + "/x")
      try register.add(inside)
    }
    for needed in [manifest, lock] where !entries.contains(where: { $0.path.text == Self.recipePrefix + needed }) {
      throw SharingError("it does not list \(needed), which it says the recipe begins with", at: Self.name)
    }
    self.init(
      recipe: recipe, engine: engine, manifest: manifest, lock: lock, emptyDirectories: directories, entries: entries)
  }
}

extension RecipeDocument.Entry {
  var json: JSONValue {
    var object = JSONObject([("path", .string(path.text)), ("digest", .string(digest.text)), ("size", .integer(size))])
    if isExecutable { object.set("executable", true) }
    return .object(object)
  }

  init(json: JSONValue) throws(SharingError) {
    guard let path = json["path"]?.stringValue else { throw SharingError("an entry has no path", at: RecipeDocument.name) }
    let checked = try EntryPath(path)
    guard let digest = json["digest"]?.stringValue.flatMap(Digest.init), let size = json["size"]?.integerValue, size >= 0 else {
      throw SharingError("the entry has no digest or no size", at: path)
    }
    self.init(path: checked, digest: digest, size: size, isExecutable: json["executable"]?.boolValue ?? false)
  }
}
