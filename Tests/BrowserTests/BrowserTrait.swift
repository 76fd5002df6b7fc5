import Foundation
import Testing

/// Tests that need a browser: skipped in one line where there is none, which under CI is a failure.
enum Browser {
  static let isWanted = ProcessInfo.processInfo.environment["CI"] == "true"

  static var trait: ConditionTrait {
    .enabled(if: Chromium.program != nil || isWanted, "there is no Chromium here (Debian's package is chromium; CHROMIUM names another)")
  }

  /// A page in a browser of its own, which ends with what is done in it.
  static func with(size: (width: Int, height: Int) = (1440, 900), _ work: (BrowserPage) async throws -> Void) async throws {
    let browser = try Chromium()
    defer { browser.close() }
    try await work(BrowserPage(browser, size: size))
  }
}
