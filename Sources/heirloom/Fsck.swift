import ArgumentParser
import Artifacts
import Execution
import Foundation
import JSONValues
import Synchronization

/// `heirloom fsck`: looks whether everything in the store is what it is called.
struct Fsck: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check the store: hash every object again, hold every result against its key.",
    discussion: """
      Safe beside runs. Damage is reported with what hangs on it, and status 3. With --repair it is set aside in damaged/, and the next run
      computes again what is missing; then the status is 0.
      """)

  @Flag(help: "Set aside what is damaged, so that it is computed again.") var repair = false
  @Option(help: "Objects that are hashed at once [default: as many as there are processors].") var jobs: Int?
  @OptionGroup var store: StoreArguments
  @Flag(help: "Print JSON.") var json = false

  func validate() throws {
    if let jobs, jobs < 1 { throw ValidationError("--jobs must be at least 1, not \(jobs)") }
  }

  func run() throws {
    let checkup = Checkup(try store.existing(), jobs: jobs ?? Machine.current(environment: Program.variables).cpus)
    let bar = isatty(2) == 1 && !json ? HashingProgress() : nil
    var progress: (@Sendable (Int, Int) -> Void)?
    if let bar { progress = { bar.show($0, of: $1) } }
    let report = try checkup.run(repair ? .repair : .report, progress: progress)
    bar?.clear()
    if json {
      Terminal.say(report.json.encoded(pretty: true))
    } else {
      for line in report.lines { Terminal.say(line) }
    }
    throw ExitCode(report.exitStatus)
  }
}

/// One line on a terminal that tells how much is hashed.
private final class HashingProgress: Sendable {
  private let shown = Mutex(-1)

  func show(_ done: Int, of total: Int) {
    let percent = total > 0 ? done * 100 / total : 100
    shown.withLock { shown in
      guard percent > shown else { return }
      shown = percent
      write("\r\(percent) % of \(ByteCount.text(total)) hashed")
    }
  }

  func clear() { write("\r\u{1B}[K") }

  private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
