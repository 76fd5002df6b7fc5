import Execution

extension SlurmQueue {
  /// Jobs that wait go. Those that run get SIGTERM and, after Slurm's KillWait, SIGKILL (`now`), or are told through their script to leave
  /// a checkpoint, with no time limit and no going on (`checkpoint`).
  package func cancel(_ jobs: [QueueJobID], _ how: QueueCancellation) {
    var rest = jobs.map(\.text)[...]
    while !rest.isEmpty {
      let part = Array(rest.prefix(500))
      rest = rest.dropFirst(part.count)
      switch how {
      case .now: _ = program.run(["scancel", "--quiet"] + part)
      case .checkpoint:
        _ = program.run(["scancel", "--quiet", "--state=PENDING"] + part)
        _ = program.run(["scancel", "--quiet", "--batch", "--signal=USR2"] + part)
        // Those that were put back into the queue in between.
        _ = program.run(["scancel", "--quiet", "--state=PENDING"] + part)
      }
    }
  }

  /// The nodes of the partition that jobs go to: the site's, else the default one.
  package func capacity() throws(QueueProblem) -> QueueCapacity {
    let partition = site.partition.map { ["--partition=\($0)"] } ?? []
    let answer = program.run(["sinfo", "--noheader", "--Node", "--format=%N|%c|%m|%G|%P"] + partition)
    guard answer.isGood else {
      throw QueueProblem(SubmitFailure.isPassing(answer) ? .transient : .refused, "sinfo: \(answer.complaint)")
    }
    var nodes: [String: QueueCapacity.Node] = [:]
    for line in answer.output.split(whereSeparator: \.isNewline) {
      let fields = line.split(separator: "|", omittingEmptySubsequences: false)
      guard fields.count >= 5, site.partition != nil || fields[4].hasSuffix("*"), let cpus = Self.count(fields[1]),
        let megabytes = Self.count(fields[2])
      else { continue }
      let name = String(fields[0])
      nodes[name] = QueueCapacity.Node(
        name: name, cpus: cpus, memoryBytes: megabytes << 20, gpus: SlurmAmount.gpus(fields[3], ofType: site.gpus.type))
    }
    return QueueCapacity(nodes: nodes.values.sorted { $0.name < $1.name }, maxArraySize: maxArraySize)
  }

  /// `16000`, or `16000+` of several unlike.
  private static func count(_ text: Substring) -> Int? { Int(text.prefix { $0 != "+" }) }
}
