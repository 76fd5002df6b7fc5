import JSONValues

extension Mixture {
  /// The counts that `data/mix` writes: of each source how many records there were, how many were wanted and taken, and how many of them differ.
  package var json: JSONValue {
    let total = picks.count
    let rows = sources.enumerated().map { index, source -> JSONValue in
      let distinct = Set(picks.filter { $0.source == index }.map(\.record)).count
      return .object(
        JSONObject([
          ("source", .string(source.name)), ("input", .string(source.part.rawValue)), ("records", .integer(source.records)),
          ("wanted", .integer(wanted[index])), ("taken", .integer(taken[index])), ("distinct", .integer(distinct)),
          ("share", .number(Double(taken[index]) / Double(total))),
        ]))
    }
    let replayed = zip(sources, taken).reduce(0) { $0 + ($1.0.part == .replay ? $1.1 : 0) }
    return .object(
      JSONObject([
        ("records", .integer(total)), ("replay_share", .number(Double(replayed) / Double(total))), ("sources", .array(rows)),
      ]))
  }
}
