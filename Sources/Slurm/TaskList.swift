/// The elements of a job array as Slurm writes them: `3,7,9-11`, `0-20:4`, `5-9%2`.
package enum TaskList {
  /// As short as it goes.
  package static func text(_ tasks: [Int]) -> String {
    var ranges: [(first: Int, last: Int)] = []
    for task in tasks.sorted() {
      if let last = ranges.last, task <= last.last + 1 { ranges[ranges.count - 1].last = task } else { ranges.append((task, task)) }
    }
    return ranges.map { $0.first == $0.last ? "\($0.first)" : "\($0.first)-\($0.last)" }.joined(separator: ",")
  }

  /// Nil when it is no such list. The limit behind `%` says nothing about the elements.
  package static func tasks(_ text: some StringProtocol) -> [Int]? {
    var tasks: [Int] = []
    let list = text.prefix { $0 != "%" }
    for part in list.split(separator: ",", omittingEmptySubsequences: false) {
      let stepped = part.split(separator: ":", omittingEmptySubsequences: false)
      let ends = stepped[0].split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
      guard let first = ends[0], ends.count <= 2, stepped.count <= 2 else { return nil }
      let step = stepped.count == 2 ? Int(stepped[1]) : 1
      guard let last = ends.count == 2 ? ends[1] : first, let step, step > 0, first >= 0, last >= first, last - first < most else {
        return nil
      }
      tasks += stride(from: first, through: last, by: step)
    }
    return tasks.isEmpty ? nil : tasks
  }

  /// Slurm's own limit is 4,000,001.
  private static let most = 4_000_001
}

/// A job's number apart: `1234`, `1234_7`, or of several elements that wait together `1234_[5-9%2]`.
package struct JobNumber: Sendable, Equatable {
  /// Of the array, where it is one.
  package let base: String
  package let tasks: [Int]?

  package init?(_ text: some StringProtocol) {
    let parts = text.split(separator: "_", maxSplits: 1, omittingEmptySubsequences: false)
    guard let base = parts.first, !base.isEmpty, base.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    self.base = String(base)
    guard parts.count == 2 else {
      tasks = nil
      return
    }
    let list = parts[1].first == "[" && parts[1].last == "]" ? parts[1].dropFirst().dropLast() : parts[1]
    guard let tasks = TaskList.tasks(list) else { return nil }
    self.tasks = tasks
  }

  package var ids: [String] { tasks.map { $0.map { "\(base)_\($0)" } } ?? [base] }
}
