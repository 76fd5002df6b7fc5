import Foundation
import Reporting
import Testing

/// Pages of large runs: bounded, with all that is needed. `HEIRLOOM_WRITE_PAGES=DIR` keeps the pages, for `scripts/look-at-pages`.
@Suite("Pages of large runs", .serialized) struct PageSizeTests {
  @Test("a page stays below five megabytes", arguments: [300, 656, 1000])
  func size(count: Int) throws {
    let run = try LargeRun.write(count)
    let clock = ContinuousClock()
    var report: RunReport?
    let reading = try clock.measure { report = try run.report() }
    let whole = try #require(report)
    var page = ""
    let writing = clock.measure { page = whole.page }
    #expect(whole.instances.count >= count && whole.notes.isEmpty)
    #expect(page.utf8.count < 5_000_000)
    let folded = page.split(separator: "class=\"instance", omittingEmptySubsequences: false).count - 1
    #expect(folded < 64, "the graph begins folded")
    guard let directory = ProcessInfo.processInfo.environment["HEIRLOOM_WRITE_PAGES"] else { return }
    try Data(page.utf8).write(to: URL(fileURLWithPath: "\(directory)/synthetic-\(count).html"))
    print("\(whole.instances.count) instances: read in \(reading), written in \(writing), \(page.utf8.count) bytes")
  }

  @Test("the script is small enough to be read, and the style sheet")
  func assets() { #expect(PageAssets.script.utf8.count < 54_000 && PageAssets.style.utf8.count < 30_000) }
}
