import Execution

/// Reads what sacct, squeue and `scontrol show job` print: job by job, a report. It does not know which jobs were asked for.
package enum JobTables {
  /// What sacct is asked for, in this order. `-D` shows every run of a job that was requeued.
  static let accountingFields = "JobID,State,ExitCode,ElapsedRaw,TotalCPU,MaxRSS,ReqMem,ReqCPUS,NodeList,Reason"

  /// Lines of sacct by id. Of several runs the last says how the job stands, and all of them what it used.
  package static func accounting(_ text: String) -> [String: JobReport] {
    var reports: [String: JobReport] = [:]
    for line in text.split(whereSeparator: \.isNewline) {
      let fields = line.split(separator: "|", omittingEmptySubsequences: false)
      guard fields.count >= 10 else { continue }
      let name = fields[0].split(separator: ".", maxSplits: 1)
      guard let id = name.first, let number = JobNumber(id) else { continue }
      if name.count == 2 {
        // A step: its memory, which the job's own line does not have.
        for id in number.ids { reports[id]?.raise(memory: SlurmAmount.bytes(fields[5])) }
        continue
      }
      let report = JobReport(accounting: fields)
      for id in number.ids { reports[id] = report.after(reports[id]) }
    }
    return reports
  }

  static let queueFormat = "%i|%T|%r|%N|%M"

  /// Lines of squeue by id.
  package static func queue(_ text: String) -> [String: JobReport] {
    var reports: [String: JobReport] = [:]
    for line in text.split(whereSeparator: \.isNewline) {
      let fields = line.split(separator: "|", omittingEmptySubsequences: false)
      guard fields.count >= 5, let number = JobNumber(fields[0]) else { continue }
      var report = JobReport(state: String(fields[1]), reason: String(fields[2]))
      report.setNode(fields[3])
      report.usage.elapsedSeconds = SlurmAmount.seconds(fields[4])
      for id in number.ids { reports[id] = report }
    }
    return reports
  }

  /// Lines of `scontrol --oneliner show job` by id.
  package static func records(_ text: String) -> [String: JobReport] {
    var reports: [String: JobReport] = [:]
    for line in text.split(whereSeparator: \.isNewline) {
      guard let job = field("JobId", of: line), let state = field("JobState", of: line) else { continue }
      let id = field("ArrayJobId", of: line).flatMap { base in field("ArrayTaskId", of: line).map { "\(base)_\($0)" } }
      guard let number = JobNumber(id ?? String(job)) else { continue }
      var report = JobReport(state: String(state), reason: field("Reason", of: line).map(String.init))
      if let exit = field("ExitCode", of: line) { report.setExit(exit) }
      if let node = field("NodeList", of: line) { report.setNode(node) }
      report.usage.elapsedSeconds = field("RunTime", of: line).flatMap { SlurmAmount.seconds($0) }
      report.askedMemoryBytes = memory(of: line)
      for id in number.ids { reports[id] = report }
    }
    return reports
  }

  /// What a job was given, by node or by CPU.
  private static func memory(of line: Substring) -> Int? {
    if let whole = field("MinMemoryNode", of: line) { return SlurmAmount.memory(whole) }
    return field("MinMemoryCPU", of: line).flatMap { SlurmAmount.memory($0, times: field("NumCPUs", of: line)) }
  }

  /// Where each job's output goes, by id.
  package static func logs(_ text: String) -> [String: String] {
    var logs: [String: String] = [:]
    for line in text.split(whereSeparator: \.isNewline) {
      guard let place = line.range(of: " StdOut="), let id = records(String(line)).keys.first else { continue }
      let rest = line[place.upperBound...]
      // The last but one of 22.05's words, the last of newer ones.
      let path = rest.range(of: " Power=").map { rest[..<$0.lowerBound] } ?? rest
      logs[id] = String(path.reversed().drop { $0 == " " }.reversed())
    }
    return logs
  }

  /// The first `Key=value`; values with blanks in them are not among those that are wanted.
  static func field(_ key: String, of line: Substring) -> Substring? {
    for word in line.split(separator: " ") where word.hasPrefix(key) && word.dropFirst(key.count).first == "=" {
      return word.dropFirst(key.count + 1)
    }
    return nil
  }
}

extension JobReport {
  fileprivate init(accounting fields: [Substring]) {
    self.init(state: String(fields[1]), reason: String(fields[9]))
    setExit(fields[2])
    usage.elapsedSeconds = Double(fields[3])
    usage.cpuSeconds = SlurmAmount.seconds(fields[4])
    usage.maxMemoryBytes = SlurmAmount.bytes(fields[5])
    askedMemoryBytes = SlurmAmount.memory(fields[6], times: fields[6].hasSuffix("c") ? fields[7] : nil)
    setNode(fields[8])
  }

  /// This run's report with what the runs before have used.
  fileprivate func after(_ earlier: JobReport?) -> JobReport {
    guard let earlier else { return self }
    var report = self
    report.usage.elapsedSeconds = (usage.elapsedSeconds ?? 0) + (earlier.usage.elapsedSeconds ?? 0)
    report.usage.cpuSeconds = (usage.cpuSeconds ?? 0) + (earlier.usage.cpuSeconds ?? 0)
    report.raise(memory: earlier.usage.maxMemoryBytes)
    return report
  }

  fileprivate mutating func raise(memory bytes: Int?) {
    guard let bytes else { return }
    usage.maxMemoryBytes = max(usage.maxMemoryBytes ?? 0, bytes)
  }
}
