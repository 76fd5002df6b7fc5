import Diagnostics
import JSONValues
import Plotting

/// Values for the script of a page. Their texts are made visible here, so that the script may show them as they are, and nothing in them ends
/// the element that they stand in.
enum PageJSON {
  /// Without `<`, `>` and `&`.
  static func text(_ value: JSONValue) -> String {
    var result: [UInt8] = []
    let bytes = value.encodedBytes()
    result.reserveCapacity(bytes.count + bytes.count / 16)
    for byte in bytes {
      switch byte {
      case UInt8(ascii: "<"): result.append(contentsOf: #"\u003c"#.utf8)
      case UInt8(ascii: ">"): result.append(contentsOf: #"\u003e"#.utf8)
      case UInt8(ascii: "&"): result.append(contentsOf: #"\u0026"#.utf8)
      default: result.append(byte)
      }
    }
    return String(decoding: result, as: UTF8.self)
  }

  /// On one line.
  static func line(_ text: String, most: Int = 400) -> JSONValue { .string(visible(VisibleText.line(text, most: most), most: .max)) }

  /// With its line breaks.
  static func block(_ text: String, most: Int) -> JSONValue {
    let lines = VisibleText.block(text, most: most).utf8.split(separator: 0x0A, omittingEmptySubsequences: false)
    return .string(lines.map { visible(String(decoding: $0, as: UTF8.self), most: .max) }.joined(separator: "\n"))
  }

  private static func visible(_ text: String, most: Int) -> String {
    VisibleText.line(text, most: most)
  }

  /// JSON has no NaN and no infinity; as texts they come into a CSV as they do everywhere.
  static func number(_ value: Double) -> JSONValue { value.isFinite ? .number(value) : .string(NumberText.exact(value)) }

  /// With six digits that count: what a picture of thousands of points can use. The report's JSON has them all.
  static func short(_ value: Double) -> JSONValue {
    value.isFinite ? (Double(NumberText.short(value, significant: 6)).map(JSONValue.number) ?? .number(value)) : number(value)
  }

  static func table(_ data: ChartData, title: String) -> JSONValue {
    [
      "kind": "table", "title": line(title), "columns": .array(data.columns.map { line($0) }),
      "rows": .array(
        data.rows.map { row in
          .array(
            row.map { cell in
              switch cell {
              case .text(let text): line(text)
              case .number(let value): number(value)
              case .missing: .null
              }
            })
        }),
    ]
  }

  static func lines(_ plot: LinePlot, colors: [Int]?) -> JSONValue {
    let steps = plot.series.first.map { $0.points.map(\.x) } ?? []
    let isShared = plot.series.allSatisfy { $0.points.map(\.x) == steps }
    var object = JSONObject([("kind", "lines"), ("title", line(plot.title)), ("x", line(plot.x.label)), ("y", line(plot.y.label))])
    if case .named(let names) = plot.x.scale { object.append("names", .array(names.map { line($0) })) }
    if case .logarithmic = plot.y.scale { object.append("log", true) }
    if case .linearFromZero = plot.y.scale { object.append("zero", true) }
    if isShared { object.append("steps", .array(steps.map(number))) }
    object.append(
      "series",
      .array(
        plot.series.enumerated().map { place, series in
          var member = JSONObject([("name", line(series.name)), ("y", .array(series.points.map { short($0.y.value) }))])
          if !isShared { member.append("x", .array(series.points.map { number($0.x) })) }
          if let colors { member.append("color", .integer(colors[place])) }
          if series.points.contains(where: { $0.y.interval != nil }) {
            member.append("low", .array(series.points.map { $0.y.interval.map { short($0.lowerBound) } ?? .null }))
            member.append("high", .array(series.points.map { $0.y.interval.map { short($0.upperBound) } ?? .null }))
          }
          return .object(member)
        }))
    return .object(object)
  }
}
