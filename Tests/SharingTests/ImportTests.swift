import Artifacts
import Foundation
import Glibc
import Hashing
import JSONValues
import Sharing
import Synchronization
import Testing

@Suite("Taking a recipe in") struct ImportTests {
  private let scratch: ScratchDirectory

  init() throws { scratch = try ScratchDirectory() }

  private var store: String { scratch.path + "/store" }

  @discardableResult
  private func take(
    _ archive: [UInt8], into directory: String = "out", _ existing: RecipeImport.Existing = .stay
  ) throws -> RecipeImport.Outcome {
    try scratch.write("in.tar", archive)
    let container = try #require(try RecipeContainer.at(scratch.path + "/in.tar"))
    return try RecipeImport(container, into: "\(scratch.path)/\(directory)", storePath: store, existing).run()
  }

  /// Nothing but what was there before, nothing half done, nothing in the store.
  private func expectNothing(_ others: [String] = []) {
    #expect(scratch.files().filter { !$0.hasPrefix("store/") } == (["in.tar"] + others).sorted())
    let left = scratch.files("store").filter { $0.hasPrefix("objects/") || $0.hasPrefix("results/") || $0.hasPrefix("incoming/") }
    #expect(left == [])
  }

  @Test("files come where they belong")
  func plain() throws {
    let outcome = try take(RawRecipe().archive())
    #expect(outcome.files == 3 && outcome.objects == 0)
    #expect(scratch.files("out") == ["r.lock", "r.yaml", "sub/data.txt"])
    #expect(try scratch.read("out/sub/data.txt") == Array("data".utf8))
    #expect(scratch.files().count == 4, "no store is made, nothing is left beside")
  }

  /// A record of a result, and the object it speaks of.
  private func result(_ change: (inout JSONObject) -> Void = { _ in }) throws -> (
    key: Digest, record: [UInt8], object: Digest, bytes: [UInt8]
  ) {
    let bytes = Array("answer".utf8)
    let parts: JSONValue = ["stage": "s", "version": 1]
    let key = CanonicalJSON.digest(parts)
    let output = StoredOutput(name: "o", type: "file", digest: Digest(hashing: bytes), size: bytes.count, isDirectory: false)
    let outcome = ResultOutcome(outputs: [output], recipe: "r", instance: "i", run: "there", finished: 1, seconds: 1)
    let json = ResultRecord(key: key, stage: "s", parts: parts, outcome: outcome).json
    var object = try #require(json.objectValue)
    change(&object)
    return (key, JSONValue.object(object).encodedBytes(), output.digest, bytes)
  }

  private func recipe(_ result: (key: Digest, record: [UInt8], object: Digest, bytes: [UInt8])) -> RawRecipe {
    var recipe = RawRecipe()
    recipe.files.append(("objects/\(result.object.hex)", result.bytes))
    recipe.files.append(("results/\(result.key.hex).json", result.record))
    return recipe
  }

  @Test("artifacts come into the store, objects before results")
  func artifacts() throws {
    let made = try result()
    let outcome = try take(recipe(made).archive())
    #expect(outcome.objects == 1 && outcome.results == 1 && outcome.passedOver == [])
    let store = try Store(reading: store)
    #expect(try store.object(made.object) == made.bytes)
    #expect(try store.result(made.key)?.answer.outputs.first?.digest == made.object)
    #expect(try FileSystem.posix.list(store.root + "/incoming") == [])
    #expect(try take(recipe(made).archive()).unchanged == 3)
  }

  @Test("a result of another key than its name, or with other sizes, is refused and its object too")
  func lyingResult() throws {
    let changes: [(inout JSONObject) -> Void] = [
      { $0.set("parts", ["stage": "s", "version": 2]) }, { $0.set("stage", "other") },
      { $0.set("key", .string(Digest(hashing: "x").text)) }, { $0.set("format", "x") },
      { object in
        let outcome = object["outcomes"]?[0]?.objectValue.map { old in
          var new = old
          new.set(
            "outputs", [["name": "o", "type": "file", "digest": .string(Digest(hashing: "answer").text), "size": 7, "directory": false]])
          return JSONValue.object(new)
        }
        object.set("outcomes", .array([outcome ?? .null]))
      },
    ]
    for change in changes {
      #expect(throws: SharingError.self) { try take(recipe(result(change)).archive()) }
      expectNothing()
    }
  }

  @Test("what a run has, or what gave something else here, stays as it is")
  func passedOver() throws {
    let made = try result()
    let here = try Store.open(store)
    let attempt = try here.lock(made.key, owner: LockOwner(run: "x", instance: "y"))
    guard case .held(let lock) = attempt else {
      Issue.record("nobody else has the lock")
      return
    }
    #expect(try take(recipe(made).archive()).passedOver == ["i"])
    #expect(try here.result(made.key) == nil)
    lock.release()
    let bytes = Array("another".utf8)
    let output = StoredOutput(name: "o", type: "file", digest: Digest(hashing: bytes), size: bytes.count, isDirectory: false)
    let outcome = ResultOutcome(outputs: [output], recipe: "r", instance: "i", run: "here", finished: 1, seconds: 1)
    var pending = PendingWrites()
    _ = try here.publish(key: made.key, stage: "s", parts: ["stage": "s", "version": 1], outcome: outcome, .keepsFirst, &pending)
    #expect(try take(recipe(made).archive()).passedOver == ["i"])
    #expect(try here.result(made.key)?.answer.outputs == [output])
  }

  /// The disk is full from some operation on, or one operation fails by itself, whichever it is.
  @Test(
    "whatever the disk refuses on the way, nothing is half done, what was in the store stays, and another import does it all",
    arguments: [ENOSPC, EIO], [false, true])
  func faults(code: Int32, intoStore: Bool) throws {
    let made = try result()
    var earlier = RawRecipe()
    earlier.files.append(("objects/\(Digest(hashing: "earlier").hex)", Array("earlier".utf8)))
    for place in 0..<1000 {
      let scratch = try ScratchDirectory.inMemory()
      let (store, out) = (scratch.path + "/store", scratch.path + "/out")
      func take(_ recipe: RawRecipe, into directory: String, _ files: FileSystem) throws -> RecipeImport.Outcome {
        try scratch.write("in.tar", recipe.archive())
        let container = try #require(try RecipeContainer.at(scratch.path + "/in.tar"))
        return try RecipeImport(container, into: directory, storePath: store, files: files).run()
      }
      if intoStore { _ = try take(earlier, into: scratch.path + "/earlier", .posix) }
      let count = Atomic(0)
      let faulty = FileSystem { operation, _ in
        if code == ENOSPC, ![.write, .sync, .rename, .link, .makeDirectory, .open].contains(operation) { return nil }
        let number = count.add(1, ordering: .relaxed).oldValue
        return code == ENOSPC ? (number >= place ? code : nil) : (number == place ? code : nil)
      }
      let outcome = Result { try take(recipe(made), into: out, faulty) }
      if case .failure(let error) = outcome {
        #expect(error is StoreError || error is SharingError, "\(error)")
        #expect(try FileSystem.posix.list(out) == nil, "operation \(place): a part of the recipe is there")
        if code == ENOSPC { #expect(try FileSystem.posix.list(scratch.path)?.contains { $0.contains(".import") } == false) }
      }
      if try FileSystem.posix.exists(store + "/format") {
        let report = try Checkup(Store(reading: store)).run(.report)
        #expect(report.damage.isEmpty, "operation \(place): \(report.damage)")
        if intoStore { #expect(try Store(reading: store).object(Digest(hashing: "earlier")) == Array("earlier".utf8)) }
      }
      let again = try take(recipe(made), into: out, .posix)
      #expect(again.files + again.unchanged == 3 && again.results == 1 && again.passedOver == [])
      #expect(try Store(reading: store).object(made.object) == made.bytes)
      // No operation was left to fail.
      if count.load(ordering: .relaxed) <= place { return #expect(place > 20) }
    }
    Issue.record("there is no end to it")
  }

  @Test(
    "documents that lie are refused",
    arguments: [
      ("another digest", "digest"), ("a larger size", "were declared"), ("a smaller size", "were declared"),
      ("a giant size", "were declared"),
      ("a negative size", "no digest or no size"), ("sizes beyond all", "add up"), ("listed and not there", "not there"),
      ("there and not listed", "not listed"), ("a path that leads out", "leaves its directory"), ("an absolute path", "neither a file"),
      ("twice", "twice"), ("no manifest", "does not list"), ("an object of another name", "another digest than its name"),
      ("another place", "neither a file"),
    ])
  func lyingDocument(_ kind: String, _ message: String) throws {
    var recipe = RawRecipe()
    let last = recipe.files.count - 1
    switch kind {
    case "another digest": recipe.digests["recipe/r.yaml"] = Digest(hashing: "x")
    case "a larger size": recipe.sizes["recipe/r.yaml"] = 13
    case "a smaller size": recipe.sizes["recipe/r.yaml"] = 11
    case "a giant size": recipe.sizes["recipe/r.yaml"] = .integer(1 << 50)
    case "a negative size": recipe.sizes["recipe/r.yaml"] = -1
    case "sizes beyond all": for path in ["recipe/r.yaml", "recipe/r.lock"] { recipe.sizes[path] = .integer(Int.max) }
    case "listed and not there": recipe.listed = recipe.files.map(\.path) + ["recipe/more"]
    case "there and not listed": recipe.listed = recipe.files.dropLast().map(\.path)
    case "a path that leads out": recipe.files[last].path = "recipe/../../x"
    case "an absolute path": recipe.files[last].path = "etc/passwd"
    case "twice": recipe.listed = recipe.files.map(\.path) + ["recipe/r.yaml"]
    case "no manifest": recipe.files.removeAll { $0.path == "recipe/r.yaml" }
    case "an object of another name": recipe.files.append(("objects/\(Digest(hashing: "x").hex)", [1]))
    default: recipe.files.append(("elsewhere/x", [1]))
    }
    let error = #expect(throws: SharingError.self) { try take(recipe.archive()) }
    #expect(error?.message.contains(message) == true || error?.blame == .transfer, "\(error?.description ?? "")")
    expectNothing()
  }

  @Test("nothing is left of an archive that is cut off anywhere")
  func truncated() throws {
    let bytes = recipe(try result()).archive()
    for end in stride(from: 0, to: bytes.count - 512, by: 512) {
      #expect(throws: SharingError.self, "cut at \(end)") { try take(Array(bytes[..<end])) }
      expectNothing()
    }
  }

  @Test("files that are there with other bytes stay, unless they are to be replaced")
  func existing() throws {
    try scratch.write("out/r.yaml", "mine")
    try scratch.write("out/other", "mine too")
    let error = #expect(throws: SharingError.self) { try take(RawRecipe().archive()) }
    #expect(error?.description.contains("--force") == true)
    expectNothing(["out/other", "out/r.yaml"])
    #expect(try scratch.read("out/r.yaml") == Array("mine".utf8))
    let outcome = try take(RawRecipe().archive(), .replaced)
    #expect(outcome.files == 3 && scratch.files("out") == ["other", "r.lock", "r.yaml", "sub/data.txt"])
    #expect(try take(RawRecipe().archive()).unchanged == 3)
  }

  @Test("a link on the way is not followed")
  func links() throws {
    try FileSystem.posix.makeDirectory(scratch.path + "/elsewhere")
    try FileSystem.posix.makeDirectory(scratch.path + "/out")
    try FileSystem.posix.symbolicLink(scratch.path + "/out/sub", to: "../elsewhere")
    #expect(throws: SharingError.self) { try take(RawRecipe().archive(), .replaced) }
    #expect(try FileSystem.posix.list(scratch.path + "/elsewhere") == [])
    try FileSystem.posix.remove(scratch.path + "/out/sub")
    try FileSystem.posix.symbolicLink(scratch.path + "/out/r.yaml", to: "../elsewhere/new")
    #expect(throws: SharingError.self) { try take(RawRecipe().archive(), .replaced) }
    #expect(try FileSystem.posix.list(scratch.path + "/elsewhere") == [])
  }

  // MARK: - Directories and layouts

  private func unpack(_ recipe: RawRecipe) throws {
    try scratch.write("dir/" + RecipeDocument.name, recipe.document)
    for (path, bytes) in recipe.files { try scratch.write("dir/" + path, bytes) }
  }

  private func takeDirectory(_ name: String) throws -> RecipeImport.Outcome {
    let container = try #require(try RecipeContainer.at("\(scratch.path)/\(name)"))
    return try RecipeImport(container, into: scratch.path + "/out", storePath: store).run()
  }

  @Test("the directory that an archive unpacks to is taken in as the archive is, its links are not")
  func directory() throws {
    try unpack(RawRecipe())
    #expect(try takeDirectory("dir").files == 3)
    try FileSystem.posix.remove(scratch.path + "/out")
    try FileSystem.posix.remove(scratch.path + "/dir/recipe/sub/data.txt")
    try scratch.write("secret", "data")
    try FileSystem.posix.symbolicLink(scratch.path + "/dir/recipe/sub/data.txt", to: "../../../secret")
    let error = #expect(throws: SharingError.self) { try takeDirectory("dir") }
    #expect(error?.message.contains("link") == true)
    #expect(scratch.files("out") == [])
  }

  @Test("a changed byte in a directory, and a pipe in it, are refused")
  func changedDirectory() throws {
    try unpack(RawRecipe())
    try scratch.write("dir/recipe/sub/data.txt", "date")
    #expect(throws: SharingError.self) { try takeDirectory("dir") }
    try FileSystem.posix.remove(scratch.path + "/dir/recipe/sub/data.txt")
    mkfifo(scratch.path + "/dir/recipe/sub/data.txt", 0o600)
    #expect(throws: SharingError.self) { try takeDirectory("dir") }
    #expect(scratch.files("out") == [])
  }

  private func package(_ recipe: RawRecipe) throws -> RecipePackage {
    let document = try RecipeDocument(reading: recipe.document)
    return RecipePackage(
      document: document,
      items: document.entries.map { entry in
        RecipePackage.Item(entry: entry, content: .bytes(recipe.files.first { $0.path == entry.path.text }?.bytes ?? []), artifact: nil)
      })
  }

  @Test("an archive and a layout of the same recipe are the same, and come back")
  func roundTrip() throws {
    let made = try package(recipe(result()))
    try ArchiveExport.write(made, to: scratch.path + "/a.tar")
    try ArchiveExport.write(made, to: scratch.path + "/b.tar")
    #expect(try scratch.read("a.tar") == scratch.read("b.tar"))
    #expect(throws: SharingError.self) { try ArchiveExport.write(made, to: scratch.path + "/b.tar") }
    try LayoutExport.write(made, to: scratch.path + "/layout")
    for name in ["a.tar", "layout"] {
      let outcome = try takeDirectory(name)
      #expect(outcome.document == made.document && outcome.files == 3 && outcome.results == 1)
      try FileSystem.posix.remove(scratch.path + "/out")
      try FileSystem.posix.remove(store)
    }
  }

  @Test("a layout is what registries expect")
  func layout() throws {
    try LayoutExport.write(package(recipe(result())), to: scratch.path + "/layout")
    let index = try JSONValue(parsing: try #require(try scratch.read("layout/index.json")))
    let digest = try #require(index["manifests"]?[0]?["digest"]?.stringValue.flatMap(Digest.init))
    let bytes = try #require(try scratch.read("layout/blobs/sha256/" + digest.hex))
    #expect(Digest(hashing: bytes) == digest)
    let manifest = try JSONValue(parsing: bytes)
    #expect(manifest["mediaType"] == "application/vnd.oci.image.manifest.v1+json")
    #expect(manifest["artifactType"] == "application/vnd.heirloom.recipe.v1+json")
    let titles = manifest["layers"]?.arrayValue?.compactMap { $0["annotations"]?["org.opencontainers.image.title"]?.stringValue } ?? []
    #expect(titles.first == RecipeDocument.name && titles.contains("recipe/r.yaml"))
    for layer in manifest["layers"]?.arrayValue ?? [] {
      let digest = try #require(layer["digest"]?.stringValue.flatMap(Digest.init))
      #expect(try scratch.read("layout/blobs/sha256/" + digest.hex)?.count == layer["size"]?.integerValue)
    }
    #expect(MediaType.of("model/model.safetensors", isArtifact: true) == "application/vnd.cncf.model.weight.v1.raw")
    #expect(MediaType.of("model/config.json", isArtifact: true) == "application/vnd.cncf.model.weight.config.v1.raw")
  }

  @Test("a layout with a swapped blob, a wrong size, two recipes or none is refused", arguments: ["blob", "index", "none", "two"])
  func badLayout(_ kind: String) throws {
    try LayoutExport.write(package(RawRecipe()), to: scratch.path + "/layout")
    switch kind {
    case "blob": try scratch.write("layout/blobs/sha256/" + Digest(hashing: "data").hex, "date")
    case "index":
      let text = String(decoding: try #require(try scratch.read("layout/index.json")), as: UTF8.self)
      try scratch.write("layout/index.json", text.replacing("\"size\":", with: "\"size\":1"))
    case "none": try scratch.write("layout/index.json", #"{"schemaVersion":2,"manifests":[]}"#)
    default:
      let entry = #"{"artifactType":"application/vnd.heirloom.recipe.v1+json","digest":"x","size":1}"#
      try scratch.write("layout/index.json", #"{"schemaVersion":2,"manifests":[\#(entry),\#(entry)]}"#)
    }
    #expect(throws: SharingError.self) { try takeDirectory("layout") }
    #expect(scratch.files("out") == [])
  }
}
