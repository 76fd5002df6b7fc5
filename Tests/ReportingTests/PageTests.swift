import Foundation
import JSONValues
import Plotting
import Reporting
import Testing

/// The page against the report that it shows.
@Suite("The page of a run") struct PageTests {
  @Test("its sections come in their order, each with a link, and none is empty")
  func sections() throws {
    let page = try PageDocument(ReportTests.whole().report().page)
    let sections = page.elements.filter { $0.name == "section" }
    #expect(
      sections.compactMap { $0.attributes["id"] } == [
        "overview", "problems", "graph", "forgetting", "training", "rollouts", "tokens", "answers", "data", "timeline", "instances",
        "models",
      ])
    let links = page.elements.filter { $0.name == "a" && $0.parents.contains { page.elements[$0].name == "nav" } }
    #expect(links.compactMap { $0.attributes["href"] } == sections.map { "#\($0.attributes["id"] ?? "")" })
    for section in sections { #expect(section.text.count > 30, "\(section.text)") }
    let ids = page.elements.compactMap { $0.attributes["id"] }
    #expect(Set(ids).count == ids.count, "an id stands twice")
  }

  @Test("it may ask for nothing, and runs its own script alone")
  func policy() throws {
    let html = try ReportTests.whole().report().page
    let page = try PageDocument(html)
    let policy = try #require(page.elements.first { $0.attributes["http-equiv"] == "Content-Security-Policy" }?.attributes["content"])
    #expect(policy.hasPrefix("default-src 'none'; script-src 'sha256-") && !policy.contains("unsafe") && !policy.contains("connect-src"))
    for element in page.elements {
      for name in ["src", "srcset", "action", "style"] { #expect(element.attributes[name] == nil, "<\(element.name) \(name)>") }
      #expect(element.attributes.keys.allSatisfy { !$0.hasPrefix("on") })
      #expect(element.attributes["href"].map { $0.hasPrefix("#") || $0 == "data:," } ?? true)
    }
    #expect(PageAssets.source("") == "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='")
    #expect(!PageAssets.script.contains("http://") || PageAssets.script.contains("http://www.w3.org/2000/svg"))
  }

  @Test("numbers in tables are the records'")
  func tables() throws {
    let report = try ReportTests.whole().report()
    let page = try PageDocument(report.page)
    let matrix = try #require(report.matrices.first)
    let methods = page.table("forgetting", having: "AvgAcc")
    for (row, method) in zip(methods.dropFirst(), matrix.methods) {
      #expect(
        row[0] == method.name && row[1] == Figures.text(method.metric("avg_acc")?.mean) && row[3] == Figures.text(method.metric("fm")?.mean)
      )
    }
    let cells = page.table("forgetting", having: "after")
    for (row, values) in zip(cells.dropFirst(), matrix.methods[0].cells) {
      #expect(row.dropFirst().map { $0.split(separator: " ").first.map(String.init) } == values.map { Figures.text($0?.value.mean) })
    }
    let instances = page.table("instances", having: "took").dropFirst()
    #expect(
      instances.map { $0[0] } == report.instances.map(\.name)
        && instances.map { $0[3] } == report.instances.map { Figures.duration($0.seconds) })
    #expect(page.element("overview")?.text.contains(report.overview.command) == true)
  }

  @Test("numbers in charts, and in the data beside them, are the records'")
  func charts() throws {
    let report = try ReportTests.whole().report()
    let page = try PageDocument(report.page)
    let cells = page.inside("matrix0-heat0").filter { $0.attributes["data-change"] != nil }
    let values = report.matrices[0].methods[0].cells.joined().compactMap { $0 }
    #expect(cells.compactMap { $0.attributes["data-y"].flatMap(Double.init) } == values.map(\.value.mean))
    #expect(cells.map { $0.attributes["data-change"].flatMap(Double.init) } == values.map(\.change))
    let heat = try page.data("matrix0-heat0")
    #expect(heat["rows"]?.arrayValue?.map { $0[2]?.numberValue } == values.map(\.value.mean))
    #expect(heat["rows"]?.arrayValue?.map { $0[4]?.numberValue } == values.map { $0.interval?.low })
    let loss = try page.data("curve0")
    let points = try #require(report.curves[0]["loss"]?.points)
    #expect(loss["title"] == "loss" && loss["steps"]?.arrayValue?.compactMap(\.numberValue) == points.map { Double($0.step) })
    for (shown, point) in zip(loss["series"]?[0]?["y"]?.arrayValue ?? [], points) {
      #expect(abs((shown.numberValue ?? .nan) - point.value) <= abs(point.value) * 1e-5)
    }
    let rates = try page.data("filter0-rates")
    let before = report.rollouts[0].filters[0].before.passRates.map { Double($0.records) }
    #expect(rates["rows"]?.arrayValue?.filter { $0[0] == "before" }.compactMap { $0.arrayValue?.last?.numberValue } == before)
  }

  @Test("instances carry their state, time and needs for the script")
  func instanceData() throws {
    let report = try ReportTests.whole().report()
    let text = try #require(PageDocument(report.page).element("instance-data")?.text)
    let data = try JSONValue.parse(text)
    let rows = data["rows"]?.arrayValue ?? []
    #expect(rows.count == report.instances.count)
    for (row, instance) in zip(rows, report.instances) {
      #expect(
        row["n"]?.stringValue == instance.name && row["s"]?.stringValue == instance.state && row["d"]?.numberValue == instance.seconds)
      #expect(row["i"]?.arrayValue?.compactMap(\.integerValue) == instance.needs && row["k"]?.stringValue == instance.key)
      #expect(data["stages"]?[row["g"]?.integerValue ?? -1]?.stringValue == instance.stage)
    }
  }

  @Test("answers for the script are the records', with right and wrong")
  func answerData() throws {
    let report = try ReportTests.whole().report()
    let page = try PageDocument(report.page)
    let scripts = page.elements.filter { $0.name == "script" && $0.attributes["type"] == "application/json" }
    let data = try #require(try scripts.map { try JSONValue.parse($0.text) }.first { $0["kind"] == "answers" })
    let set = report.samples[0]
    #expect(data["rows"]?.arrayValue?.map { $0[1]?.stringValue } == set.rows.map(\.prompt))
    #expect(
      data["rows"]?.arrayValue?.map { $0[3]?.arrayValue?.map { $0[1]?.integerValue } }
        == set.rows.map { $0.answers.map { $0.map { $0.isRight ? 1 : 0 } } })
  }

  @Test("a run of which nothing is known yet has a page without empty boxes")
  func empty() throws {
    let run = try SyntheticRun()
    try run.add("a", "train/sft", .waiting)
    try run.finish(status: nil)
    let page = try PageDocument(try run.report().page)
    #expect(page.elements.filter { $0.name == "section" }.compactMap { $0.attributes["id"] } == ["overview", "instances"])
    #expect(page.elements.filter { $0.name == "figure" }.isEmpty)
  }
}
