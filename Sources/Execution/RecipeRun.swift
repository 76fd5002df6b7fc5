import Artifacts
import Glibc
import Hashing
import JSONValues
import Planning
import StageInterface

/// Runs a recipe: asks the judge, does what the scheduler says, and writes down what happens.
///
/// One loop on the caller's thread decides everything; it sleeps until an executor has news, a signal comes or a time is up. Where and how
/// attempts are carried out is the executors' matter.
package final class RecipeRun {
  /// What a recipe was read for, and from.
  package struct Origin {
    package let request: RunRequest
    /// Nil when files changed in the midst: then nothing is remembered of it.
    package let trace: PlanningTrace?
    package let capture: PlanningCapture
  }

  let recipe: Recipe
  /// Nil when nobody will ask for the same again, and no job has to plan the same.
  let origin: Origin?
  let graph: InstanceGraph
  let store: Store
  let options: RunOptions
  let display: any ProgressDisplay
  let judge: Judge
  var history: ResultHistory
  var scheduler: Scheduler
  let directory: RunDirectory
  let pipe: WakePipe
  /// By name.
  let executors: [String: any Executor]
  /// Nil where no other place is asked for results.
  let lookups: ResultLookups?
  /// Of each instance, the executor's name.
  let places: [String]
  var outcome: RunOutcome

  var events: [Scheduler.Event] = []
  var judgements: [Int: Judgement] = [:]
  /// Attempts that became ready in this round of the scheduler, by executor.
  var orders: [String: [AttemptOrder]] = [:]
  /// Instances whose attempt goes on, but for the storing of its result.
  var executing: Set<Int> = []
  var readers: [Int: EventReader] = [:]
  var problems: [Int: StageProblem] = [:]
  var attempts: [Int: Int] = [:]
  var reasons: [Int: [String]] = [:]
  var blocked: Set<Int> = []
  /// Told already that another run computes them.
  var announcedBlocked: Set<Int> = []
  var outcomes: [Int: Scheduler.Outcome] = [:]
  var seconds: [Int: Double] = [:]
  var usages: [Int: JobUsage] = [:]
  var forecast: RunForecast
  var started: [Int: Double] = [:]
  /// When the outlook is due next.
  var outlookDue = 0.0
  /// For which the run was stopped by its terminal: no time that a stage has had.
  var pausedSeconds = 0.0
  var bytesWanted: Set<Int> = []
  var views: RunViews
  /// Something has to run.
  var isPrepared = false
  /// The store broke: everything stops, and the run ends with this.
  var breakage: StoreError?

  /// Runs to the end. Throws `Diagnostic` for a target that does not exist (status 2), `StoreError` or `SpawnFailure` (3), `QueueProblem`.
  ///
  /// - Parameter origin: what the recipe was read for and from, to be remembered when the run ends well.
  package static func run(
    _ recipe: Recipe, in storePath: String, options: RunOptions, display: any ProgressDisplay, origin: Origin? = nil,
    files: FileSystem = .posix
  ) throws -> RunOutcome {
    let selection = try RunSelection(recipe.graph, options)
    let store = try Store.open(storePath, files: files)
    // Before signals are taken and the collector is kept out: it may take minutes.
    SourceSurvey.look(recipe.graph, selection.isWanted, store, display.taskStyle)
    let run = try RecipeRun(recipe, store, options, display, selection, origin)
    return try run.execute()
  }

  private init(
    _ recipe: Recipe, _ store: Store, _ options: RunOptions, _ display: any ProgressDisplay, _ selection: RunSelection, _ origin: Origin?
  ) throws {
    self.recipe = recipe
    self.origin = origin
    self.store = store
    self.options = options
    self.display = display
    let graph = recipe.graph
    self.graph = graph
    judge = Judge(graph: graph, store: store, variables: options.variables, reruns: selection.reruns)
    history = ResultHistory(store: store)
    views = RunViews(store: store, recipe: graph.recipe)
    places = graph.instances.map { options.executor(for: $0) }
    forecast = RunForecast(stages: graph.instances.map(\.stage))
    scheduler = Scheduler(recipe, selection, options)
    let queues = try Self.queues(places, selection, options)
    pipe = try WakePipe()
    directory = try RunDirectory.begin(in: store, manifest: recipe.manifest.bytes)
    outcome = RunOutcome(run: directory.id)
    let setting = try AttemptSetting(recipe, run: directory.id, store, options)
    var executors: [String: any Executor] = [
      RunOptions.localExecutor: LocalExecutor(setting, jobs: scheduler.limits.jobs, pipe)
    ]
    for (name, queue) in queues {
      executors[name] = try QueuedExecutor(queue, named: name, directory, store, options, origin, pipe)
    }
    self.executors = executors
    lookups = options.exchange.map { [store, pipe] in ResultLookups($0, store, pipe) }
  }

  /// The queueing systems that instances of this run go to, by the executor's name.
  private static func queues(
    _ places: [String], _ selection: RunSelection, _ options: RunOptions
  ) throws -> [String: any QueueSystem] {
    var queues: [String: any QueueSystem] = [:]
    for (place, isWanted) in zip(places, selection.isWanted) where isWanted && place != RunOptions.localExecutor && queues[place] == nil {
      queues[place] = try options.queueSystem(place)
    }
    return queues
  }

  func name(_ index: Int) -> String { graph.instances[index].name }

  func executor(of index: Int) -> any Executor {
    guard let executor = executors[places[index]] else { preconditionFailure("\(name(index)) has no executor") }
    return executor
  }

  func isLocal(_ index: Int) -> Bool { places[index] == RunOptions.localExecutor }

  /// Seconds on a clock that stands still while the run is stopped, so that no stage is over its time for it.
  var clock: Double { monotonicSeconds() - pausedSeconds }
}

extension Scheduler {
  fileprivate init(_ recipe: Recipe, _ selection: RunSelection, _ options: RunOptions) {
    let (graph, machine) = (recipe.graph, options.machine)
    let tasks = graph.instances.map { instance in
      // Elsewhere the time begins with the job, not with its waiting, and the job keeps it.
      let isLocal = options.executor(for: instance) == RunOptions.localExecutor
      return Task(
        dependencies: graph.dependencies[instance.index], dependents: graph.dependents[instance.index],
        need: isLocal ? Need(instance, options) : .nothing, retries: instance.retries,
        timeoutSeconds: isLocal ? instance.timeoutSeconds : nil, checkpoints: instance.contract.checkpoints,
        isWanted: selection.isWanted[instance.index])
    }
    self.init(
      tasks: tasks,
      limits: Limits(
        jobs: max(1, options.jobs ?? machine.cpus), cpus: max(1, machine.cpus), memoryBytes: machine.memoryBytes, gpus: machine.gpus.count,
        keepGoing: options.keepGoing, graceSeconds: options.graceSeconds, backOffSeconds: options.backOffSeconds))
  }
}
