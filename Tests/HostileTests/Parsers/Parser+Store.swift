import Artifacts
import Execution
import Foundation
import Hashing
import JSONValues
import StageInterface

extension Parser {
  /// What the store keeps and what stages say of themselves.
  static let store: [Parser] = [result, index, listing, lock, run, sources, order, events]

  private static let result = Parser("result") { bytes in
    guard let record = ResultRecord(json: try JSONValue(parsing: bytes)) else { return }
    guard let again = ResultRecord(json: record.json), again == record else { preconditionFailure("a result is not what was written") }
    var changed = record
    _ = changed.note(record.answer, .becomesCurrent)
    for output in record.answer.outputs { _ = try openStore().path(of: output) }
  }

  /// An empty store; made once, but opened anew.
  private static func openStore() throws -> Store { try Store.open(Scratch.root + "/store") }

  private static let index = Parser("index") { bytes in
    let root = try openStore().root
    Scratch.write(bytes, root + "/index/results")
    let store = try Store.open(root)
    for stage in ["train/sft", "data", ""] {
      for key in try store.results.keys(ofStage: stage) {
        _ = store.results.hint(key)
        _ = try store.results.summary(key)
      }
    }
    store.results.tidy()
  }

  private static let listing = Parser("listing") { bytes in
    guard let listing = TreeListing(bytes: bytes) else { return }
    guard TreeListing(bytes: listing.bytes) == listing else { preconditionFailure("a listing is not what was written") }
    for path in listing.files.map(\.path) + listing.emptyDirectories {
      let isInside = !path.hasPrefix("/") && !path.split(separator: "/").contains("..")
      precondition(isInside, "a listing leads out of its directory: \(path)")
    }
  }

  private static let lock = Parser("lock", longest: 1024) { bytes in
    let store = try openStore()
    let key = Digest(hashing: "key")
    Scratch.write(bytes, store.lockPath(key))
    guard let owner = try store.owner(ofLock: key) else { return }
    for process in [owner.runner, owner.command].compactMap({ $0 }) {
      precondition(process.pid > 1, "a lock names the process \(process.pid), which no signal may go to")
      _ = process.standing
    }
  }

  /// `plan.json`, and behind a NUL the journal.
  private static let run = Parser("run") { bytes in
    let root = try openStore().root
    let directory = Scratch.directory("store/runs/20260101T000000.000Z-000000")
    let parts = Scratch.parts(bytes, 2)
    Scratch.write(parts[0], directory + "/plan.json")
    Scratch.write(parts[1], directory + "/journal.jsonl")
    let queries = try StoreQueries(root)
    for run in try queries.runs() {
      _ = run.lines
      _ = run.json.encoded()
      for instance in run.instances { _ = try queries.find(instance.name, in: .latest) }
    }
  }

  private static let sources = Parser("sources", longest: 2048) { bytes in
    let hasher = SourceHasher(path: Scratch.file("remembered", bytes))
    _ = try hasher.content(of: Scratch.file("source", [1, 2, 3]))
    hasher.save()
  }

  private static let order = Parser("order") { bytes in
    let order = try StageOrder(json: try JSONValue(parsing: bytes))
    guard let again = try? StageOrder(json: order.json), again == order else { preconditionFailure("an order is not what was written") }
  }

  /// What a stage reports of itself, shown in each way.
  private static let events = Parser("events") { bytes in
    var reader = EventReader(path: Scratch.file("events.jsonl", bytes + [0x0A]))
    _ = reader.advance()
    let displays: [any ProgressDisplay] = [
      LiveProgress(
        style: ProgressStyle(isColored: true, isUnicode: true), write: { _ in }, size: { TerminalSize(columns: 80, rows: 5) }, now: { 1 }),
      JSONProgress(write: { _ in }), PlainProgress(write: { _ in }),
    ]
    for display in displays {
      display.show(.began(run: "r", recipe: "x", instances: 1))
      display.show(.started("a", ProgressEvent.Start(stage: "s")))
      display.show(.advanced("a", reader.activity))
      display.refresh()
      for warning in reader.activity.warnings { display.show(.warned("a", warning)) }
      display.show(.finished("a", seconds: 1))
    }
    let log = LogTail.lines(of: Scratch.file("log.txt", bytes), .posix)
    precondition(log.allSatisfy { $0.unicodeScalars.count <= 400 }, "the end of a log is longer than it may be")
  }
}
