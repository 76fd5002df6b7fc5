import Execution

/// What is asked for, read from a path and its query. There is no way from here to the file system but through ids and places of known form.
package enum Route: Sendable, Equatable {
  case runs
  case runsJSON
  case run(RunID)
  case runJSON(RunID)
  /// Server-sent events of a run.
  case events(RunID)
  /// One instance, by its place in the plan.
  case instance(RunID, Int)
  /// Its log from a byte on, as plain text.
  case log(RunID, Int, from: Int)
  /// None are asked for: the page to choose them on.
  case compare([RunID])
  case compareJSON([RunID])

  package enum Failure: Error, Equatable {
    /// Nothing has such a name.
    case unknown
    /// What the query has to say, and does not.
    case query(String)
  }

  /// More runs beside each other cannot be read.
  package static let mostCompared = 8

  /// - Parameter target: as it stands in the request line. Percent signs are no part of any name here: what is encoded is unknown.
  package init(_ target: String) throws(Failure) {
    let parts = target.utf8.split(separator: UInt8(ascii: "?"), maxSplits: 1, omittingEmptySubsequences: false)
    let path = parts[0].split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
    let query = try Self.query(parts.count > 1 ? parts[1] : "".utf8[...])
    guard path.first == "", path.count <= 6 else { throw .unknown }
    self = try Self.route(Array(path.dropFirst()), query)
    if !query.isEmpty, !takesQuery { throw .query("nothing is known of '\(query[0].name)'") }
  }

  private static func route(_ path: [String], _ query: [(name: String, value: String)]) throws(Failure) -> Route {
    switch (path.first, path.count) {
    case ("", 1): return .runs
    case ("runs.json", 1): return .runsJSON
    case ("compare", 1): return .compare(try runs(query))
    case ("compare.json", 1): return .compareJSON(try runs(query))
    case ("runs", 2...): break
    default: throw .unknown
    }
    guard let id = RunID(path[1]) else { throw .unknown }
    switch (path.dropFirst(2).first, path.count) {
    case (nil, 2): return .run(id)
    case ("report.json", 3): return .runJSON(id)
    case ("events", 3): return .events(id)
    case ("instances", 4): return .instance(id, try place(path[3]))
    case ("instances", 5) where path[4] == "log": return .log(id, try place(path[3]), from: try offset(query))
    default: throw .unknown
    }
  }

  private var takesQuery: Bool {
    switch self {
    case .compare, .compareJSON, .log: true
    default: false
    }
  }

  private static func place(_ text: String) throws(Failure) -> Int {
    guard let number = number(text), number < 1_000_000 else { throw .unknown }
    return number
  }

  private static func offset(_ query: [(name: String, value: String)]) throws(Failure) -> Int {
    if query.isEmpty { return 0 }
    guard query.count == 1, query[0].name == "from", let number = number(query[0].value) else {
      throw .query("a log is asked for with from=BYTE")
    }
    return number
  }

  /// Digits alone, written as a number is.
  private static func number(_ text: String) -> Int? {
    guard (1...15).contains(text.utf8.count), text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
      return nil
    }
    return text.utf8.count > 1 && text.utf8.first == UInt8(ascii: "0") ? nil : Int(text)
  }

  // MARK: - Queries

  private static func runs(_ query: [(name: String, value: String)]) throws(Failure) -> [RunID] {
    var runs: [RunID] = []
    for (name, value) in query {
      guard name == "run", let id = RunID(value) else { throw .query("runs are compared with run=ID&run=ID") }
      if !runs.contains(id) { runs.append(id) }
    }
    guard runs.count <= mostCompared else { throw .query("no more than \(mostCompared) runs are compared at once") }
    return runs
  }

  private static func query(_ text: Substring.UTF8View) throws(Failure) -> [(name: String, value: String)] {
    var pairs: [(name: String, value: String)] = []
    for pair in text.split(separator: UInt8(ascii: "&")) {
      guard pairs.count < 32 else { throw .query("the query is too long") }
      let parts = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
      pairs.append((String(decoding: parts[0], as: UTF8.self), parts.count > 1 ? String(decoding: parts[1], as: UTF8.self) : ""))
    }
    return pairs
  }
}

extension Route {
  package static func path(_ id: RunID) -> String { "/runs/\(id.text)" }
  package static func path(_ id: RunID, instance: Int) -> String { "/runs/\(id.text)/instances/\(instance)" }
}
