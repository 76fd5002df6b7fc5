import Foundation
import Reporting
import Testing

/// The page of a small run as it was looked at and found good. `HEIRLOOM_RECORD_PAGES=1 swift test --filter PageGoldenTests` writes it anew;
/// look at what changed before it is committed.
@Suite("The page as it was") struct PageGoldenTests {
  private static let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/Fixtures/page.html"
  private static let isRecording = ProcessInfo.processInfo.environment["HEIRLOOM_RECORD_PAGES"] == "1"
  /// What holds times of the day, or the program's own version, is not held against it.
  private static let moving: Set<String> = ["overview", "timeline", "instances", "graph"]

  @Test("sections of a small run are, byte for byte, what they were")
  func golden() throws {
    let report = try ReportTests.whole().report()
    var shell = PageShell(title: "synthetic")
    shell.add(report.sections.filter { !Self.moving.contains($0.id) })
    // Style and script are files of their own, and change on their own.
    let html = shell.html.replacing(PageAssets.style, with: "").replacing(PageAssets.script, with: "")
      .replacing(/sha256-[A-Za-z0-9+\/]{43}=/, with: "sha256-…").replacing("><", with: ">\n<")
    if Self.isRecording { try Data(html.utf8).write(to: URL(fileURLWithPath: Self.path)) }
    let known = try String(contentsOfFile: Self.path, encoding: .utf8)
    let (now, before) = (
      html.split(separator: "\n", omittingEmptySubsequences: false), known.split(separator: "\n", omittingEmptySubsequences: false)
    )
    for (line, (new, old)) in zip(now, before).enumerated() where new != old {
      return #expect(Bool(false), "line \(line + 1) was\n\(old.prefix(400))\nand is\n\(new.prefix(400))")
    }
    #expect(now.count == before.count)
  }
}
