import Artifacts
import Hashing
import JSONValues
import Planning

/// A request whose last run left nothing to do, and of which nothing has changed since: found without planning it again.
///
/// What the judge would look at is looked at here too, all of it: the files that were planned from by their bytes, version commands by
/// running them, sources as always, results and the bytes of what nothing further is made of by a stat each. Only the working out in
/// between is spared, and any difference sends the request the long way.
package struct UnchangedRun {
  private let store: Store
  private let memo: PlanMemo
  private let header: Header

  /// Nil unless everything still stands.
  package init?(_ request: RunRequest, in storePath: String, progress: TaskProgress.Style = .silent) throws(StoreError) {
    try self.init(request, Store(reading: storePath), progress)
  }

  private init?(_ request: RunRequest, _ store: Store, _ progress: TaskProgress.Style) throws(StoreError) {
    guard let digest = request.digest, let memo = store.planMemo(digest), let header = Header(memo.header),
      header.trace.holds(in: request.planning.files)
    else { return nil }
    for question in header.environments where question.answer(store.sources, request.options.variables) != question.answered { return nil }
    let isSame = TaskProgress.during(store.sources.meter, progress) {
      header.sources.allSatisfy { path, digest in (try? store.sources.content(of: path).digest) == digest }
    }
    guard isSame else {
      // Whoever goes the long way then has not to read again what was read here.
      store.sources.save()
      return nil
    }
    guard try store.lostOutputs().isEmpty, try memo.stands(in: store), try RunViews.stand(header.views, recipe: header.recipe, in: store)
    else { return nil }
    self.store = store
    self.memo = memo
    self.header = header
  }

  /// As `plan` prints it.
  package var planLines: [String] {
    memo.entries.map { RecipePlan.line("cached", $0.instance) } + ["\(memo.entries.count) instances: \(memo.entries.count) cached"]
  }

  /// Records a run in which nothing was left to do; nil when something is. What is found to be there is in the journal before the
  /// collector may remove anything.
  package static func run(
    _ request: RunRequest, in storePath: String, _ display: any ProgressDisplay, _ files: FileSystem = .posix
  ) throws(StoreError) -> RunRequest
    .Answer?
  {
    let store = try Store(reading: storePath, files: files)
    guard let digest = request.digest, try store.hasPlanMemo(digest) else { return nil }
    return try store.gate.inside { () throws(StoreError) in
      guard let unchanged = try UnchangedRun(request, store, display.taskStyle), let outcome = try unchanged.record(request, display) else {
        return nil
      }
      return RunRequest.Answer(outcome: outcome, recipe: unchanged.header.recipe, reports: unchanged.header.reports)
    }
  }

  /// Records the run as the one before it, with nothing done; nil when that one's plan is gone.
  private func record(_ request: RunRequest, _ display: any ProgressDisplay) throws(StoreError) -> RunOutcome? {
    let start = monotonicSeconds()
    let whole = Paths.absolute(request.manifest, from: request.planning.workingDirectory)
    guard let manifest = try store.files.read(whole) else { return nil }
    let directory = try RunDirectory.begin(in: store, manifest: manifest)
    guard try directory.adoptPlan(of: header.run, in: store) else {
      try directory.discard()
      return nil
    }
    directory.note("start", RecipeRun.startMembers(recipe: header.recipe, manifest: whole, numerics: header.numerics))
    display.show(.began(run: directory.id, recipe: header.recipe, instances: memo.entries.count))
    for entry in memo.entries {
      directory.noteCached(entry.instance, entry.key)
      display.show(.cached(entry.instance))
    }
    var outcome = RunOutcome(run: directory.id)
    outcome.cached = memo.entries.count
    outcome.seconds = monotonicSeconds() - start
    directory.note("end", RecipeRun.endMembers(outcome, status: 0))
    try directory.end()
    display.show(.ended(outcome))
    return outcome
  }

  /// Writes down what a run that ended well relied on.
  static func remember(
    _ request: RunRequest, _ trace: PlanningTrace, _ recipe: Recipe, isWanted: [Bool], run: String, _ judge: Judge, _ views: String
  ) throws {
    guard let digest = request.digest, recipe.warnings.isEmpty else { return }
    let graph = recipe.graph
    var instances: [(String, Digest)] = []
    var objects: Set<Digest> = []
    var sources: [String: Digest] = [:]
    var questions: [EnvironmentQuestion] = []
    var contracts: Set<ObjectIdentifier> = []
    for instance in graph.instances where isWanted[instance.index] {
      guard let key = judge.key(instance.index), let summary = judge.result(instance.index) else { return }
      instances.append((instance.name, key.digest))
      if graph.dependents[instance.index].isEmpty {
        for output in summary.outputs where instance.contract.output(output.name)?.keep != false {
          objects.insert(output.digest)
          for (file, _) in try judge.store.objectPaths(of: output) { objects.insert(file) }
        }
      }
      for input in instance.inputs {
        for element in input.elements {
          if case .file(let path) = element.source { sources[path] = judge.content(ofSource: path)?.digest }
        }
      }
      guard contracts.insert(ObjectIdentifier(instance.contract)).inserted, case .command(let command) = instance.contract.run else {
        continue
      }
      guard let environment = judge.environment(of: instance.contract) else { return }
      questions.append(EnvironmentQuestion(command, directory: instance.contract.directory, answer: environment))
    }
    let header = Header(
      recipe: graph.recipe, numerics: graph.numerics.rawValue, run: run, views: views, trace: trace, sources: sources.map { ($0, $1) },
      environments: questions, reports: try FinalReport.all(in: graph, for: request.options.targets))
    guard let memo = PlanMemo(header: header.json, instances: instances, objects: objects.sorted(), in: judge.store) else { return }
    judge.store.keep(memo, digest)
  }
}

/// An output of type `report` that no other stage takes: printed at the end of a run.
package struct FinalReport: Sendable, Equatable {
  package let instance: String
  package let output: String

  /// Of what the targets need, in order. Throws a `Diagnostic` for a target that does not exist.
  package static func all(in graph: InstanceGraph, for targets: [String]) throws -> [FinalReport] {
    try graph.needed(for: targets).map { graph.instances[$0] }.filter { graph.dependents[$0.index].isEmpty }.flatMap { instance in
      instance.outputs.filter { $0.type == .report }.map { FinalReport(instance: instance.name, output: $0.name) }
    }
  }
}

extension UnchangedRun {
  fileprivate struct Header {
    let recipe: String
    let numerics: String
    /// The run whose plan it is.
    let run: String
    let views: String
    let trace: PlanningTrace
    let sources: [(path: String, digest: Digest)]
    let environments: [EnvironmentQuestion]
    let reports: [FinalReport]

    var json: JSONValue {
      [
        "recipe": .string(recipe), "numerics": .string(numerics), "run": .string(run), "views": .string(views), "trace": trace.json,
        "sources": .array(sources.map { [.string($0.path), .string($0.digest.hex)] }), "environments": .array(environments.map(\.json)),
        "reports": .array(reports.map { [.string($0.instance), .string($0.output)] }),
      ]
    }
  }
}

extension UnchangedRun.Header {
  init?(_ json: JSONValue) {
    guard let recipe = json["recipe"]?.stringValue, let numerics = json["numerics"]?.stringValue, let run = json["run"]?.stringValue,
      let views = json["views"]?.stringValue, let trace = PlanningTrace(json: json["trace"]), let sources = json["sources"]?.arrayValue,
      let environments = json["environments"]?.arrayValue, let reports = json["reports"]?.arrayValue
    else { return nil }
    self.recipe = recipe
    self.numerics = numerics
    self.run = run
    self.views = views
    self.trace = trace
    self.sources = sources.compactMap { pair in
      guard let path = pair[0]?.stringValue, let digest = pair[1]?.stringValue.flatMap(Digest.init) else { return nil }
      return (path, digest)
    }
    self.environments = environments.compactMap(EnvironmentQuestion.init(json:))
    self.reports = reports.compactMap { pair in
      guard let instance = pair[0]?.stringValue, let output = pair[1]?.stringValue else { return nil }
      return FinalReport(instance: instance, output: output)
    }
    guard self.sources.count == sources.count, self.environments.count == environments.count, self.reports.count == reports.count else {
      return nil
    }
  }
}
