import Foundation
import JSONValues
import Reporting
import Testing

/// The page of a run, opened as a file and used as a person uses it.
@Suite("The page of a run in a browser", .serialized, Browser.trait) struct ReportPageTests {
  /// Writes a page into a directory of its own, opens it, and holds at the end that it complained of nothing and asked for nothing but itself.
  private static func with(
    _ report: RunReport, size: (width: Int, height: Int) = (1440, 900), _ work: (BrowserPage, String) async throws -> Void
  ) async throws {
    let directory = FileManager.default.temporaryDirectory.path + "/heirloom-page-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let address = "file://\(directory)/report.html"
    try Data(report.page.utf8).write(to: URL(fileURLWithPath: directory + "/report.html"))
    try await Browser.with(size: size) { page in
      try await page.open(address)
      try await page.wait("document.documentElement.dataset.interactive")
      try await work(page, directory)
      #expect(page.record.complaints == [])
      #expect(page.record.requests.filter { !$0.hasPrefix("blob:") } == [address])
    }
  }

  @Test("the graph folds and unfolds, by mouse and by keyboard")
  func graph() async throws {
    let report = try LargeRun.write(100).report()
    try await Self.with(report) { page, _ in
      try await page.evaluate("document.querySelector('#graph').scrollIntoView()")
      try await page.wait("document.querySelector('#graph figure').dataset.ready")
      let folded = try await page.count("#graph .instance")
      #expect(folded < 20)
      try await page.click("#graph .instance[data-name='data']")
      try await page.wait("document.querySelectorAll('#graph .instance').length === \(folded + 10)")
      #expect(try await page.count("#graph .instance[data-name='data[lookup]']") == 1)
      // A single one says what it is, and folds back.
      try await page.evaluate("document.querySelector(\"#graph .instance[data-name='data[copy]']\").focus()")
      try await page.press("Enter")
      #expect(try await page.text("#graph .panel").contains("data/tasks"))
      try await page.click(on: "[...document.querySelectorAll('#graph .panel button')].find((one) => one.textContent === 'Fold data')")
      try await page.wait("document.querySelectorAll('#graph .instance').length === \(folded)")
      try await page.click(on: "[...document.querySelectorAll('#graph button')].find((one) => one.textContent === 'Unfold all')")
      try await page.wait("document.querySelectorAll('#graph .instance').length === \(report.instances.count)")
    }
  }

  @Test("a curve stands alone, is smoothed, has a logarithmic axis, and says its values")
  func curves() async throws {
    try await Self.with(LargeRun.write(100).report()) { page, _ in
      try await page.evaluate("document.querySelector('#training').scrollIntoView()")
      try await page.wait("document.querySelector('#training figure').dataset.ready")
      let all = try await page.count("#training figure:first-of-type .series")
      #expect(all > 1)
      try await page.click("#training .legend-list button")
      #expect(try await page.evaluate("document.querySelector('#training figure').querySelectorAll('.series').length") == 1)
      #expect(try await page.evaluate("document.querySelector('#training .legend-list button').getAttribute('aria-pressed')") == "true")
      let before = try await page.evaluate("document.querySelector('#training .series .line').getAttribute('d')")
      try await page.evaluate(
        "(() => { const s = document.querySelector('#training select'); s.value = '0.9'; s.dispatchEvent(new Event('change')); })()")
      let smooth = try await page.evaluate("document.querySelector('#training .series .line:not(.raw)').getAttribute('d')")
      #expect(smooth != before)
      try await page.click(on: "[...document.querySelectorAll('#training button')].find((one) => one.textContent === 'Log scale')")
      #expect(try await page.evaluate("document.querySelector('#training .series .line:not(.raw)').getAttribute('d')") != smooth)
      try await page.point("#training svg.drawn", x: 0.5, y: 0.5)
      try await page.wait("!document.getElementById('tip').hidden")
      #expect(try await page.text("#tip").hasPrefix("step "))
      try await page.click("#training-filters input")
      try await page.type("no such training")
      try await page.wait("document.querySelectorAll('#training .series').length === 0")
    }
  }

  @Test("the numbers of a chart come as the CSV that they are, and as a table")
  func csv() async throws {
    let report = try LargeRun.write(100).report()
    try await Self.with(report) { page, directory in
      try await page.saveDownloads(to: directory)
      try await page.evaluate("document.querySelector('#matrix0-heat0').scrollIntoView({block: 'center', behavior: 'instant'})")
      try await page.wait("document.querySelector('#matrix0-heat0').closest('figure').dataset.ready")
      try await page.click(on: "document.querySelector('#matrix0-heat0').closest('figure').querySelector('.tools button:nth-child(2)')")
      let file = "\(directory)/\(report.matrices[0].methods[0].name).csv"
      for _ in 0..<1000 where !FileManager.default.fileExists(atPath: file) { try await page.wait("true") }
      let lines = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\r\n")
      let cells = report.matrices[0].methods[0].cells.joined().compactMap { $0 }
      #expect(lines.first == "row,column,value,change,low,high,verdict" && lines.count == cells.count + 1)
      #expect(
        lines.dropFirst().map { $0.split(separator: ",", omittingEmptySubsequences: false)[2] }
          == cells.map { Substring(JSONText.number($0.value.mean)) })
      try await page.click(on: "document.querySelector('#matrix0-heat0').closest('figure').querySelector('.tools button')")
      #expect(
        try await page.evaluate("document.querySelector('#matrix0-heat0').closest('figure').querySelectorAll('tbody tr').length")
          .integerValue == cells.count)
      // As `ChartData.csv` quotes: RFC 4180, and nothing that a spreadsheet would run.
      #expect(
        try await page.evaluate(#"Heirloom.csv(["a"], [["x,\"y\""], ["=1"], [null], [2], ["-inf"]])"#)
          == "a\r\n\"x,\"\"y\"\"\"\r\n'=1\r\n\r\n2\r\n-inf\r\n")
    }
  }

  @Test("instances are filtered, sorted and opened; answers are filtered")
  func lists() async throws {
    let report = try LargeRun.write(100).report()
    try await Self.with(report) { page, _ in
      try await page.click("#instance-filters input")
      try await page.type("kept")
      let kept = report.instances.count { $0.name.contains("kept") }
      try await page.wait("document.querySelectorAll('#instance-table tbody tr:not([hidden])').length === \(kept)")
      try await page.evaluate(
        "(() => { const i = document.querySelector('#instance-filters input'); i.value = ''; i.dispatchEvent(new Event('input')); })()")
      try await page.click("#i0 a")
      #expect(try await page.text("#instance-table .detail").contains(report.instances[0].key ?? "?"))
      try await page.click("#instance-table thead th:nth-child(4) button")
      let longest = report.instances.compactMap(\.seconds).max()
      #expect(try await page.text("#instance-table tbody tr td:nth-child(4)") == Figures.duration(longest))
      try await page.evaluate(
        "(() => { const s = document.querySelectorAll('.answers select')[0]; s.value = 'wrong'; s.dispatchEvent(new Event('change')); })()")
      let set = report.samples[0]
      let wrong = set.rows.count { $0.answers.last??.isRight == false }
      #expect(try await page.text(".answers .count").hasPrefix("\(wrong) of \(set.rows.count)"))
      #expect(try await page.count(".answers .cards li") == min(wrong, 20))
    }
  }

  @Test("colours change at a click, and nothing is wider than a telephone")
  func telephone() async throws {
    try await Self.with(LargeRun.write(100).report(), size: (400, 800)) { page, _ in
      let ground = "getComputedStyle(document.body).backgroundColor"
      let before = try await page.evaluate(ground)
      try await page.click("#theme")
      #expect(try await page.evaluate(ground) != before)
      try await page.evaluate("Heirloom.prepareAll(); document.querySelectorAll('details').forEach((one) => { one.open = true; })")
      #expect(try await page.evaluate("document.documentElement.scrollWidth") == 400)
      // Everything with an action can be reached, and says what it is.
      let nameless =
        "[...document.querySelectorAll('button, select, input, [role=button]')].filter((one) => !(one.getAttribute('aria-label') || one.textContent.trim() || one.closest('label'))).length"
      #expect(try await page.evaluate(nameless) == 0)
    }
  }

  @Test("hostile texts run nothing")
  func hostile() async throws {
    let run = try SyntheticRun()
    let text = "</script><script>window.hit=1</script><img src=x onerror=window.hit=1>\"'><svg onload=window.hit=1>\u{202E}"
    let suite = SyntheticRun.Output("heldout", "suite", files: [("records.jsonl", Array("{}\n".utf8))])
    try run.add(text, "data/tasks", outputs: [suite], log: text)
    try run.add("failed", text, log: text, .failed(text))
    try run.add(
      "scores", "evaluate", inputs: [("suite", ["\(text).heldout"])],
      outputs: [.init("scores", "scores", Records.scores(text, [0])), .init("samples", "file", Records.samples([(text, text, "a")]))])
    try run.add("train", "train/sft", outputs: [.init("log", "json", Records.log(9))])
    try run.finish(status: 1)
    try await Self.with(run.report()) { page, _ in
      try await page.evaluate("Heirloom.prepareAll(); document.querySelectorAll('details').forEach((one) => { one.open = true; })")
      try await page.click("#i0 a")
      try await page.click("#i1 a")
      try await page.click(on: "[...document.querySelectorAll('#graph .tools button')].find((one) => one.textContent === 'Table')")
      #expect(try await page.evaluate("window.hit === undefined && !document.querySelector('img')") == true)
      #expect(try await page.text("#answers").contains("<img src=x onerror"))
    }
  }
}
