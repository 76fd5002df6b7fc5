import Artifacts
import Planning
import Synchronization

/// Carries attempts out as jobs of a queueing system. What it is asked to do, and what it learns, passes through a thread of its own
/// (`QueueWatch`), for a question to a queue may take seconds.
final class QueuedExecutor: Executor {
  private let watch: QueueWatch
  private var submitted: Set<Int> = []
  private var hasStarted = false

  init(
    _ queue: any QueueSystem, named name: String, _ directory: RunDirectory, _ store: Store, _ options: RunOptions,
    _ origin: RecipeRun.Origin?, _ pipe: WakePipe
  ) throws {
    guard let origin else { throw QueueProblem(.refused, "jobs cannot plan what was not read from a manifest") }
    watch = try QueueWatch(queue, named: name, run: directory.id, store, options, origin, NewsBox(pipe))
  }

  func submit(_ orders: [AttemptOrder]) {
    guard !orders.isEmpty else { return }
    submitted.formUnion(orders.map(\.index))
    if !hasStarted {
      hasStarted = true
      watch.start()
    }
    watch.tell(.submit(orders))
  }

  func poll() -> [AttemptNews] {
    let news = watch.box.take()
    for case .report(let index, _) in news { submitted.remove(index) }
    return news
  }

  func cancel(_ indices: [Int], _ how: AttemptCancellation) {
    let own = indices.filter(submitted.contains)
    if !own.isEmpty { watch.tell(.cancel(own, how)) }
  }

  func log(_ index: Int) -> String? { watch.log(index) }

  /// Jobs see to themselves.
  var isBusy: Bool { false }

  func finish() throws(StoreError) -> [String] {
    guard hasStarted else { return [] }
    hasStarted = false
    return watch.close()
  }

  func abandon() {}
}
