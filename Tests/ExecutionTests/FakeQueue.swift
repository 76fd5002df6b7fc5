import Artifacts
import Execution
import Foundation
import JSONValues
import Synchronization

/// A queueing system inside the test: jobs are real processes, started at once, and whatever can go wrong with one goes wrong when the test
/// says so. It starts a job again that exits with status 75, under the same id, as a queue's script would have it.
final class FakeQueue: QueueSystem {
  let name = "fake"
  let cluster = "test"

  struct Job {
    let id: QueueJobID
    let batch: QueueBatch
    let index: Int
    let instance: String
    var child: ChildProcess?
    var starts = 0
    var isHeld = false
    var sight = QueueSight(.waiting(reason: "Priority"))
  }

  struct State {
    var submissions: [QueueBatch] = []
    var jobs: [QueueJobID: Job] = [:]
    var looks = 0
    /// The next submissions are heard, and their answers are lost.
    var lostAnswers = 0
    /// The next submissions are not even heard.
    var deafness = 0
    /// Of the next submission, only so many jobs are heard, and then nothing can be asked any more.
    var halfHeard: Int?
    var refusal: String?
    /// Nothing can be asked.
    var isDown = false
    /// What was submitted last in that time.
    var unheard: QueueBatch?
    /// Jobs of these instances are never spoken of.
    var unspoken: Set<String> = []
    /// Jobs of these instances wait until they are let go.
    var held: Set<String> = []
    /// By instance: what befalls its starts, one after the other, instead of a job.
    var fates: [String: [QueueEnd]] = [:]
    /// What is given to jobs that ask for none, and said of all.
    var defaultMemory: Int?
    /// What all jobs are said to have used.
    var usage: QueueUsage?
    /// By instance: what is said of the ends of its processes, one after the other, instead of how they ended.
    var verdicts: [String: [QueueEnd]] = [:]
    var capacity = QueueCapacity(nodes: [])
    var cancellations: [(QueueJobID, QueueCancellation)] = []
  }

  let state = Mutex(State())

  func change(_ body: (inout State) -> Void) { state.withLock { body(&$0) } }
  var jobCount: Int { state.withLock { $0.jobs.count } }
  var submissions: [QueueBatch] { state.withLock { $0.submissions } }
  func jobs(of instance: String) -> [Job] {
    state.withLock { state in state.jobs.values.filter { $0.instance == instance }.sorted { $0.id.text < $1.id.text } }
  }

  // MARK: - Questions

  func submit(_ batch: QueueBatch) throws(QueueProblem) -> [QueueJobID] {
    let members = Self.members(batch)
    let answer = state.withLock { state -> Result<[QueueJobID], QueueProblem> in
      if let refusal = state.refusal { return .failure(QueueProblem(.refused, refusal)) }
      if state.isDown {
        state.unheard = batch
        return .failure(QueueProblem(.transient, "nobody answers"))
      }
      if state.deafness > 0 {
        state.deafness -= 1
        return .failure(QueueProblem(.transient, "nobody answers"))
      }
      state.submissions.append(batch)
      let number = state.submissions.count
      let before = state.jobs
      let isHalf = state.halfHeard != nil
      let heard = state.halfHeard.map { Array(batch.indices.prefix($0)) } ?? batch.indices
      if isHalf { state.isDown = true }
      state.halfHeard = nil
      let ids = heard.map { index in
        if let known = before.values.first(where: { $0.batch.name == batch.name && $0.index == index }) { return known.id }
        let id = QueueJobID(batch.indices.count == 1 ? "\(number)" : "\(number)_\(index)")
        let instance = members[index] ?? "?"
        state.jobs[id] = Job(id: id, batch: batch, index: index, instance: instance, isHeld: state.held.contains(instance))
        return id
      }
      guard state.lostAnswers == 0, !isHalf else {
        state.lostAnswers = max(0, state.lostAnswers - 1)
        for id in ids where before[id] == nil { start(id, &state) }
        return .failure(QueueProblem(.transient, "the answer was lost"))
      }
      for id in ids where before[id] == nil { start(id, &state) }
      return .success(ids)
    }
    return try answer.get()
  }

  func find(_ names: [String]) throws(QueueProblem) -> [String: [Int: QueueJobID]] {
    let found = state.withLock { state -> [String: [Int: QueueJobID]]? in
      if state.isDown { return nil }
      var found: [String: [Int: QueueJobID]] = [:]
      for job in state.jobs.values where names.contains(job.batch.name) && !state.unspoken.contains(job.instance) {
        found[job.batch.name, default: [:]][job.index] = job.id
      }
      return found
    }
    guard let found else { throw QueueProblem(.transient, "nobody answers") }
    return found
  }

  func look(_ jobs: [QueueJobID]) -> [QueueJobID: QueueSight] {
    state.withLock { state in
      state.looks += 1
      if state.isDown { return [:] }
      var sights: [QueueJobID: QueueSight] = [:]
      for id in jobs {
        guard let job = state.jobs[id], !state.unspoken.contains(job.instance) else { continue }
        sights[id] = job.sight
        sights[id]?.usage = state.usage
        sights[id]?.memoryBytes = job.batch.need.memoryBytes ?? state.defaultMemory
      }
      return sights
    }
  }

  func cancel(_ jobs: [QueueJobID], _ how: QueueCancellation) {
    for id in jobs {
      state.withLock { $0.cancellations.append((id, how)) }
      if how == .checkpoint, let child = state.withLock({ $0.jobs[id]?.child }), child.identifier != nil {
        child.signal(SIGTERM)
      } else {
        end(id, .cancelled(by: "me"))
      }
    }
  }

  func capacity() throws(QueueProblem) -> QueueCapacity { state.withLock { $0.capacity } }

  // MARK: - What befalls jobs

  /// Lets jobs begin that were held.
  func release(_ instance: String) {
    state.withLock { state in
      state.held.remove(instance)
      for (id, job) in state.jobs where job.instance == instance && job.isHeld {
        if case .ended = job.sight.standing { continue }
        state.jobs[id]?.isHeld = false
        start(id, &state)
      }
    }
  }

  /// As a batch system asks a job to stop in good time.
  func signal(_ instance: String, _ number: Int32) {
    for job in jobs(of: instance) {
      // To the job alone: what it started is its own matter.
      if let pid = job.child?.identifier { kill(pid, number) }
    }
  }

  /// Ends a job with all it has started, and says so.
  func end(_ id: QueueJobID, _ end: QueueEnd) {
    let child = state.withLock { state in
      state.jobs[id]?.sight.standing = .ended(end)
      return state.jobs[id]?.child
    }
    child?.signal(SIGKILL)
  }

  func end(_ instance: String, _ how: QueueEnd) {
    for job in jobs(of: instance) {
      if case .ended = job.sight.standing { continue }
      end(job.id, how)
    }
  }

  // MARK: - Running

  private func start(_ id: QueueJobID, _ state: inout State) {
    guard var job = state.jobs[id], !job.isHeld, mayBegin(job, &state) else { return }
    if var fates = state.fates[job.instance], !fates.isEmpty {
      job.sight = QueueSight(.ended(fates.removeFirst()), node: "bad")
      state.fates[job.instance] = fates
      state.jobs[id] = job
      return
    }
    let child = ChildProcess()
    job.child = child
    job.starts += 1
    job.sight = QueueSight(.running, node: "node\(job.starts)", usage: nil)
    state.jobs[id] = job
    let order = Self.order(job)
    startThread { self.run(id, order, child) }
  }

  /// Every job that it comes after has succeeded; when one cannot any more, it is ended.
  private func mayBegin(_ job: Job, _ state: inout State) -> Bool {
    var isReady = true
    for id in job.batch.after {
      switch state.jobs[id]?.sight.standing {
      case .ended(.exited(0)): break
      case .ended:
        state.jobs[job.id]?.sight.standing = .ended(.cancelled(by: nil))
        return false
      default: isReady = false
      }
    }
    return isReady
  }

  /// Those that came after what has just ended.
  private func beginNext(_ state: inout State) {
    for (id, job) in state.jobs where !job.batch.after.isEmpty && job.starts == 0 {
      if case .waiting = job.sight.standing { start(id, &state) }
    }
  }

  private static func order(_ job: Job) -> ProcessOrder {
    var variables = job.batch.environment
    variables["HEIRLOOM_JOB_INDEX"] = String(job.index)
    variables["HEIRLOOM_JOB_ID"] = job.id.text
    variables["SLURM_JOB_ID"] = "99"
    return ProcessOrder(words: job.batch.words, directory: job.batch.directory, environment: variables, descriptors: [])
  }

  private func run(_ id: QueueJobID, _ order: ProcessOrder, _ child: ChildProcess) {
    guard let log = state.withLock({ state in state.jobs[id].map { $0.batch.logPath($0.index) } }) else { return }
    let descriptor = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    let nothing = open("/dev/null", O_RDONLY | O_CLOEXEC)
    defer {
      close(descriptor)
      close(nothing)
    }
    var order = order
    order.descriptors = [(nothing, 0), (descriptor, 1), (descriptor, 2)]
    let end = (try? child.start(order)).map { _ in child.wait() } ?? .exited(127)
    state.withLock { state in
      guard let job = state.jobs[id], case .running = job.sight.standing else { return }
      if var verdicts = state.verdicts[job.instance], !verdicts.isEmpty {
        state.jobs[id]?.sight.standing = .ended(verdicts.removeFirst())
        state.verdicts[job.instance] = verdicts
        return
      }
      switch end {
      case .exited(75): start(id, &state)
      case .exited(let status): state.jobs[id]?.sight.standing = .ended(.exited(status))
      case .signalled(let number): state.jobs[id]?.sight.standing = .ended(.exited(128 + number))
      }
      beginNext(&state)
    }
  }

  private static func members(_ batch: QueueBatch) -> [Int: String] {
    guard let path = batch.words.last, let bytes = FileManager.default.contents(atPath: path),
      let json = try? JSONValue(parsing: Array(bytes))
    else { return [:] }
    var members: [Int: String] = [:]
    for job in json["jobs"]?.arrayValue ?? [] {
      if let index = job["index"]?.integerValue { members[index] = job["instance"]?.stringValue }
    }
    return members
  }
}
