import Foundation
import JSONValues
import Reporting
import Testing

/// `docs/report.md` against what is written.
@Suite("The report's JSON is documented") struct ReportDocumentationTests {
  /// Members of these are named by recipes, stages or records.
  private static let free: Set<String> = [
    "parameters", "facts", "host", "metrics", "labels", "axes", "inputs", "statistics", "counts", "matrices", "scores", "length_histogram",
    "reasons", "duplicates", "percentiles",
  ]

  private static func names(_ value: JSONValue) -> Set<String> {
    if let list = value.arrayValue { return list.reduce(into: []) { $0.formUnion(names($1)) } }
    return (value.objectValue?.members ?? []).reduce(into: []) { found, member in
      found.insert(member.key)
      if !free.contains(member.key) { found.formUnion(names(member.value)) }
    }
  }

  @Test("every field that is written has its name in docs/report.md")
  func fields() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let document = try String(contentsOf: root.appendingPathComponent("docs/report.md"), encoding: .utf8)
    let names = Self.names(try ReportTests.whole().report().json)
    #expect(names.count > 100)
    for name in names.sorted() { #expect(document.contains("`\(name)`"), "\(name)") }
  }
}
