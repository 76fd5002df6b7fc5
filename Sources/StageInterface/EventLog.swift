import Foundation
import JSONValues

/// `events.jsonl`: progress and metrics of a running stage, one JSON object a line, appended as they happen.
///
/// A line is one `write` to a file opened for appending, so a reader never sees half of it move. It must not fail the stage:
/// what cannot be written is dropped.
final class EventLog: @unchecked Sendable {
  private let descriptor: Int32
  private let lock = NSLock()
  private var lastProgress = Date.distantPast

  init(appendingTo path: String) throws {
    descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw StageFailure("cannot write events: \(String(cString: strerror(errno)))", file: path) }
  }

  deinit { close(descriptor) }

  /// At most ten a second, and always the last one: a bar needs no more.
  func progress(done: Int, of total: Int) {
    lock.withLock {
      let now = Date()
      guard done >= total || now.timeIntervalSince(lastProgress) >= 0.1 else { return }
      lastProgress = now
      append([("kind", "progress"), ("done", .integer(done)), ("of", .integer(total))], at: now)
    }
  }

  func metric(step: Int, _ name: String, _ value: Double) {
    lock.withLock {
      append([("kind", "metric"), ("step", .integer(step)), ("name", .string(name)), ("value", .number(value))], at: Date())
    }
  }

  func fact(_ name: String, _ value: JSONValue) {
    lock.withLock { append([("kind", "fact"), ("name", .string(name)), ("value", value)], at: Date()) }
  }

  func warning(_ text: String) {
    lock.withLock { append([("kind", "warning"), ("text", .string(text))], at: Date()) }
  }

  private func append(_ members: [(String, JSONValue)], at time: Date) {
    let stamp = (time.timeIntervalSince1970 * 1000).rounded() / 1000
    var line = JSONValue.object(JSONObject([("t", .number(stamp))] + members)).encodedBytes()
    line.append(0x0A)
    _ = line.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
  }
}
