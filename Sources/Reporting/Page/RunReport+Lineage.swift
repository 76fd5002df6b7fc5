import Artifacts
import Plotting

// Where models come from: every step from their sources on.

extension RunReport {
  private static let mostModels = 200

  var lineageSection: PageSection? {
    let ends = lineages.filter(\.isLast)
    guard !ends.isEmpty else { return nil }
    return PageSection("models", "Models", count: ends.count) { html in
      html.element(
        "p", "Where each model comes from that no other was made from: the models on its way from the sources on, with what was told them.")
      for (place, lineage) in ends.prefix(Self.mostModels).enumerated() {
        html.element("details", ["open": place == 0 ? "" : nil]) { html in
          html.element("summary") { html in
            html.say(lineage.name)
            html.element(
              "span", ["class": "muted"], " from \(Count.text(lineage.models.count, "model")), \(Count.text(lineage.steps.count, "step"))")
          }
          add(lineage, &html)
        }
      }
      if ends.count > Self.mostModels { html.element("p", "and \(Count.text(ends.count - Self.mostModels, "model")) more") }
    }
  }

  private func add(_ lineage: Lineage, _ html: inout HTMLWriter) {
    html.element("p", ["class": "digest"]) { html in
      html.element("code", lineage.output.digest.text)
      html.say(" \(ByteCount.text(lineage.output.size))")
    }
    html.element("ol", ["class": "way"]) { html in
      for place in lineage.models + [lineage.instance] { add(instances[place], place, &html) }
    }
    let others = Set(lineage.steps).subtracting(lineage.models + [lineage.instance]).sorted()
    guard !others.isEmpty else { return }
    html.element("p", ["class": "small"]) { html in
      html.say("Made with " + ReportDocument.stages(others.map { instances[$0].stage }) + ".")
    }
  }

  private func add(_ row: InstanceRow, _ place: Int, _ html: inout HTMLWriter) {
    html.element("li") { html in
      html.element("a", ["href": "#i\(place)"], row.name)
      html.say(" ")
      html.element("span", ["class": "muted"], row.stage)
      html.element("dl", ["class": "facts small"]) { html in
        func fact(_ name: String, _ values: [String]) {
          guard !values.isEmpty else { return }
          html.element("dt", name)
          html.element("dd") { html in for value in values { html.element("span", value) } }
        }
        fact("parameters", [row.changedText].filter { !$0.isEmpty })
        fact(
          "sources",
          row.inputs.flatMap { input in input.elements.filter { $0.from == nil }.map { "\($0.source ?? input.name) \($0.digest)" } })
        fact("key", [row.key].compactMap(\.self))
        fact("made", row.outputs.filter { $0.type == "model" || $0.type == "adapter" }.map { "\($0.name) \($0.digest.text)" })
      }
    }
  }
}
