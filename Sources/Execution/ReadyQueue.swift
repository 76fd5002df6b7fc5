/// Ready instances, longest remaining path first, apart by what they need: so the next that fits is found without passing over those
/// that do not.
struct ReadyQueue: Sendable {
  /// Sorted, the most urgent last.
  private var queues: [Scheduler.Need: [Int]] = [:]
  private var priorities: [Double]

  init(priorities: [Double]) { self.priorities = priorities }

  var isEmpty: Bool { queues.values.allSatisfy(\.isEmpty) }

  mutating func add(_ index: Int, _ need: Scheduler.Need) {
    var queue = queues[need, default: []]
    var low = 0
    var high = queue.count
    while low < high {
      let middle = (low + high) / 2
      if isLessUrgent(queue[middle], index) { low = middle + 1 } else { high = middle }
    }
    queue.insert(index, at: low)
    queues[need] = queue
  }

  /// Takes out the most urgent instance whose need `fits`.
  mutating func take(where fits: (Scheduler.Need) -> Bool) -> Int? {
    var best: (need: Scheduler.Need, index: Int)?
    for (need, queue) in queues where fits(need) {
      guard let head = queue.last else { continue }
      if best.map({ isLessUrgent($0.index, head) }) ?? true { best = (need, head) }
    }
    guard let best else { return nil }
    queues[best.need]?.removeLast()
    return best.index
  }

  mutating func removeAll() { queues = [:] }

  mutating func order(by priorities: [Double]) {
    self.priorities = priorities
    queues = queues.mapValues { $0.sorted(by: isLessUrgent) }
  }

  private func isLessUrgent(_ a: Int, _ b: Int) -> Bool { (priorities[a], b) < (priorities[b], a) }
}
