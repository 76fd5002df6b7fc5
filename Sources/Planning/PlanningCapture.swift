import Hashing
import JSONValues
import Synchronization

/// Every question that planning asked of the file system, with its answer in full: enough to plan the same again where the files are
/// others by now, or are not at all. It does not know the files that stages read, only those that plans are made of.
package struct PlanningCapture: Sendable, Equatable {
  package enum Answer: Sendable, Equatable {
    case bytes([UInt8])
    case unreadable(String)
    case kind(ProjectFiles.Kind?)
    case names([String])
  }

  package private(set) var answers: [PlanningTrace.Question: Answer]

  fileprivate init(_ answers: [PlanningTrace.Question: Answer]) { self.answers = answers }

  /// Files that answer as they did then. A question that was not asked then finds nothing.
  package var files: ProjectFiles {
    let answers = answers
    return ProjectFiles(
      read: { path, limit in
        switch answers[.read(path: path, limit: limit)] {
        case .bytes(let bytes): .success(bytes)
        case .unreadable(let reason): .failure(.init(reason))
        default: .failure(.init("No such file or directory"))
        }
      },
      kind: { path in if case .kind(let kind) = answers[.kind(path: path)] { kind } else { nil } },
      list: { path in if case .names(let names) = answers[.list(path: path)] { names } else { [] } })
  }

  /// What was read, by path, in byte order of paths.
  package var contents: [(path: String, bytes: [UInt8])] {
    var contents: [String: [UInt8]] = [:]
    for case (.read(let path, _), .bytes(let bytes)) in answers { contents[path] = bytes }
    return contents.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }.map { ($0.key, $0.value) }
  }
}

/// Writes down what planning asks, and what it is answered.
package final class PlanningCamera: Sendable {
  private let known = Mutex<[PlanningTrace.Question: PlanningCapture.Answer]>([:])

  package init() {}

  package var capture: PlanningCapture { PlanningCapture(known.withLock { $0 }) }

  /// The same files, watched. The first answer to a question is the one that is kept and given ever after, so that a plan and its
  /// capture agree even where files change in the midst.
  package func watching(_ files: ProjectFiles) -> ProjectFiles {
    ProjectFiles(
      read: { path, limit in
        let answer = self.note(.read(path: path, limit: limit)) {
          switch files.read(path, limit) {
          case .success(let bytes): .bytes(bytes)
          case .failure(let failure): .unreadable(failure.reason)
          }
        }
        switch answer {
        case .bytes(let bytes): return .success(bytes)
        case .unreadable(let reason): return .failure(.init(reason))
        case .kind, .names: preconditionFailure("another question's answer")
        }
      },
      kind: { path in if case .kind(let kind) = self.note(.kind(path: path), { .kind(files.kind(path)) }) { kind } else { nil } },
      list: { path in if case .names(let names) = self.note(.list(path: path), { .names(files.list(path)) }) { names } else { [] } })
  }

  private func note(_ question: PlanningTrace.Question, _ ask: () -> PlanningCapture.Answer) -> PlanningCapture.Answer {
    if let known = known.withLock({ $0[question] }) { return known }
    let answer = ask()
    return known.withLock { known in
      if let first = known[question] { return first }
      known[question] = answer
      return answer
    }
  }
}

// MARK: - As JSON

extension PlanningCapture {
  /// `[["read", path, limit, "utf8"|"hex", content], ["unreadable", path, limit, reason], ["kind", path, "file"|…|null],
  /// ["list", path, [name, …]], …]`, in an order of its own.
  package var json: JSONValue {
    let rows: [[JSONValue]] = answers.map { question, answer in
      switch (question, answer) {
      case (.read(let path, let limit), .bytes(let bytes)):
        if let text = String(validating: bytes, as: UTF8.self) {
          ["read", .string(path), .integer(limit), "utf8", .string(text)]
        } else {
          ["read", .string(path), .integer(limit), "hex", .string(Self.hex(bytes))]
        }
      case (.read(let path, let limit), .unreadable(let reason)): ["unreadable", .string(path), .integer(limit), .string(reason)]
      case (.kind(let path), .kind(let kind)): ["kind", .string(path), kind.map { .string("\($0)") } ?? .null]
      case (.list(let path), .names(let names)): ["list", .string(path), .array(names.map(JSONValue.string))]
      default: preconditionFailure("another question's answer")
      }
    }
    let order = { (row: [JSONValue]) in JSONValue.array(row).encodedBytes() }
    return .array(rows.map { (order($0), $0) }.sorted { $0.0.lexicographicallyPrecedes($1.0) }.map { .array($0.1) })
  }

  /// Nil for what is not such a list.
  package init?(json: JSONValue?) {
    guard let rows = json?.arrayValue else { return nil }
    var answers: [PlanningTrace.Question: Answer] = [:]
    for row in rows {
      guard let path = row[1]?.stringValue else { return nil }
      switch row[0]?.stringValue {
      case "read":
        guard let limit = row[2]?.integerValue, let text = row[4]?.stringValue else { return nil }
        let bytes: [UInt8]? =
          switch row[3]?.stringValue {
          case "utf8": Array(text.utf8)
          case "hex": Self.bytes(hex: text)
          default: nil
          }
        guard let bytes else { return nil }
        answers[.read(path: path, limit: limit)] = .bytes(bytes)
      case "unreadable":
        guard let limit = row[2]?.integerValue, let reason = row[3]?.stringValue else { return nil }
        answers[.read(path: path, limit: limit)] = .unreadable(reason)
      case "kind":
        let kinds: [String: ProjectFiles.Kind] = ["file": .file, "directory": .directory, "other": .other]
        guard let value = row[2] else { return nil }
        if case .null = value {
          answers[.kind(path: path)] = .kind(nil)
        } else {
          guard let kind = value.stringValue.flatMap({ kinds[$0] }) else { return nil }
          answers[.kind(path: path)] = .kind(kind)
        }
      case "list":
        guard let list = row[2]?.arrayValue else { return nil }
        let names = list.compactMap(\.stringValue)
        guard names.count == list.count else { return nil }
        answers[.list(path: path)] = .names(names)
      default: return nil
      }
    }
    self.answers = answers
  }

  private static func hex(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }

  private static func bytes(hex text: String) -> [UInt8]? {
    let digits = Array(text.utf8)
    guard digits.count.isMultiple(of: 2) else { return nil }
    var bytes: [UInt8] = []
    for place in stride(from: 0, to: digits.count, by: 2) {
      guard let byte = UInt8(String(decoding: digits[place..<place + 2], as: UTF8.self), radix: 16) else { return nil }
      bytes.append(byte)
    }
    return bytes
  }
}
