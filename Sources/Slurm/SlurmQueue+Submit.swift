import Artifacts
import Execution

extension SlurmQueue {
  /// Scripts first, then a call of sbatch for each array. When a later one is refused, those before are taken back; after a failure that
  /// may pass they stay, for the same batch can be handed over again and finds them.
  package func submit(_ batch: QueueBatch) throws(QueueProblem) -> [QueueJobID] {
    var ids: [Int: QueueJobID] = [:]
    var names: [String] = []
    for submission in Submission.all(batch, site, maxArraySize: maxArraySize) {
      do throws(QueueProblem) {
        try write(submission)
        let number = try submit(submission)
        memory.withLock { _ = $0.unclear.remove(submission.name) }
        for (index, id) in zip(submission.indices, submission.ids(number)) { ids[index] = id }
        names.append(submission.name)
      } catch {
        if error.kind == .transient { memory.withLock { $0.unclear.formUnion(names) } }
        if error.kind == .refused { cancel(ids.values.sorted { $0.text < $1.text }, .now) }
        throw error
      }
    }
    return batch.indices.compactMap { ids[$0] }
  }

  private func write(_ submission: Submission) throws(QueueProblem) {
    do throws(StoreError) {
      let values = SlurmScript.values(environment(submission.batch))
      try write(values, to: submission.valuesPath, mode: 0o600)
      try write(submission.script(scontrol: program.path(of: "scontrol")), to: submission.scriptPath, mode: 0o700)
    } catch { throw QueueProblem(.refused, "the job's script cannot be written: \(error)") }
  }

  private func write(_ text: String, to path: String, mode: UInt32) throws(StoreError) {
    try files.write(Array(text.utf8), to: path, mode: mode, .lasting)
    try files.protect(path, mode: mode)
  }

  /// One call that is taken exactly once: after a failure that says nothing about the job, Slurm is asked whether it knows the job by
  /// name, and only a clear no leads to another call.
  private func submit(_ submission: Submission) throws(QueueProblem) -> String {
    var excluded = submission.batch.excludedNodes
    var tries = Tries(pace)
    while true {
      let isUnclear = memory.withLock { $0.unclear.contains(submission.name) }
      if isUnclear, let known = try known(submission, &tries) { return known }
      let answer = program.run(["sbatch"] + submission.words(excluding: excluded), holding: submission.batch.lock)
      if answer.isGood, let number = SubmitFailure.number(answer.output) { return number }
      if !SubmitFailure.isPassing(answer) {
        // Better a node that failed once than none.
        guard SubmitFailure.saysNoNode(answer), !excluded.isEmpty else {
          throw QueueProblem(.refused, "sbatch: \(SubmitFailure.text(answer))")
        }
        excluded = []
        continue
      }
      memory.withLock { _ = $0.unclear.insert(submission.name) }
      guard tries.wait() else { throw QueueProblem(.transient, "sbatch: \(SubmitFailure.text(answer))") }
    }
  }

  /// The number under which Slurm has the job already; nil when it surely has not.
  private func known(_ submission: Submission, _ tries: inout Tries) throws(QueueProblem) -> String? {
    while true {
      do throws(QueueProblem) {
        let found = try find([submission.batch.name])[submission.batch.name] ?? [:]
        return submission.indices.compactMap { found[$0] }.compactMap { JobNumber($0.text)?.base }.first
      } catch { guard tries.wait() else { throw error } }
    }
  }
}
