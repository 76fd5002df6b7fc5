import Artifacts
import Foundation
import Hashing
import JSONValues

/// What the journals of a store say of the work that was done in it.
struct RunHistory {
  /// One run, oldest first.
  struct Run {
    let id: String
    /// Keys that were begun.
    var started: Set<String> = []
    /// Keys whose process ran to its end and whose result was published.
    var ran: [String] = []
    /// Keys that were relied on without running.
    var cached: Set<String> = []
    var retries = 0
  }

  private(set) var runs: [Run] = []

  init(_ root: String) throws {
    for id in try FileSystem.posix.list(root + "/runs") ?? [] {
      let bytes = try FileSystem.posix.read("\(root)/runs/\(id)/journal.jsonl") ?? []
      var run = Run(id: id)
      var keys: [String: String] = [:]
      for line in bytes.split(separator: 0x0A) {
        guard let event = try? JSONValue(parsing: Array(line)) else { continue }
        run.take(event, &keys)
      }
      runs.append(run)
    }
  }

  /// Keys that more than one process ran to its end for.
  var repeated: [String] {
    var counts: [String: Int] = [:]
    for key in runs.flatMap(\.ran) { counts[key, default: 0] += 1 }
    return counts.filter { $0.value > 1 }.keys.sorted()
  }
}

extension RunHistory.Run {
  fileprivate mutating func take(_ event: JSONValue, _ keys: inout [String: String]) {
    guard let instance = event["instance"]?.stringValue else { return }
    if let key = event["key"]?.stringValue { keys[instance] = String(key.suffix(64)) }
    guard let key = keys[instance] else { return }
    switch event["kind"]?.stringValue {
    case "judged": if event["action"] == "cached" { cached.insert(key) }
    case "started": started.insert(key)
    case "retry": retries += 1
    case "finished": if event["outcome"] == "ran" { ran.append(key) }
    default: break
    }
  }
}
