import JSONValues

/// Which column of a foreign row holds which field of ours: `{prompt: question, completion: answer}`. A column name may reach into
/// objects with dots (`extra_info.answer`); a member of exactly that name goes first.
package struct FieldMapping: Sendable, Equatable {
  package static let fields = ["prompt", "completion", "text", "messages", "answer", "choices", "gold", "verify"]

  /// (field, column) in the order given.
  package let pairs: [Pair]

  package struct Pair: Sendable, Equatable {
    package let field: String
    package let column: String
  }

  /// No mapping: rows have one of the known forms.
  package static let none = FieldMapping(checked: [])

  private init(checked pairs: [Pair]) { self.pairs = pairs }

  package init(_ object: JSONObject) throws(DatasetError) {
    var pairs: [Pair] = []
    for (field, column) in object.members {
      guard Self.fields.contains(field) else {
        throw DatasetError("a mapping cannot set '\(field)'; fields are \(Self.fields.joined(separator: ", "))")
      }
      guard let column = column.stringValue, !column.isEmpty else { throw DatasetError("the mapping of '\(field)' must name a column") }
      pairs.append(Pair(field: field, column: column))
    }
    self.init(checked: pairs)
  }

  /// The row with the mapped columns under our names first and the columns that were not used behind them.
  func apply(to row: JSONObject) throws(DatasetError) -> JSONObject {
    guard !pairs.isEmpty else { return row }
    var mapped = JSONObject()
    for pair in pairs {
      guard let value = Self.value(at: pair.column, in: row) else {
        throw DatasetError("column '\(pair.column)', mapped to '\(pair.field)', is missing; the row has \(Self.list(row.keys))")
      }
      mapped.append(pair.field, value)
    }
    for member in row.members where !pairs.contains(where: { $0.column == member.key }) && mapped[member.key] == nil {
      mapped.append(member.key, member.value)
    }
    return mapped
  }

  static func value(at path: String, in row: JSONObject) -> JSONValue? {
    if let value = row[path] { return value }
    let parts = path.split(separator: ".").map(String.init)
    guard parts.count > 1 else { return nil }
    return parts.dropFirst().reduce(row[parts[0]]) { value, part in value?[part] }
  }

  static func list(_ keys: [String]) -> String {
    keys.isEmpty ? "no members" : keys.map { "'\($0)'" }.joined(separator: ", ")
  }
}
