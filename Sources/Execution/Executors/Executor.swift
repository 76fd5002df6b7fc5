import Artifacts
import Planning
import Synchronization

/// Where attempts are carried out: on this machine, or by a cluster's queueing system. A run speaks to nothing else about it, and an
/// executor knows nothing of graphs, retries and what comes next.
///
/// Called on the run's own thread only, and never blocks it for long; what takes its time happens on threads of the executor's own, which
/// wake the run when there is something to be told.
protocol Executor: AnyObject {
  /// Begins attempts, all that became ready in one round of the scheduler; called once a round, also with nothing. Of each attempt
  /// comes a report by `poll`: one, or two if the first says `storing`.
  func submit(_ orders: [AttemptOrder])

  /// What became known since the last time. Does not wait.
  func poll() -> [AttemptNews]

  /// Best effort; the report comes all the same.
  func cancel(_ indices: [Int], _ how: AttemptCancellation)

  /// What an attempt prints beside the stage's own log, where there is such a thing.
  func log(_ index: Int) -> String?

  /// Whether attempts are going on that it has to see the end of.
  var isBusy: Bool { get }

  /// The run has heard of every attempt: what was reported lasts when this returns. Hands back what people should know.
  func finish() throws(StoreError) -> [String]

  /// The run cannot go on: ends by force what would not end well without it. Over when it is not busy any more.
  func abandon()

  /// The terminal has stopped the program (Ctrl-Z), and what it has started here with it; or they go on.
  func pause()
  func goOn()
}

extension Executor {
  func pause() {}
  func goOn() {}
}

/// How an attempt is to end before its time.
enum AttemptCancellation: Sendable, Equatable {
  /// With a checkpoint, if the stage writes one.
  case stop
  /// By force.
  case end
}

/// An attempt that a run wants made.
struct AttemptOrder: Sendable {
  /// Of the instance in the graph; reports name it.
  let index: Int
  let instance: StageInstance
  let key: StageKey
  /// From 1.
  let attempt: Int
  /// Places in the list of this machine's devices; none where it is not carried out here.
  let gpus: [Int]
  let inputs: StageInputs
  let isRerun: Bool
  let needsBytes: Bool
  /// Bytes above which it is ended; nil for no limit.
  let memoryLimit: Int?
  let isHermetic: Bool
  /// The results that it takes outputs of.
  let needs: [JobBatch.Need]

  init(
    _ instance: StageInstance, _ key: StageKey, attempt: Int = 1, gpus: [Int] = [], inputs: StageInputs, isRerun: Bool, needsBytes: Bool,
    memoryLimit: Int? = nil, isHermetic: Bool, needs: [JobBatch.Need] = []
  ) {
    index = instance.index
    self.instance = instance
    self.key = key
    self.attempt = attempt
    self.gpus = gpus
    self.inputs = inputs
    self.isRerun = isRerun
    self.needsBytes = needsBytes
    self.memoryLimit = memoryLimit ?? instance.resources.memoryLimit
    self.isHermetic = isHermetic
    self.needs = needs
  }
}

/// What an executor has to tell.
enum AttemptNews: Sendable {
  /// It began, later than it was submitted.
  case began(Int, AttemptPlace)
  /// Where it stands in the queue, for people.
  case standing(Int, String)
  /// What the attempt took; comes before its report.
  case took(Int, JobUsage)
  case report(Int, AttemptReport)
  case notice(String)
}

/// Where an attempt is carried out that is not carried out here.
struct AttemptPlace: Sendable, Equatable {
  let executor: String
  /// As the queue calls it.
  let job: String?
  let node: String?

  /// `slurm job 1234_7 on node3`
  var text: String { executor + (job.map { " job \($0)" } ?? "") + (node.map { " on \($0)" } ?? "") }
}

/// News on their way from an executor's threads to the run's.
final class NewsBox: Sendable {
  private let news = Mutex<[AttemptNews]>([])
  private let pipe: WakePipe

  init(_ pipe: WakePipe) { self.pipe = pipe }

  func post(_ item: AttemptNews) {
    news.withLock { $0.append(item) }
    pipe.wake(.message)
  }

  func take() -> [AttemptNews] {
    news.withLock { news in
      defer { news = [] }
      return news
    }
  }
}
