import Execution
import Serving
import Testing

@Suite("Routes") struct RouteTests {
  private let text = "20261121T101530.123Z-4f2a9c"
  private var id: RunID { RunID(text)! }
  private var other: RunID { RunID("20261121T101531.000Z-000000")! }

  private func route(_ target: String) -> Route? { try? Route(target) }

  @Test("every page has its address")
  func known() throws {
    #expect(route("/") == .runs)
    #expect(route("/runs.json") == .runsJSON)
    #expect(route("/runs/\(text)") == .run(id))
    #expect(route("/runs/\(text)/report.json") == .runJSON(id))
    #expect(route("/runs/\(text)/events") == .events(id))
    #expect(route("/runs/\(text)/instances/17") == .instance(id, 17))
    #expect(route("/runs/\(text)/instances/0/log") == .log(id, 0, from: 0))
    #expect(route("/runs/\(text)/instances/0/log?from=120") == .log(id, 0, from: 120))
    #expect(route("/compare") == .compare([]))
    #expect(route("/compare?run=\(text)&run=\(other)") == .compare([id, other]))
    #expect(route("/compare.json?run=\(text)&run=\(text)") == .compareJSON([id]), "a run is compared once")
  }

  @Test("nothing else is one, however it is written")
  func unknown() {
    let paths = [
      "", "runs", "//", "/runs", "/runs/", "/runs/\(text)/", "//runs/\(text)", "/runs//\(text)", "/./", "/../", "/runs/..",
      "/runs/../format",
      "/runs/../../../etc/passwd", "/runs/%2e%2e", "/runs/%2e%2e/format", "/runs/..%2f..%2fetc%2fpasswd", "/runs/%252e%252e%252fformat",
      "/runs/..\\..\\etc", "/runs/%c0%ae%c0%ae/format", "/runs/\(text)%00", "/runs/\(text)/../../format", "/runs/\(text)/journal.jsonl",
      "/runs/\(text)/instances/..", "/runs/\(text)/instances/-1", "/runs/\(text)/instances/+1", "/runs/\(text)/instances/01",
      "/runs/\(text)/instances/1e3", "/runs/\(text)/instances/99999999999999999999", "/runs/\(text)/instances/1/log/..",
      "/runs/\(text)/instances/1/out", "/objects/ab", "/objects/sha256:" + String(repeating: "a", count: 64), "/favicon.ico",
      "/runs/latest",
      "/runs/20261121", "/runs/20261121T101530.123Z-4F2A9C", "/RUNS/\(text)", "/runs/\(text);x", "/runs/\(text)#x", "/runs/\(text)/events/",
      "/\u{0}", "/runs/\u{FF0E}\u{FF0E}/format",
    ]
    for path in paths {
      #expect(throws: Route.Failure.unknown, "\(path)") { try Route(path) }
    }
  }

  @Test("a query that says something else is refused, and said so")
  func queries() {
    for target in [
      "/?x=1", "/runs/\(text)?x", "/runs/\(text)/instances/1/log?from=-1", "/runs/\(text)/instances/1/log?from=1&from=2",
      "/runs/\(text)/instances/1/log?from=../x", "/compare?run=latest", "/compare?run=../../etc", "/compare?path=/etc",
    ] {
      #expect(throws: Route.Failure.self, "\(target)") { try Route(target) }
    }
    let many = (0..<9).map { "run=20261121T101530.12\($0)Z-4f2a9c" }.joined(separator: "&")
    #expect(throws: Route.Failure.query("no more than 8 runs are compared at once")) { try Route("/compare?" + many) }
    let endless = Array(repeating: "run=\(text)", count: 40).joined(separator: "&")
    #expect(throws: Route.Failure.query("the query is too long")) { try Route("/compare?" + endless) }
  }

  @Test("the id of a run has one form")
  func ids() {
    #expect(RunID(text)?.text == text)
    for wrong in [
      "", text + "0", String(text.dropLast()), "2026112xT101530.123Z-4f2a9c", "20261121T101530.123Z-4f2a9g", "20261121T101530/123Z-4f2a9c",
    ] {
      #expect(RunID(wrong) == nil)
    }
  }
}
