import Artifacts
import Execution
import Hashing
import JSONValues
import Planning

/// Puts together what is exported: everything that planning read, what commands are made of, sources, the lock, and artifacts as wanted.
package struct RecipeCollection {
  /// Which artifacts come along.
  package enum Artifacts: Sendable, Equatable {
    case none
    /// What is known of every result: keys, digests, metrics.
    case results
    /// The results and the bytes of these instances.
    case outputs(of: [String])
    case all
  }

  private let planned: PlannedRecipe
  private let lock: RecipeLock
  private let store: Store
  private let places: RecipePlaces
  private var items: [String: RecipePackage.Item] = [:]
  private var emptyDirectories: Set<String> = []
  private var missing: [String] = []

  package static func collect(
    _ planned: PlannedRecipe, _ lock: RecipeLock, _ artifacts: Artifacts, storePath: String
  ) throws -> RecipePackage {
    var collection = RecipeCollection(planned: planned, lock: lock, store: try Store(reading: storePath), places: RecipePlaces(planned))
    try collection.takePlanned()
    try collection.takeCommands()
    try collection.takeSources()
    let lockPath = RecipeLock.path(ofManifest: lock.manifest)
    try collection.add(RecipeDocument.recipePrefix + lockPath, bytes: lock.bytes)
    try collection.take(artifacts)
    let document = RecipeDocument(
      recipe: planned.graph.recipe, engine: ProgramVersion.text, manifest: lock.manifest, lock: lockPath,
      emptyDirectories: Array(collection.emptyDirectories), entries: collection.items.values.map(\.entry))
    // What was taken has to be fit to be taken in again.
    return RecipePackage(
      document: try RecipeDocument(reading: document.bytes), items: Array(collection.items.values), missing: collection.missing)
  }

  private init(planned: PlannedRecipe, lock: RecipeLock, store: Store, places: RecipePlaces) {
    self.planned = planned
    self.lock = lock
    self.store = store
    self.places = places
  }

  // MARK: - The recipe

  private mutating func takePlanned() throws {
    for (path, bytes) in planned.capture.contents {
      for place in try places.places(of: path) { try add(RecipeDocument.recipePrefix + place, bytes: bytes) }
    }
  }

  /// Files that a contract names: its `sources`, and what its command calls by `${stage.dir}`.
  private mutating func takeCommands() throws {
    for contract in planned.contracts {
      guard case .command(let command) = contract.run else { continue }
      let called = command.words.compactMap { word -> String? in
        guard word.pieces.count == 2, case .stageDirectory = word.pieces[0], case .text(let rest) = word.pieces[1], rest.hasPrefix("/")
        else {
          return nil
        }
        return String(rest.dropFirst())
      }
      for source in Set(command.sources + called).sorted() {
        let path = Paths.absolute(source, from: contract.directory)
        guard try store.files.status(path)?.kind == .file else {
          if command.sources.contains(source) { throw SharingError("no such file", at: path) }
          continue
        }
        for place in try places.places(of: source, beside: contract) { try add(RecipeDocument.recipePrefix + place, file: path) }
      }
    }
  }

  private mutating func takeSources() throws {
    for (path, written) in ProjectRoot.sources(planned.graph) {
      guard !written.hasPrefix("/"), let place = planned.root.relative(path) else {
        throw SharingError("is an absolute path, which no other machine has; put a link into the project and name that", at: written)
      }
      let content = try store.sources.content(of: path)
      guard content.isDirectory else {
        try add(RecipeDocument.recipePrefix + place, file: path)
        continue
      }
      for file in content.files.keys.sorted() {
        try add("\(RecipeDocument.recipePrefix)\(place)/\(Paths.shown(file, from: path))", file: file)
      }
      try takeEmptyDirectories(path, place)
    }
  }

  private mutating func takeEmptyDirectories(_ path: String, _ place: String) throws {
    let names = try store.files.list(path) ?? []
    if names.isEmpty { emptyDirectories.insert(place) }
    for name in names where try store.files.status("\(path)/\(name)")?.kind == .directory {
      try takeEmptyDirectories("\(path)/\(name)", "\(place)/\(name)")
    }
  }

  // MARK: - Artifacts

  private mutating func take(_ artifacts: Artifacts) throws {
    switch artifacts {
    case .none: break
    case .results: try takeRecords(lock.instances)
    case .all:
      try takeRecords(lock.instances)
      for instance in lock.instances { try takeOutputs(instance, isWanted: false) }
    case .outputs(let names):
      var indices: Set<Int> = []
      for name in names { indices.formUnion(try planned.graph.instances(named: name)) }
      let wanted = Set(indices.map { ByteString(planned.graph.instances[$0].name) })
      let chosen = lock.instances.filter { wanted.contains(ByteString($0.name)) }
      for instance in chosen where instance.outputs == nil {
        throw SharingError("has no result yet; run it first", at: instance.name)
      }
      try takeRecords(chosen)
      for instance in chosen { try takeOutputs(instance, isWanted: true) }
    }
  }

  /// The answer alone, without the host's name and the log: what somebody else needs, and nothing of who computed it.
  private mutating func takeRecords(_ instances: [RecipeLock.Instance]) throws {
    for instance in instances {
      guard let key = instance.key, let record = try store.result(key) else { continue }
      let bytes = ResultRecord(shared: record).json.encodedBytes() + [0x0A]
      try add("\(RecipeDocument.resultsPrefix)\(key.hex).json", bytes: bytes)
    }
  }

  private mutating func takeOutputs(_ instance: RecipeLock.Instance, isWanted: Bool) throws {
    guard let key = instance.key, let record = try store.result(key) else { return }
    for output in record.answer.outputs {
      guard try store.holds(output) else {
        if isWanted { throw SharingError("its bytes are gone from the store; run it again", at: "\(instance.name).\(output.name)") }
        missing.append("\(instance.name).\(output.name)")
        continue
      }
      try addObject(output.digest, named: output.isDirectory ? nil : output.name)
      guard output.isDirectory, let listing = try store.listing(output.digest) else { continue }
      for file in listing.files { try addObject(file.digest, named: "\(output.name)/\(file.path)") }
    }
  }

  private mutating func addObject(_ digest: Digest, named name: String?) throws {
    let path = store.objectPath(digest)
    guard let status = try store.files.status(path) else { throw SharingError("is gone from the store", at: path) }
    try add(
      RecipeDocument.Entry(path: EntryPath(RecipeDocument.objectsPrefix + digest.hex), digest: digest, size: status.size), .file(path), name
    )
  }

  // MARK: - Adding

  private mutating func add(_ path: String, bytes: [UInt8]) throws(SharingError) {
    let entry = RecipeDocument.Entry(path: try EntryPath(path), digest: Digest(hashing: bytes), size: bytes.count)
    try add(entry, .bytes(bytes), nil)
  }

  private mutating func add(_ path: String, file: String) throws {
    let content = try store.sources.content(of: file)
    let isExecutable = (content.files[file]?.permissions ?? 0) & 0o100 != 0
    let entry = RecipeDocument.Entry(path: try EntryPath(path), digest: content.digest, size: content.size, isExecutable: isExecutable)
    try add(entry, .file(file), nil)
  }

  private mutating func add(_ entry: RecipeDocument.Entry, _ content: RecipePackage.Content, _ artifact: String?) throws(SharingError) {
    if let known = items[entry.path.text], known.entry.digest != entry.digest {
      throw SharingError("changed while it was exported", at: entry.path.text)
    }
    if items[entry.path.text]?.artifact == nil {
      items[entry.path.text] = RecipePackage.Item(entry: entry, content: content, artifact: artifact)
    }
  }
}

extension ResultRecord {
  /// What is told to others of a result.
  init(shared record: ResultRecord) {
    var outcome = record.answer
    outcome.log = nil
    outcome.host.set("host", nil)
    self.init(key: record.key, stage: record.stage, parts: record.parts, outcome: outcome)
  }
}
