import Execution
import Reporting

/// A run's report as it is written to a file, with what goes on above it while it does.
struct RunPage {
  let report: RunReport
  let id: RunID

  init(_ report: RunReport, _ id: RunID) {
    self.report = report
    self.id = id
  }

  var written: WrittenPage {
    var page = ServedPage(report.shell)
    page.addWays([("Compare with another run", "/compare?run=\(id)"), ("JSON", Route.path(id) + "/report.json")])
    page.shell.facts = [("page", "run"), ("run", Route.path(id)), ("state", report.overview.standing)]
    if report.overview.standing == "running" {
      page.shell.script = ServedPage.live
      page.shell.links.insert(.init("#live", "Live"), at: 0)
      page.shell.body.insert(live, at: 0)
    }
    return page.written
  }

  /// Filled by the script as events come; what it shows without one is how things stood when the page was asked for.
  private var live: HTMLFragment {
    let running = report.instances.enumerated().filter { $0.element.state == "running" }
    return HTMLFragment { html in
      html.element("section", ["id": "live", "aria-labelledby": "live-title"]) { html in
        html.element("h2", ["id": "live-title"], "Live")
        html.element("p", ["id": "live-line", "role": "status"], RunListPage.text(report.overview.counts))
        html.element("div", ["id": "live-meter", "class": "meter", "role": "img", "aria-label": "Instances by state"]) { _ in }
        html.element("ul", ["id": "live-instances", "class": "live"]) { html in
          for (place, row) in running {
            html.element("li", ["data-place": "\(place)"]) { html in
              html.element("a", ["href": Route.path(id, instance: place)], row.name)
              html.element("span", ["class": "small"], row.stage)
            }
          }
        }
        html.element("div", ["id": "live-curves", "class": "grid"]) { _ in }
        html.element("noscript") { html in html.element("p", ["class": "small"], "Ask for the page again to see how far it is.") }
      }
      html.lineBreak()
    }
  }
}
