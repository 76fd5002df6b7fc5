import Artifacts
import Diagnostics
import JSONValues
import Planning

/// `run --submit`: hands a whole graph to a queueing system, each job after those it hangs on, and leaves. From then on every job sees to
/// itself: it takes a result that is there, or computes it, as often as its instance may be tried.
package struct RunHandOver {
  /// What came of it.
  package struct Answer: Sendable {
    package let run: String
    package fileprivate(set) var jobs = 0
    package fileprivate(set) var submissions = 0
    package fileprivate(set) var cached = 0
    /// Instances that cannot be judged, or hang on such: nothing was submitted for them.
    package fileprivate(set) var failed = 0
  }

  private let recipe: Recipe
  private let origin: RecipeRun.Origin
  private let options: RunOptions
  private let store: Store
  private let name: String
  private let queue: any QueueSystem
  private let directory: RunDirectory
  private var ledger: JobLedger
  private var judgements: [Int: Judgement] = [:]
  private var needsBytes: Set<Int> = []
  private var reruns: Set<Int>
  /// By instance, once submitted.
  private var jobs: [Int: (name: JobName, id: QueueJobID)] = [:]
  /// Instances that will have no result.
  private var lost: Set<Int> = []
  private var answer: Answer

  /// Throws as `RunRequest.run`, and a `QueueProblem`.
  package static func submit(_ request: RunRequest, in storePath: String, warn: ([Diagnostic]) -> Void = { _ in }) throws -> Answer {
    let loaded = try request.load()
    warn(loaded.recipe.warnings)
    let selection = try RunSelection(loaded.recipe.graph, request.options)
    guard let name = request.options.executor, name != RunOptions.localExecutor else {
      throw QueueProblem(.refused, "'--submit' is for an executor that goes on by itself; name it with '--executor'")
    }
    let queue = try request.options.queueSystem(name)
    let store = try Store.open(storePath)
    SourceSurvey.look(loaded.recipe.graph, selection.isWanted, store, .silent)
    var handOver = try RunHandOver(loaded, selection, store, name, queue)
    return try handOver.run(selection)
  }

  private init(
    _ loaded: RunRequest.Loaded, _ selection: RunSelection, _ store: Store, _ name: String, _ queue: any QueueSystem
  ) throws {
    recipe = loaded.recipe
    origin = loaded.origin
    options = loaded.origin.request.options
    self.store = store
    self.name = name
    self.queue = queue
    reruns = selection.reruns
    directory = try RunDirectory.begin(in: store, manifest: recipe.manifest.bytes)
    ledger = JobLedger(run: directory.id, in: store)
    answer = Answer(run: directory.id)
  }

  private mutating func run(_ selection: RunSelection) throws -> Answer {
    try directory.write(plan: RunPlan.json(recipe, isWanted: selection.isWanted))
    directory.note(
      "start", RecipeRun.startMembers(recipe: recipe.graph.recipe, manifest: recipe.path, numerics: recipe.graph.numerics.rawValue))
    try judge(selection)
    try ledger.begin(origin)
    for level in levels(selection) {
      for (need, instances) in grouped(level) { try submit(instances, need) }
    }
    directory.note("handed", [("executor", .string(name)), ("jobs", .integer(answer.jobs))])
    store.sources.save()
    try directory.end()
    return answer
  }

  // MARK: - Judging

  private mutating func judge(_ selection: RunSelection) throws(StoreError) {
    let judge = Judge(graph: recipe.graph, store: store, variables: options.variables, reruns: selection.reruns)
    try store.gate.enter()
    defer { store.gate.leave() }
    judgements = try RecipePlan.judgeAll(recipe.graph, selection.isWanted, judge)
    for index in recipe.graph.instances.indices where selection.isWanted[index] {
      guard let judgement = judgements[index] else { continue }
      if judge.wantsBytes(index) { needsBytes.insert(index) }
      directory.note("judged", RecipeRun.judgedMembers(judgement, recipe.graph.instances[index].name, []))
      switch judgement.action {
      case .cached: answer.cached += 1
      case .impossible(let message): lose(index, "failed", message)
      default:
        if let cause = recipe.graph.dependencies[index].first(where: lost.contains) {
          lose(index, "skipped", "needs \(recipe.graph.instances[cause].name)")
        }
      }
    }
    try directory.flush()
  }

  private mutating func lose(_ index: Int, _ outcome: String, _ message: String) {
    lost.insert(index)
    answer.failed += 1
    directory.note(
      "finished",
      [("instance", .string(recipe.graph.instances[index].name)), ("outcome", .string(outcome)), ("error", .string(message))])
  }

  private func isCached(_ index: Int) -> Bool { if case .cached? = judgements[index]?.action { true } else { false } }

  // MARK: - Levels

  /// What is to be submitted, in steps: each hangs only on those before.
  private func levels(_ selection: RunSelection) -> [[Int]] {
    var level: [Int: Int] = [:]
    var levels: [[Int]] = []
    for index in recipe.graph.instances.indices where selection.isWanted[index] && !isCached(index) && !lost.contains(index) {
      let own = recipe.graph.dependencies[index].compactMap { level[$0] }.max().map { $0 + 1 } ?? 0
      level[index] = own
      if own == levels.count { levels.append([]) }
      levels[own].append(index)
    }
    return levels
  }

  private struct Group: Hashable {
    let need: QueueNeed
    let dependencies: [Int]
  }

  /// Those that need the same and hang on the same are one array.
  private func grouped(_ level: [Int]) -> [(QueueNeed, [Int])] {
    var places: [Group: Int] = [:]
    var groups: [(QueueNeed, [Int])] = []
    for index in level {
      let instance = recipe.graph.instances[index]
      let group = Group(need: QueueNeed(instance, options, isHandedOver: true), dependencies: open(index))
      if let place = places[group] {
        groups[place].1.append(index)
      } else {
        places[group] = groups.count
        groups.append((group.need, [index]))
      }
    }
    return groups
  }

  /// Of what it takes outputs of, those that have no result yet.
  private func open(_ index: Int) -> [Int] { recipe.graph.dependencies[index].filter { !isCached($0) } }

  // MARK: - Submitting

  private mutating func submit(_ instances: [Int], _ need: QueueNeed) throws {
    let graph = recipe.graph
    let batch = JobBatch(
      name: ledger.nextName(for: instances.map { graph.instances[$0].name }, key: instances.first.flatMap { judgements[$0]?.key?.digest }),
      run: directory.id, executor: name, system: queue.name, cluster: queue.cluster,
      submitted: Double(wallClock() / 1_000_000) / 1000, isHandedOver: true,
      members: instances.enumerated().map { place, index in
        JobBatch.Member(
          index: place, instance: graph.instances[index].name, key: judgements[index]?.key?.digest, isRerun: reruns.contains(index),
          needsBytes: needsBytes.contains(index), memoryBytes: need.memoryBytes,
          needs: graph.dependencies[index].map { dependency in
            JobBatch.Need(
              instance: graph.instances[dependency].name, key: isCached(dependency) ? judgements[dependency]?.key?.digest : nil,
              job: jobs[dependency]?.name)
          })
      })
    try ledger.intend(batch)
    try claim(batch)
    let after = instances.first.map { open($0).compactMap { jobs[$0]?.id } } ?? []
    var queueBatch = QueueBatch(batch, ledger.files, need, instances.map { graph.instances[$0] }, options, after: after)
    queueBatch.lock = try ledger.files.submissionLock(batch.name)
    defer { queueBatch.lock?.release() }
    let ids = try queue.submit(queueBatch)
    try ledger.submitted(batch.name, Dictionary(zip(batch.members.map(\.index), ids.map(\.text)), uniquingKeysWith: { first, _ in first }))
    for (place, (index, id)) in zip(instances, ids).enumerated() {
      jobs[index] = (JobName(batch: batch.name, index: place), id)
      directory.note(
        "submitted", [("instance", .string(graph.instances[index].name)), ("executor", .string(name)), ("job", .string(id.text))])
    }
    try directory.flush()
    answer.jobs += instances.count
    answer.submissions += 1
  }

  /// Where the key is known, so that a run that wants the same finds the job. One that is claimed already is left to its claim: the later
  /// job waits for the key's lock and finds the result.
  private func claim(_ batch: JobBatch) throws(StoreError) {
    let lock = try JobLedger.lock(store)
    defer { lock.release() }
    for member in batch.members {
      guard let key = member.key, try JobLedger.claim(on: key, store) == nil else { continue }
      let name = JobName(batch: batch.name, index: member.index)
      try JobLedger.claim(key, JobClaim(system: queue.name, cluster: queue.cluster, run: directory.id, name: name), store)
    }
  }
}
