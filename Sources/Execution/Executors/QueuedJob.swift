import Artifacts
import Hashing

/// An attempt that a queueing system carries out, as its executor knows it.
struct QueuedJob {
  /// Where it stands; only `QueueWatch` changes it.
  enum State: Equatable {
    /// Submitted, perhaps: the queue's answer has not come, or came to a runner that is dead.
    case unanswered(since: Double)
    case queued
    /// The queue has said that it is over; its last word is looked for since then.
    case over(QueueEnd, since: Double)
  }

  let order: AttemptOrder
  /// The run whose directory has its files: another's, when it was adopted.
  let run: String
  let name: JobName
  /// Nil while there is no answer.
  var id: QueueJobID?
  var state: State
  var isAdopted = false
  /// The run has been told that it began.
  var hasBegun = false
  var node: String?
  var usage: QueueUsage?
  /// What the queue has given it, in bytes.
  var memoryBytes: Int?
  /// What was said last of its waiting.
  var standing: String?
  /// Since when the queue has been silent about it.
  var silentSince: Double?
  /// Since when its last word is that it was killed, and the queue is asked why.
  var killedSince: Double?
  /// A runner has asked for its end.
  var isCancelled = false
  /// What its checkpoint looked like when it was submitted: another look says whether it has come further.
  var checkpoint: [String]

  init(_ order: AttemptOrder, run: String, name: JobName, id: QueueJobID? = nil, state: State, checkpoint: [String]) {
    self.order = order
    self.run = run
    self.name = name
    self.id = id
    self.state = state
    self.checkpoint = checkpoint
  }
}
