import Artifacts
import JSONValues
import Plotting

// What the run is, how it stands, and what went wrong.

extension RunReport {
  var overviewSection: PageSection {
    PageSection("overview", "Overview") { html in
      if let description = overview.description { html.element("p", ["class": "lead"], description) }
      addTiles(&html)
      html.element("h3", "To have it again")
      html.element("div", ["class": "copyable"]) { html in html.code(overview.command) }
      html.element("div", ["class": "pair"]) { html in
        html.element("div") { html in
          html.element("h3", "Run")
          addFacts(runFacts, &html)
        }
        if !overview.parameters.isEmpty {
          html.element("div") { html in
            html.element("h3", "Parameters")
            addFacts(overview.parameters.members.map { ($0.key, [Self.text($0.value)]) }, &html)
          }
        }
      }
      html.element("details") { html in
        html.element("summary", "The manifest, \(overview.manifest)")
        html.code(overview.manifestText, most: 200_000)
      }
    }
  }

  private func addTiles(_ html: inout HTMLWriter) {
    let models = lineages.filter(\.isLast).count
    let computed = instances.filter { $0.began != nil }.compactMap(\.seconds).reduce(0, +)
    let critical = instances.filter { $0.isCritical }.compactMap(\.seconds).reduce(0, +)
    var tiles = [(Figures.duration(overview.seconds), "from beginning to end")]
    if computed > 0 { tiles.append((Figures.duration(computed), "of work in stages")) }
    if critical > 0 { tiles.append((Figures.duration(critical), "on the critical path")) }
    tiles.append(("\(instances.count)", "instances"))
    tiles += overview.counts.map { ("\($0.count)", InstanceState(rawValue: $0.state).map { "\($0.symbol) \($0)" } ?? $0.state) }
    if models > 0 { tiles.append(("\(models)", models == 1 ? "model at the end" : "models at the end")) }
    html.element("ul", ["class": "tiles"]) { html in
      for (value, name) in tiles where value != Figures.missing {
        html.element("li") { html in
          html.element("strong", value)
          html.element("span", name)
        }
      }
    }
  }

  /// Elements of a list apart, so that lines break between them.
  private static func text(_ value: JSONValue) -> String {
    value.stringValue ?? value.arrayValue.map { $0.map(text).joined(separator: ", ") }
      ?? value.objectValue.map { $0.members.map { "\($0.key) \(text($0.value))" }.joined(separator: ", ") }.map { "{\($0)}" }
      ?? value.encoded()
  }

  private var runFacts: [(name: String, values: [String])] {
    var facts = [
      ("run", [overview.id]), ("recipe", [overview.recipe]), ("manifest", [overview.manifest]), ("state", [overview.standing]),
      ("began", [Figures.moment(overview.started)]),
    ]
    if overview.seconds != nil { facts.append(("took", [Figures.duration(overview.seconds)])) }
    facts.append(("numerics", [overview.numerics]))
    for host in overview.hosts {
      let members = host.facts.members.map { "\($0.key) \($0.value.stringValue ?? $0.value.encoded())" }
      facts.append((overview.hosts.count > 1 ? "computed on (\(Count.text(host.results, "result")))" : "computed on", members))
    }
    facts.append(("Heirloom", [overview.version]))
    return facts
  }

  private func addFacts(_ facts: [(name: String, values: [String])], _ html: inout HTMLWriter) {
    html.element("dl", ["class": "facts"]) { html in
      for (name, values) in facts {
        html.element("dt", name)
        html.element("dd") { html in
          for value in values { html.element("span", value) }
        }
      }
    }
  }

  /// What failed and what was warned of.
  var problemsSection: PageSection? {
    let count = instances.count { $0.state == "failed" } + instances.reduce(0) { $0 + $1.warnings.count }
    guard count > 0 else { return nil }
    var document = ReportDocument()
    document.addProblems(self)
    return PageSection("problems", "Problems", count: count) { html in html.add(document) }
  }

  var notesSection: PageSection? {
    guard !notes.isEmpty else { return nil }
    return PageSection("notes", "Notes", count: notes.count) { html in
      html.element("p", "What could not be read, and is missing above.")
      html.element("ul") { html in for note in notes { html.element("li", note) } }
    }
  }
}
