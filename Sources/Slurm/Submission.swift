import Execution

/// What one call of sbatch hands over: a job alone, or an array whose elements differ by their index. It knows the words of sbatch and
/// nothing of how it is called.
///
/// An index is found again from what Slurm keeps: element number plus what the job's name ends with, `NAME+200`.
package struct Submission: Sendable {
  package let batch: QueueBatch
  package let site: Site
  /// Ascending.
  package let indices: [Int]
  package let firstIndex: Int
  package let isArray: Bool

  /// As few as the longest array allows: each holds the indices from a multiple of that length up to the next.
  package static func all(_ batch: QueueBatch, _ site: Site, maxArraySize: Int) -> [Submission] {
    let size = max(1, maxArraySize)
    guard batch.indices.count > 1 else {
      return batch.indices.map { Submission(batch: batch, site: site, indices: [$0], firstIndex: $0, isArray: false) }
    }
    return Dictionary(grouping: batch.indices) { $0 / size }.sorted { $0.key < $1.key }.map { part, indices in
      Submission(batch: batch, site: site, indices: indices.sorted(), firstIndex: part * size, isArray: true)
    }
  }

  /// What Slurm calls it.
  package var name: String { firstIndex == 0 ? batch.name : "\(batch.name)+\(firstIndex)" }

  /// The batch's name and the first index, back from a name that Slurm knows.
  package static func origin(_ name: some StringProtocol) -> (batch: String, firstIndex: Int) {
    guard let plus = name.lastIndex(of: "+"), let first = Int(name[name.index(after: plus)...]), first > 0 else { return (String(name), 0) }
    return (String(name[..<plus]), first)
  }

  /// The number of each job, from the one that sbatch printed.
  package func ids(_ number: String) -> [QueueJobID] { indices.map { QueueJobID(isArray ? "\(number)_\($0 - firstIndex)" : number) } }

  package var scriptPath: String { "\(batch.scriptDirectory)/\(name).sh" }
  package var valuesPath: String { "\(batch.scriptDirectory)/\(name).env" }

  // MARK: - The words

  /// The words of sbatch, without the program's name.
  package func words(excluding nodes: [String]) -> [String] {
    var words = ["--parsable", "--requeue", "--open-mode=append", "--export=ALL", "--job-name=\(name)", "--chdir=\(batch.directory)"]
    words.append("--output=\(logPattern ?? ownLogPattern)")
    if isArray {
      let tasks = TaskList.text(indices.map { $0 - firstIndex })
      words.append("--array=\(tasks)\(site.concurrent.map { "%\($0)" } ?? "")")
    }
    words += ["--nodes=1", "--ntasks=1", "--cpus-per-task=\(max(1, batch.need.cpus))"] + amounts
    words += places
    if !batch.after.isEmpty {
      words.append("--dependency=afterok:\(batch.after.map(\.text).joined(separator: ":"))")
      words.append("--kill-on-invalid-dep=yes")
    }
    if !nodes.isEmpty { words.append("--exclude=\(nodes.joined(separator: ","))") }
    return words + site.extra + [scriptPath]
  }

  private var amounts: [String] {
    var words: [String] = []
    if let memory = batch.need.memoryBytes ?? site.defaults.memoryBytes { words.append("--mem=\(SlurmAmount.memory(bytes: memory))") }
    if batch.need.gpus > 0 { words.append(site.gpus.word(batch.need.gpus)) }
    if let seconds = batch.need.seconds ?? site.defaults.seconds { words.append("--time=\(SlurmAmount.minutes(seconds: seconds))") }
    if batch.need.checkpoints { words.append("--signal=B:USR1@\(leadSeconds)") }
    return words
  }

  /// Not more than half of the time there is; Slurm takes 65,535 at most.
  private var leadSeconds: Int {
    let seconds = batch.need.seconds ?? site.defaults.seconds ?? .infinity
    let minutes = Double(SlurmAmount.minutes(seconds: seconds)) ?? .infinity
    return Int(max(1, min(site.defaults.leadSeconds, seconds.isFinite ? minutes * 30 : .infinity, 65535)))
  }

  private var places: [String] {
    let words = [
      ("account", site.account), ("partition", site.partition), ("qos", site.qos), ("constraint", site.constraint),
      ("reservation", site.reservation),
    ]
    return words.compactMap { word in word.1.map { "--\(word.0)=\($0)" } }
  }

  // MARK: - Logs

  /// The logs' paths as one pattern of Slurm's, so that what Slurm itself has to say about a job is in its log too; nil when there is
  /// none.
  package var logPattern: String? {
    guard let first = indices.first else { return nil }
    let path = batch.logPath(first)
    guard !path.utf8.contains(UInt8(ascii: "\\")) else { return nil }
    guard isArray else { return Self.literal(path) }
    guard firstIndex == 0 else { return nil }
    var start = path.startIndex
    while let place = path[start...].range(of: String(first)) {
      let (head, tail) = (path[..<place.lowerBound], path[place.upperBound...])
      if indices.allSatisfy({ batch.logPath($0) == "\(head)\($0)\(tail)" }) { return "\(Self.literal(head))%a\(Self.literal(tail))" }
      start = path.index(after: place.lowerBound)
    }
    return nil
  }

  /// Where Slurm writes when the script sends the program's own output elsewhere.
  private var ownLogPattern: String { "\(Self.literal(batch.scriptDirectory))/\(Self.literal(name))\(isArray ? "-%a" : "").slurm" }

  private static func literal(_ text: some StringProtocol) -> String {
    text.split(separator: "%", omittingEmptySubsequences: false).joined(separator: "%%")
  }

  // MARK: - The script

  package func script(scontrol: String?) -> String {
    let words = site.program.map { [$0] + batch.words.dropFirst() } ?? batch.words
    return SlurmScript.text(
      SlurmScript.Order(
        name: name, words: words, firstIndex: firstIndex, valuesPath: valuesPath, setup: site.setup, scratch: site.scratch,
        scontrol: scontrol,
        logs: logPattern == nil ? Dictionary(uniqueKeysWithValues: indices.map { ($0, batch.logPath($0)) }) : [:]))
  }
}
