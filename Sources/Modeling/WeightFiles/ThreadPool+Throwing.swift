import Kernels
import Synchronization

extension ThreadPool {
  /// Runs tasks that may fail; throws the error of the first of them in order of index, whichever failed first in time.
  package func runThrowing(_ tasks: Int, _ body: (Int) throws(ModelError) -> Void) throws(ModelError) {
    let first = Mutex<(index: Int, error: ModelError)?>(nil)
    run(tasks) { index in
      do throws(ModelError) {
        try body(index)
      } catch {
        first.withLock { if $0.map({ index < $0.index }) ?? true { $0 = (index, error) } }
      }
    }
    if let failure = first.withLock({ $0 }) { throw failure.error }
  }

  /// As `runThrowing`, but every thread goes through a part of the tasks of its own, in order, and then helps the others: for tasks whose
  /// neighbours hinder each other, as those do that write to one file (which the kernel lets one thread do at a time).
  package func runThrowingApart(_ tasks: Int, _ body: (Int) throws(ModelError) -> Void) throws(ModelError) {
    let parts = max(1, min(threads, tasks))
    let taken = Mutex([Int](repeating: 0, count: parts))
    let first = Mutex<(index: Int, error: ModelError)?>(nil)
    func next(in part: Int) -> Int? {
      let (start, end) = (part * tasks / parts, (part + 1) * tasks / parts)
      return taken.withLock { taken in
        guard start + taken[part] < end else { return nil }
        taken[part] += 1
        return start + taken[part] - 1
      }
    }
    run(parts) { own in
      for part in 0..<parts {
        while let index = next(in: (own + part) % parts) {
          do throws(ModelError) {
            try body(index)
          } catch {
            first.withLock { if $0.map({ index < $0.index }) ?? true { $0 = (index, error) } }
          }
        }
      }
    }
    if let failure = first.withLock({ $0 }) { throw failure.error }
  }
}
