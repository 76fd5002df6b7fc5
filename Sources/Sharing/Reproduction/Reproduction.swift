import Artifacts
import Execution
import Hashing
import JSONValues
import Planning

/// Computes a locked recipe once more, in a scratch directory with a store of its own, and compares what comes out with the lock.
package struct Reproduction {
  package struct Request: Sendable {
    package var selection: Selection = .all
    /// What the chosen instances need is taken from what was shipped, where it was.
    package var trustsInputs = false
    /// The class to compute in; nil is the lock's.
    package var options: RunOptions
    /// Contracts that came with this program: for a manifest in its project. An exported recipe has its own.
    package var installedStages: String?

    package init(options: RunOptions) { self.options = options }
  }

  /// What was made ready and what came out; the store is there as long as the scratch directory is.
  package struct Outcome {
    package let report: ReproductionReport
    package let lock: RecipeLock
    package let planned: PlannedRecipe
    package let store: Store
    package let run: RecordedRun
  }

  private let source: RecipeSource
  private let scratch: String
  private let request: Request
  private let files: FileSystem
  private let meter: WorkMeter

  /// - Parameter scratch: a directory of one's own that is there; the caller removes it.
  package init(_ source: RecipeSource, scratch: String, _ request: Request, files: FileSystem = .posix, meter: WorkMeter = WorkMeter()) {
    self.source = source
    self.scratch = scratch
    self.request = request
    self.files = files
    self.meter = meter
  }

  private var storePath: String { scratch + "/store" }

  /// Where the recipe lies when it has been unpacked.
  private struct Unpacked {
    let top: String?
    let manifest: String
    let lock: RecipeLock
    let intake: (StoreIntake, RecipeDocument)?
  }

  /// Throws `SharingError`, `InvalidRecipe`, a `Diagnostic` for an instance that does not exist, `StoreError`, `SpawnFailure`.
  package func run(_ style: TaskProgress.Style = .silent, display: any ProgressDisplay) throws -> Outcome {
    let started = Double(wallClock()) / 1e9
    let unpacked = try TaskProgress.during(meter, style) { try unpack() }
    defer { unpacked.intake?.0.discard() }
    let lock = unpacked.lock
    guard lock.lockedInstances > 0 else {
      throw SharingError("the lock holds no results to compare with: run the recipe, then lock it again", at: unpacked.manifest)
    }
    var asked = ask(unpacked)
    let planned = try PlannedRecipe(asked, top: unpacked.top)
    let chosen = try request.selection.indices(planned.graph, lock)
    if request.selection != .all { asked.options.targets = chosen.map { planned.graph.instances[$0].name } }
    let comparison = try LockComparison(planned, with: lock, storePath: storePath, variables: request.options.variables)
    try takeShipped(unpacked, planned, chosen)
    let answer = try asked.run(in: storePath, display: display)
    guard answer.outcome.exitStatus != 130 else {
      throw SharingError("interrupted before everything was computed; nothing was compared", .interruption)
    }
    return try compare(lock, planned, comparison, chosen, answer.outcome.run, started)
  }

  private func compare(
    _ lock: RecipeLock, _ planned: PlannedRecipe, _ comparison: LockComparison, _ chosen: [Int], _ run: String, _ started: Double
  ) throws -> Outcome {
    let store = try Store(reading: storePath)
    guard let id = RunID(run), let recorded = try StoreQueries(storePath).run(exactly: id) else {
      throw SharingError("left no record of itself", at: "run \(run)", .transfer)
    }
    let judge = Judge(graph: planned.graph, store: store, variables: request.options.variables)
    var verdicts = OutputVerdicts(planned, lock, recorded, judge, chosen: Set(chosen))
    var host = request.options.machine.facts(threads: request.options.threads ?? request.options.machine.cpus, numerics: lock.numerics)
    host.set("host", nil)
    let report = ReproductionReport(
      recipe: lock.recipe, lock: lock.digest, lockedEngine: lock.engine, engine: ProgramVersion.text, numerics: lock.numerics,
      selection: request.selection, trustsInputs: request.trustsInputs, comparison: comparison, rows: try verdicts.rows(), started: started,
      finished: Double(wallClock()) / 1e9, run: run, host: host)
    return Outcome(report: report, lock: lock, planned: planned, store: store, run: recorded)
  }

  // MARK: - Making ready

  private func ask(_ unpacked: Unpacked) -> RunRequest {
    let lock = unpacked.lock
    var options = request.options
    options.keepGoing = true
    let sets = lock.parameters.members.map { "\($0.key)=\($0.value.encoded())" }
    let planning = PlanningEnvironment(
      workingDirectory: unpacked.top ?? Paths.parent(unpacked.manifest),
      installedStages: unpacked.top == nil ? request.installedStages : nil)
    return RunRequest(
      manifest: unpacked.manifest, recipe: RecipeOptions(sets: sets, numerics: NumericsClass(rawValue: lock.numerics)), planning: planning,
      options: options)
  }

  private func unpack() throws -> Unpacked {
    switch source {
    case .manifest(let path):
      let lockPath = RecipeLock.path(ofManifest: path)
      guard try files.exists(lockPath) else { throw SharingError("has no lock beside it; `heirloom lock` makes one", at: path) }
      return Unpacked(top: nil, manifest: path, lock: try readLock(lockPath), intake: nil)
    case .exported(.directory(let path)):
      // As it lies there, for somebody may have changed a file to see what comes of it: the lock says so then.
      let document = try RecipeDocument(reading: OpenedFile(path, [RecipeDocument.name]).all(RecipeDocument.mostBytes))
      let top = path + "/recipe"
      let intake = try request.trustsInputs ? artifacts(of: document, in: path) : nil
      return Unpacked(
        top: top, manifest: "\(top)/\(document.manifest)", lock: try readLock("\(top)/\(document.lock)"), intake: intake)
    case .exported(let container): return try unpack(container)
    }
  }

  private func unpack(_ container: RecipeContainer) throws -> Unpacked {
    let top = scratch + "/recipe"
    let intake = StoreIntake(storePath, files)
    try files.makeDirectory(top)
    let document = try container.unpack(files: files, meter: meter) { entry in
      switch try RecipeDocument.place(of: entry.path) {
      case .recipe(let path): return "\(top)/\(path.text)"
      case .object, .result: return try request.trustsInputs ? intake.path(for: entry) : nil
      }
    }
    for empty in document.emptyDirectories { try files.makeDirectory("\(top)/\(empty)") }
    return Unpacked(
      top: top, manifest: "\(top)/\(document.manifest)", lock: try readLock("\(top)/\(document.lock)"),
      intake: request.trustsInputs ? (intake, document) : nil)
  }

  private func artifacts(of document: RecipeDocument, in directory: String) throws -> (StoreIntake, RecipeDocument) {
    let intake = StoreIntake(storePath, files)
    let shipped = RecipeDocument(
      recipe: document.recipe, engine: document.engine, manifest: document.manifest, lock: document.lock, emptyDirectories: [],
      entries: document.entries.filter { !$0.path.text.hasPrefix(RecipeDocument.recipePrefix) })
    _ = try RecipeContainer.unpack(shipped, in: directory, files, meter) { try intake.path(for: $0) }
    return (intake, shipped)
  }

  private func readLock(_ path: String) throws -> RecipeLock {
    guard let status = try files.status(path), status.kind == .file, status.size <= RecipeLock.mostBytes, let bytes = try files.read(path)
    else { throw SharingError("is no lock that can be read", at: path) }
    return try RecipeLock(reading: bytes, at: path)
  }

  /// Results of everything but the chosen instances go into the scratch store, as they were shipped.
  private func takeShipped(_ unpacked: Unpacked, _ planned: PlannedRecipe, _ chosen: [Int]) throws {
    guard let (intake, document) = unpacked.intake else { return }
    try intake.check(document)
    let names = Set(chosen.map { ByteString(planned.graph.instances[$0].name) })
    let keys = Set(unpacked.lock.instances.filter { names.contains(ByteString($0.name)) }.compactMap(\.key))
    var outcome = RecipeImport.Outcome(document: document)
    try intake.takeIn(document, &outcome) { !keys.contains($0) }
  }
}
