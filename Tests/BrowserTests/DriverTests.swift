import JSONValues
import Testing

@Suite("The browser that tests drive", .serialized, Browser.trait) struct DriverTests {
  @Test("it runs expressions, clicks, types, and hears what goes wrong")
  func drives() async throws {
    try await Browser.with { page in
      try await page.open(
        "data:text/html,<button onclick='this.textContent=1+1'>x</button><input autofocus><script>console.error('oh')</script>")
      try await page.click("button")
      #expect(try await page.text("button") == "2")
      try await page.evaluate("document.querySelector('input').focus()")
      try await page.type("a<b")
      #expect(try await page.evaluate("document.querySelector('input').value") == "a<b")
      #expect(page.record.complaints == ["console.error: oh"])
      await #expect(throws: Chromium.Failure.self) { try await page.evaluate("nothing.here") }
      await #expect(throws: Chromium.Failure.self) { try await page.wait("false", seconds: 0.05) }
    }
  }
}
