import Foundation
import Remotes
import ScriptedServers
import Synchronization
import Testing

/// A number that several threads add to.
final class Counter: Sendable {
  private let total = Mutex(0)
  var value: Int { total.withLock { $0 } }
  func add(_ count: Int) { total.withLock { $0 += count } }
}

/// So many bytes that look like none others, made faster than a debug build makes them one by one.
func someBytes(_ count: Int) -> [UInt8] {
  var state = UInt64.random(in: 1...UInt64.max)
  let block = (0..<8191).map { _ in
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return UInt8(truncatingIfNeeded: state >> 56)
  }
  var bytes: [UInt8] = []
  bytes.reserveCapacity(count + block.count)
  while bytes.count < count { bytes.append(contentsOf: block) }
  bytes.removeLast(bytes.count - count)
  return bytes
}

/// A directory that goes when nobody holds it.
final class TemporaryDirectory: Sendable {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.appendingPathComponent("heirloom-web-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
}

/// Servers that somebody started for the tests (`scripts/test-services`).
enum Service {
  static let registry = value("HEIRLOOM_TEST_REGISTRY")
  static let s3 = value("HEIRLOOM_TEST_S3")
  static let isRequired = value("CI") == "true"

  static func value(_ name: String) -> String? { ProcessInfo.processInfo.environment[name].flatMap { $0.isEmpty ? nil : $0 } }

  /// Where nobody looks at what was skipped, a registry has to be there.
  static var registryIsWanted: Bool { registry != nil || isRequired }

  static func requireRegistry() throws -> String {
    try #require(registry, "HEIRLOOM_TEST_REGISTRY is not set, and CI=true wants it: run scripts/test-services --need registry")
  }

  /// A repository of its own for every test.
  static func repository() throws -> String { "oci://\(try requireRegistry())/heirloom/\(UUID().uuidString.lowercased())" }
}

/// What a program prints, and its exit status; nil when it is not installed.
func run(_ words: [String]) throws -> (status: Int32, output: String)? {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  process.arguments = words
  let pipe = Pipe()
  process.standardOutput = pipe
  process.standardError = pipe
  try process.run()
  let output = String(decoding: try pipe.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
  process.waitUntilExit()
  return process.terminationStatus == 127 ? nil : (process.terminationStatus, output)
}

extension ScriptedServer.Answer: CustomTestStringConvertible {
  package var testDescription: String {
    switch self {
    case .plain(let status, let headers, let body): "\(status) \(headers) \(body.count) bytes"
    case .raw(let bytes): "'\(String(decoding: bytes.prefix(60), as: UTF8.self))'"
    case .endless: "something without end"
    case .silence: "nothing"
    }
  }
}

/// Runs what blocks on threads that are there for it.
func onThreads<Result: Sendable>(_ body: @escaping @Sendable () async throws -> Result) async throws -> Result {
  let threads = RemoteThreads(6)
  defer { threads.finish() }
  return try await Task(executorPreference: threads) { try await body() }.value
}

/// The error that comes of it, as the user would read it.
func failure(_ body: @escaping @Sendable () async throws -> Void) async throws -> RemoteError? {
  try await onThreads {
    do { try await body() } catch let error as RemoteError { return error }
    return nil
  }
}
