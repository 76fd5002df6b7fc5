import Artifacts
import JSONValues
import Planning

/// What all attempts of a run, or of a job, have in common: the store, the machine, and what keeps their processes in bounds.
struct AttemptSetting: Sendable {
  let recipe: String
  let runID: String
  let numerics: String
  let store: Store
  let options: RunOptions
  let lifeline: Lifeline
  let confinement: Confinement
  let memory: MemoryWatch
  let committer: ResultCommitter
  /// Written into the lock and beside the result, where a queueing system chose the machine.
  let queue: QueuePlace?

  var machine: Machine { options.machine }

  init(_ recipe: Recipe, run: String, _ store: Store, _ options: RunOptions, queue: QueuePlace? = nil) throws {
    self.recipe = recipe.graph.recipe
    runID = run
    numerics = recipe.graph.numerics.rawValue
    self.store = store
    self.options = options
    lifeline = try Lifeline()
    confinement = Confinement(program: options.program, variables: options.variables, project: recipe.projectDirectory, store: store)
    memory = MemoryWatch()
    committer = ResultCommitter(store)
    self.queue = queue
  }
}

extension StageAttempt {
  init(_ setting: AttemptSetting, _ order: AttemptOrder, gpus: [String], _ child: ChildProcess) {
    self.init(
      instance: order.instance, key: order.key, recipe: setting.recipe, runID: setting.runID, store: setting.store,
      machine: setting.machine, variables: setting.options.variables, program: setting.options.program, inputs: order.inputs.inputs,
      sources: order.inputs.sources, inputOutputs: order.inputs.outputs, threads: setting.options.threads(for: order.instance),
      numerics: setting.numerics, gpus: gpus, attempt: order.attempt, isRerun: order.isRerun, needsBytes: order.needsBytes,
      memoryLimit: order.memoryLimit,
      lifeline: setting.lifeline, confinement: setting.confinement, memory: setting.memory, isHermetic: order.isHermetic, child: child,
      committer: setting.committer, queue: setting.queue)
  }
}
