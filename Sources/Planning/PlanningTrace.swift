import Hashing
import JSONValues
import Synchronization

/// Every question that planning asked of the file system, with the digest of the answer.
///
/// Planning is a function of these answers, the command line and the program; so as long as all of them stay, its outcome does, and need
/// not be worked out again.
package struct PlanningTrace: Sendable {
  package enum Question: Hashable, Sendable {
    case read(path: String, limit: Int)
    case kind(path: String)
    case list(path: String)
  }

  package private(set) var answers: [(question: Question, answer: Digest)]

  /// Whether every question has the answer that it had.
  package func holds(in files: ProjectFiles) -> Bool {
    answers.allSatisfy { question, answer in Self.answer(question, files) == answer }
  }

  private static func answer(_ question: Question, _ files: ProjectFiles) -> Digest {
    switch question {
    case .read(let path, let limit): digest(files.read(path, limit))
    case .kind(let path): digest(files.kind(path))
    case .list(let path): digest(files.list(path))
    }
  }

  fileprivate static func digest(_ answer: Result<[UInt8], ProjectFiles.ReadFailure>) -> Digest {
    switch answer {
    case .success(let bytes): Digest(hashing: bytes)
    case .failure(let failure): Digest(hashing: "unreadable\0" + failure.reason)
    }
  }

  fileprivate static func digest(_ answer: ProjectFiles.Kind?) -> Digest {
    switch answer {
    case .file?: Digest(hashing: "file")
    case .directory?: Digest(hashing: "directory")
    case .other?: Digest(hashing: "other")
    case nil: Digest(hashing: "nothing")
    }
  }

  fileprivate static func digest(_ answer: [String]) -> Digest { Digest(hashing: answer.joined(separator: "\0")) }
}

/// Writes down what planning asks. Each question counts once: files that change while they are planned from are nobody's plan.
package final class PlanningRecorder: Sendable {
  private let known = Mutex<[PlanningTrace.Question: Digest]>([:])
  /// Two answers to one question were not the same.
  private let isTorn = Mutex(false)

  package init() {}

  /// Nil when files changed in the midst.
  package var trace: PlanningTrace? {
    isTorn.withLock { $0 } ? nil : PlanningTrace(answers: known.withLock { known in known.map { ($0.key, $0.value) } })
  }

  /// The same files, watched.
  package func watching(_ files: ProjectFiles) -> ProjectFiles {
    ProjectFiles(
      read: { path, limit in
        let answer = files.read(path, limit)
        self.note(.read(path: path, limit: limit)) { PlanningTrace.digest(answer) }
        return answer
      },
      kind: { path in
        let answer = files.kind(path)
        self.note(.kind(path: path)) { PlanningTrace.digest(answer) }
        return answer
      },
      list: { path in
        let answer = files.list(path)
        self.note(.list(path: path)) { PlanningTrace.digest(answer) }
        return answer
      })
  }

  private func note(_ question: PlanningTrace.Question, _ answer: () -> Digest) {
    let answer = answer()
    let before = known.withLock { known in known.updateValue(answer, forKey: question) }
    if let before, before != answer { isTorn.withLock { $0 = true } }
  }
}

// MARK: - As JSON

extension PlanningTrace {
  /// `[["read", path, limit, digest], ["kind", path, digest], ["list", path, digest], …]`
  package var json: JSONValue {
    .array(
      answers.map { question, answer in
        switch question {
        case .read(let path, let limit): ["read", .string(path), .integer(limit), .string(answer.hex)]
        case .kind(let path): ["kind", .string(path), .string(answer.hex)]
        case .list(let path): ["list", .string(path), .string(answer.hex)]
        }
      })
  }

  package init?(json: JSONValue?) {
    guard let list = json?.arrayValue else { return nil }
    var answers: [(Question, Digest)] = []
    for entry in list {
      guard let path = entry[1]?.stringValue, let answer = entry.arrayValue?.last?.stringValue.flatMap(Digest.init) else { return nil }
      switch entry[0]?.stringValue {
      case "read":
        guard let limit = entry[2]?.integerValue else { return nil }
        answers.append((.read(path: path, limit: limit), answer))
      case "kind": answers.append((.kind(path: path), answer))
      case "list": answers.append((.list(path: path), answer))
      default: return nil
      }
    }
    self.answers = answers
  }
}
