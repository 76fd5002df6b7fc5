import Foundation
import JSONValues

/// A headless Chromium that is driven over its DevTools protocol: JSON objects ended by a zero byte, through pipes that it inherits.
///
/// It knows the protocol's frame (ids, sessions, events) and no page. One thread of its own reads; callers wait without blocking theirs.
final class Chromium: @unchecked Sendable {
  enum Failure: Error, CustomStringConvertible {
    case cannotStart(String)
    /// What the browser said of a command.
    case refused(String, String)
    case timedOut(String)
    case ended

    var description: String {
      switch self {
      case .cannotStart(let reason): "Chromium does not start: \(reason)"
      case .refused(let command, let reason): "\(command): \(reason)"
      case .timedOut(let what): "waited too long for \(what)"
      case .ended: "Chromium ended"
      }
    }
  }

  struct Event: Sendable {
    let method: String
    let session: String?
    let parameters: JSONValue
  }

  private let pipes: PipeDescriptors
  private let profile: String
  private let lock = NSLock()
  private var lastID = 0
  private var waiting: [Int: (command: String, continuation: CheckedContinuation<JSONValue, any Error>)] = [:]
  private var events: [Event] = []
  private var isOver = false

  /// The program, where there is one; `CHROMIUM` names another.
  static var program: String? {
    let named = ProcessInfo.processInfo.environment["CHROMIUM"].map { [$0] } ?? []
    let usual = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]
    return (named + usual).first { FileManager.default.isExecutableFile(atPath: $0) }
  }

  init() throws {
    guard let program = Self.program else { throw Failure.cannotStart("it is not installed") }
    profile = FileManager.default.temporaryDirectory.path + "/heirloom-browser-" + UUID().uuidString
    // Its own sandbox needs rights that containers and root do not have; it sees nothing but our own pages here.
    pipes = try PipeDescriptors.start(
      program,
      [
        "--headless=new", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
        "--user-data-dir=\(profile)", "about:blank",
      ])
    Thread.detachNewThread { [self] in read() }
  }

  /// Ends the browser and all its processes, and removes what it wrote.
  func close() {
    lock.withLock { isOver = true }
    Glibc.close(pipes.commands)
    kill(-pipes.process, SIGKILL)
    var status: Int32 = 0
    waitpid(pipes.process, &status, 0)
    try? FileManager.default.removeItem(atPath: profile)
  }

  /// Sends a command and waits for its answer.
  func call(
    _ method: String, _ parameters: JSONValue = [:], session: String? = nil, seconds: Double = 90
  ) async throws -> JSONValue {
    try await withCheckedThrowingContinuation { continuation in
      var message = JSONObject([("method", .string(method)), ("params", parameters)])
      if let session { message.append("sessionId", .string(session)) }
      let id: Int? = lock.withLock {
        guard !isOver else { return nil }
        lastID += 1
        waiting[lastID] = (method, continuation)
        return lastID
      }
      guard let id else { return continuation.resume(throwing: Failure.ended) }
      message.append("id", .integer(id))
      if !send(JSONValue.object(message).encodedBytes() + [0]) { answer(id, .failure(.ended)) }
      DispatchQueue.global().asyncAfter(deadline: .now() + seconds) { [self] in answer(id, .failure(.timedOut(method))) }
    }
  }

  /// What the browser has told since this was last asked, of one session.
  func takeEvents(_ session: String) -> [Event] {
    lock.withLock {
      let taken = events.filter { $0.session == session }
      events.removeAll { $0.session == session }
      return taken
    }
  }

  // MARK: - Pipes

  private func send(_ bytes: [UInt8]) -> Bool {
    lock.withLock {
      var rest = bytes[...]
      while !rest.isEmpty {
        let count = rest.withUnsafeBytes { write(pipes.commands, $0.baseAddress, $0.count) }
        guard count > 0 || errno == EINTR else { return false }
        rest = rest.dropFirst(max(count, 0))
      }
      return true
    }
  }

  private func read() {
    var pending: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = Glibc.read(pipes.answers, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { break }
      pending += buffer[..<count]
      while let end = pending.firstIndex(of: 0) {
        take(Array(pending[..<end]))
        pending.removeSubrange(...end)
      }
    }
    Glibc.close(pipes.answers)
    let left = lock.withLock {
      isOver = true
      defer { waiting = [:] }
      return waiting.values.map(\.continuation)
    }
    for continuation in left { continuation.resume(throwing: Failure.ended) }
  }

  private func take(_ bytes: [UInt8]) {
    guard let message = try? JSONValue(parsing: bytes) else { return }
    if let id = message["id"]?.integerValue {
      let command = lock.withLock { waiting[id]?.command } ?? ""
      let reason = message["error"].map { $0["message"]?.stringValue ?? $0.encoded() }
      answer(id, reason.map { .failure(.refused(command, $0)) } ?? .success(message["result"] ?? .null))
    } else if let method = message["method"]?.stringValue {
      let event = Event(method: method, session: message["sessionId"]?.stringValue, parameters: message["params"] ?? .null)
      lock.withLock { events.append(event) }
    }
  }

  /// Only the first answer counts.
  private func answer(_ id: Int, _ result: Result<JSONValue, Failure>) {
    lock.withLock { waiting.removeValue(forKey: id)?.continuation }?.resume(with: result.mapError { $0 as any Error })
  }
}
