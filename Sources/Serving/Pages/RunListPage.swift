import Execution
import Reporting

/// The runs of a store, newest first, to be opened or put beside each other. A form: it needs no script.
struct RunListPage {
  let entries: [RunListEntry]
  let total: Int
  let storePath: String
  let chosen: [RunID]

  init(_ runs: (entries: [RunListEntry], total: Int), storePath: String, chosen: [RunID] = []) {
    entries = runs.entries
    total = runs.total
    self.storePath = storePath
    self.chosen = chosen
  }

  var written: WrittenPage {
    var page = ServedPage(title: "Runs")
    page.shell.header = HTMLFragment { html in
      html.element("p", ["class": "run"]) { html in html.element("code", storePath) }
    }
    page.shell.facts = [("page", "runs")]
    page.shell.body.append(body)
    return page.written
  }

  private var body: HTMLFragment {
    HTMLFragment { html in
      html.element("section", ["id": "runs", "aria-label": "Runs"]) { html in
        guard !entries.isEmpty else {
          html.element("p", ["class": "lead"], "Nothing has been run in this store yet.")
          html.element("p", "The page shows a run as soon as it begins.")
          return
        }
        html.element("form", ["action": "/compare", "method": "get"]) { html in
          html.element("div", ["class": "filters compare"]) { html in
            html.element("button", ["type": "submit", "id": "compare"], "Compare the chosen runs")
            html.element("span", ["class": "count", "role": "status"], hint)
          }
          html.element("table", ["class": "runs"]) { html in
            addHead(&html)
            html.element("tbody") { html in for entry in entries { add(entry, &html) } }
          }
        }
        if total > entries.count { html.element("p", ["class": "small"], "The newest \(entries.count) of \(total) runs.") }
      }
    }
  }

  private var hasHeadlines: Bool { entries.contains { !$0.headlines.isEmpty } }

  private var hint: String {
    switch chosen.count {
    case 1: "choose one more to compare with"
    default: "two or more, up to \(Route.mostCompared)"
    }
  }

  private func addHead(_ html: inout HTMLWriter) {
    html.element("thead") { html in
      html.element("tr") { html in
        html.element("th", ["scope": "col"]) { html in html.element("span", ["class": "hidden-text"], "compare") }
        for title in ["recipe", "state"] { html.element("th", ["scope": "col"], title) }
        for title in ["began", "took"] { html.element("th", ["scope": "col", "class": "n"], title) }
        for title in ["instances"] + (hasHeadlines ? ["came to"] : []) { html.element("th", ["scope": "col"], title) }
      }
    }
  }

  private func add(_ entry: RunListEntry, _ html: inout HTMLWriter) {
    html.element("tr", ["data-run": entry.id, "data-state": entry.standing]) { html in
      let isChosen = chosen.contains { $0.text == entry.id }
      html.element("td", ["class": "choice"]) { html in
        html.void(
          "input",
          [
            "type": "checkbox", "name": "run", "value": entry.id, "aria-label": "Compare \(entry.recipe) \(entry.id)",
            "checked": isChosen ? "" : nil,
          ])
      }
      html.element("th", ["scope": "row"]) { html in
        html.element("a", ["href": "/runs/\(entry.id)"], entry.recipe.isEmpty ? "a run" : entry.recipe)
        if let name = entry.name { html.element("span", ["class": "pinned"], name) }
        html.element("code", entry.id)
      }
      html.element("td") { html in html.element("span", ["class": "badge \(entry.standing)"], entry.standing) }
      html.element("td", ["class": "n", "data-label": "began"], Figures.moment(entry.started))
      html.element("td", ["class": "n took", "data-label": "took"], Figures.duration(entry.seconds))
      html.element("td", ["class": "counts", "data-label": "instances"], Self.text(entry.counts))
      guard hasHeadlines else { return }
      html.element("td", ["data-label": "came to"]) { html in
        for headline in entry.headlines.prefix(4) { html.element("span", ["class": "headline"], Self.text(headline)) }
        if entry.headlines.count > 4 { html.element("span", ["class": "headline small"], "and \(entry.headlines.count - 4) more") }
      }
    }
    html.lineBreak()
  }

  static func text(_ counts: [(state: String, count: Int)]) -> String { counts.map { "\($0.count) \($0.state)" }.joined(separator: ", ") }

  private static func text(_ headline: RunListEntry.Headline) -> String {
    let method = headline.method.isEmpty ? "" : headline.method + ": "
    let forgetting = headline.forgetting.map { ", FM \(Figures.signed($0))" } ?? ""
    return method + "AvgAcc \(Figures.text(headline.averageAccuracy))" + forgetting
  }
}
