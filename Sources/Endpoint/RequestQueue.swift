import Foundation
import JSONValues

/// Sends requests to a server, so many at once, again where that may help, and hands the answers to the thread that asked. Knows nothing of
/// what is asked.
///
/// The caller's thread waits; connections are served by threads of their own, and the cooperative pool has no part in it.
package final class RequestQueue {
  package let address: ServerAddress
  private let connection: HTTPConnection
  private let policy: RetryPolicy
  private let mailbox = Mailbox()
  /// When the server was not there for the first time since it last was.
  private var absentSince: Double?

  package init(_ address: ServerAddress, _ policy: RetryPolicy = RetryPolicy()) {
    self.address = address
    self.policy = policy
    connection = HTTPConnection(address)
  }

  deinit { connection.close() }

  /// What is under way.
  private struct Sent {
    var attempts: Int
    var cancel: (@Sendable () -> Void)?
    /// When it is to be sent again; nil while it is.
    var due: Double?
  }

  /// Asks all, in order, and hands over each answer as it comes.
  ///
  /// - Parameters:
  ///   - requests: numbers that name requests.
  ///   - body: of a request's number, made when it is sent.
  ///   - isStopped: looked at ten times a second; true ends it.
  /// - Returns: false where it was stopped.
  package func ask(
    _ path: String, _ requests: [Int], body: (Int) throws -> JSONValue, isStopped: () -> Bool, take: (Int, JSONValue) throws -> Void
  ) throws -> Bool {
    var waiting = requests[...]
    var sent: [Int: Sent] = [:]
    defer { for request in sent.values { request.cancel?() } }
    while !waiting.isEmpty || !sent.isEmpty {
      while sent.count < address.concurrency, let next = waiting.popFirst() {
        sent[next] = Sent(attempts: 0, due: 0)
      }
      for (number, request) in sent where request.due.map({ $0 <= Self.now }) ?? false {
        sent[number] = send(number, path, try body(number), attempts: request.attempts + 1)
      }
      let due = sent.values.compactMap(\.due).min().map { $0 - Self.now } ?? 0.1
      for (number, outcome) in mailbox.wait(seconds: max(0.001, min(0.1, due))) {
        guard let request = sent[number] else { continue }
        if let answer = try read(outcome, path, request.attempts) {
          sent[number] = nil
          try take(number, answer)
        } else {
          sent[number] = Sent(attempts: request.attempts, due: Self.now + delay(outcome, request.attempts))
        }
      }
      if isStopped() { return false }
    }
    return true
  }

  /// One request without a body.
  package func get(_ path: String, isStopped: () -> Bool = { false }) throws -> JSONValue? {
    let outcome = once(path, isStopped)
    return try outcome.flatMap { try read($0, path, policy.attempts) }
  }

  /// Whether somebody answers there, now, and not that it is still loading. Some servers fail at a list of models (500) and serve one.
  func isThere(_ path: String) -> Bool {
    if case .answer(let status, _, _)? = once(path, { false }) { return !(502...504).contains(status) }
    return false
  }

  private func once(_ path: String, _ isStopped: () -> Bool) -> HTTPConnection.Outcome? {
    let mailbox = Mailbox()
    let cancel = connection.start(path, nil) { mailbox.put(0, $0) }
    while !isStopped() {
      if let (_, outcome) = mailbox.wait(seconds: 0.1).first { return outcome }
    }
    cancel()
    return nil
  }

  // MARK: - One request

  private func send(_ number: Int, _ path: String, _ body: JSONValue, attempts: Int) -> Sent {
    let mailbox = mailbox
    let cancel = connection.start(path, body.encodedBytes()) { mailbox.put(number, $0) }
    return Sent(attempts: attempts, cancel: cancel, due: nil)
  }

  /// The answer; nil where it is to be asked again.
  private func read(_ outcome: HTTPConnection.Outcome, _ path: String, _ attempts: Int) throws(EndpointError) -> JSONValue? {
    let url = address.url(path)
    switch outcome {
    case .answer(200, _, let body):
      absentSince = nil
      do throws(JSONError) { return try JSONValue(parsing: body) } catch { throw .noJSON(url, address.withoutKey("\(error)")) }
    case .answer(let status, _, let body):
      absentSince = nil
      let error = EndpointError.status(url, status, address.withoutKey(Self.message(body)))
      guard status == 408 || status == 429 || status >= 500, attempts < policy.attempts else { throw error }
      return nil
    case .refused(let reason):
      let since = absentSince ?? Self.now
      absentSince = since
      guard Self.now - since < policy.patience else { throw .refused(url, seconds: policy.patience, reason) }
      return nil
    case .lost(let reason):
      guard attempts < policy.attempts else { throw .gaveUp(url, attempts: attempts, reason) }
      return nil
    case .tooBig: throw .tooBig(url, address.mostBytes)
    case .broken(let what): throw .broken(url, address.withoutKey(what))
    case .cancelled: throw .gaveUp(url, attempts: attempts, "cancelled")
    }
  }

  private func delay(_ outcome: HTTPConnection.Outcome, _ attempts: Int) -> Double {
    switch outcome {
    case .answer(_, let asked, _): policy.delay(after: attempts, asked: asked)
    case .refused: min(1, policy.delay(after: 1, asked: nil))
    default: policy.delay(after: attempts, asked: nil)
    }
  }

  /// What a server says of an error: `{"error": {"message": …}}`, `{"message": …}`, `{"detail": …}`, or its text.
  private static func message(_ body: [UInt8]) -> String {
    guard let json = try? JSONValue(parsing: body) else { return String(decoding: body.prefix(1000), as: UTF8.self) }
    let found = [json["error"]?["message"], json["error"], json["message"], json["detail"]].compactMap { $0?.stringValue }.first
    return found ?? String(decoding: json.encodedBytes().prefix(1000), as: UTF8.self)
  }

  private static var now: Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}

/// Outcomes on their way from the network's threads to the one that asked.
private final class Mailbox: @unchecked Sendable {
  private let condition = NSCondition()
  private var outcomes: [(Int, HTTPConnection.Outcome)] = []

  func put(_ number: Int, _ outcome: HTTPConnection.Outcome) {
    condition.withLock {
      outcomes.append((number, outcome))
      condition.signal()
    }
  }

  /// All that is there; waits no longer than this for the first.
  func wait(seconds: Double) -> [(Int, HTTPConnection.Outcome)] {
    condition.withLock {
      if outcomes.isEmpty { _ = condition.wait(until: Date(timeIntervalSinceNow: seconds)) }
      defer { outcomes = [] }
      return outcomes
    }
  }
}
