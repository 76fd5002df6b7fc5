import Execution
import JSONValues
import Reporting

/// One instance of a run: how it stands, what it was made with, and its log, which grows on the page while it runs.
struct InstancePage {
  let run: RecordedRun
  let id: RunID
  let instance: RecordedRun.Instance
  let place: Int
  let log: RunLibrary.Log?

  init(_ run: RecordedRun, _ id: RunID, _ instance: RecordedRun.Instance, _ place: Int, _ log: RunLibrary.Log?) {
    self.run = run
    self.id = id
    self.instance = instance
    self.place = place
    self.log = log
  }

  /// So much of the end of a log stands on the page; all of it is behind the link.
  private static let mostLines = 2000
  private static let mostBytes = 400_000

  var written: WrittenPage {
    var page = ServedPage(title: instance.name)
    page.addWays([("Run \(id)", Route.path(id)), ("The log alone", Route.path(id, instance: place) + "/log")])
    page.shell.facts = [
      ("page", "log"), ("log", Route.path(id, instance: place) + "/log"), ("state", instance.state), ("size", String(log?.size ?? 0)),
    ]
    page.shell.body.append(body)
    return page.written
  }

  private var body: HTMLFragment {
    HTMLFragment { html in
      html.element("section", ["id": "instance"]) { html in
        html.element("p", ["class": "run"]) { html in
          html.element("span", ["class": "badge \(instance.state)", "id": "log-state"], instance.state)
          html.say(" \(instance.stage) in \(run.recipe)")
          if let seconds = instance.seconds { html.say(", \(Figures.duration(seconds))") }
        }
        if let error = instance.error { html.element("p", ["class": "bad"], error) }
        if !instance.reasons.isEmpty {
          html.element("p", ["class": "small"], "It ran because: " + instance.reasons.joined(separator: "; "))
        }
        addParameters(&html)
        addLog(&html)
      }
    }
  }

  private func addParameters(_ html: inout HTMLWriter) {
    guard !instance.parameters.isEmpty else { return }
    html.element("details") { html in
      html.element("summary", "Parameters")
      html.element("dl", ["class": "facts"]) { html in
        for (name, value) in instance.parameters.members {
          html.element("dt", name)
          html.element("dd", value.stringValue ?? value.encoded())
        }
      }
    }
  }

  private func addLog(_ html: inout HTMLWriter) {
    html.element("h2", "Log")
    guard let log, !log.bytes.isEmpty || instance.state == "running" else {
      html.element("p", instance.key == nil ? "It has not been started." : "It has no log in this store.")
      return
    }
    let end = log.bytes.suffix(Self.mostBytes)
    let lines = end.split(separator: 0x0A, omittingEmptySubsequences: false).suffix(Self.mostLines)
    let shown = lines.map { String(decoding: $0.prefix(4000), as: UTF8.self) }.joined(separator: "\n")
    if log.offset > 0 || end.count < log.bytes.count || lines.reduce(0, { $0 + $1.count + 1 }) < end.count {
      html.element("p", ["class": "small"], "The end of a log of \(log.size) bytes.")
    }
    html.element("pre", ["id": "log", "tabindex": "0", "class": "log"]) { html in html.sayBlock(shown, most: .max) }
  }
}
