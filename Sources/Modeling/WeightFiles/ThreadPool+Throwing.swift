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
}
