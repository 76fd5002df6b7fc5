import Artifacts
import Glibc

/// Carries attempts out on this machine: a thread for each, that blocks on the stage's process. How many there may be at once is the
/// scheduler's matter.
final class LocalExecutor: Executor {
  private let setting: AttemptSetting
  private let box: NewsBox
  /// As many as there may be at once.
  private let jobs: Int
  private var children: [Int: ChildProcess] = [:]
  /// Instances whose stage is done and whose result is not published yet.
  private var storing: Set<Int> = []

  init(_ setting: AttemptSetting, jobs: Int, _ pipe: WakePipe) {
    self.setting = setting
    self.jobs = jobs
    box = NewsBox(pipe)
  }

  func submit(_ orders: [AttemptOrder]) {
    for order in orders {
      if order.isHermetic, let notice = setting.confinement.notice() { box.post(.notice(notice)) }
      let child = ChildProcess()
      // From here on a report comes, whatever happens: what is in `children` is waited for.
      children[order.index] = child
      let attempt = StageAttempt(setting, order, gpus: order.gpus.map { setting.machine.gpus[$0] }, child)
      let box = box
      startThread { attempt.run { box.post(.report(order.index, $0)) } }
    }
    // Where a slot is idle, it waits for what is being stored.
    setting.committer.expect(more: children.count >= jobs)
  }

  func poll() -> [AttemptNews] {
    let news = box.take()
    for item in news { if case .report(let index, let report) = item { follow(index, report) } }
    return news
  }

  /// Keeps count of who is still at it: the process of a stage, then the storing of its result.
  private func follow(_ index: Int, _ report: AttemptReport) {
    children[index] = nil
    if case .storing = report { storing.insert(index) } else { storing.remove(index) }
  }

  func cancel(_ indices: [Int], _ how: AttemptCancellation) {
    for index in indices { children[index]?.signal(how == .stop ? SIGTERM : SIGKILL) }
  }

  /// The stage's own log holds all.
  func log(_ index: Int) -> String? { nil }

  var isBusy: Bool { !children.isEmpty || !storing.isEmpty }

  func finish() throws(StoreError) -> [String] {
    try setting.committer.drain()
    return []
  }

  func abandon() {
    for child in children.values { child.signal(SIGKILL) }
  }

  func pause() {
    for child in children.values { child.pause() }
  }

  func goOn() {
    for child in children.values { child.goOn() }
  }
}
