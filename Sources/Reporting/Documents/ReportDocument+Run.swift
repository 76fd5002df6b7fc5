import Artifacts
import JSONValues

// What ran, from what, and how long it took.

extension ReportDocument {
  mutating func addOverview(_ report: RunReport, _ extent: Extent) {
    let overview = report.overview
    heading(1, "\(overview.recipe): \(overview.standing)")
    if let description = overview.description { paragraph(.plain(description)) }
    let counts = overview.counts.map { "\($0.count) \($0.state)" }.joined(separator: ", ")
    let hosts = overview.hosts.map { host in
      host.facts.members.map { "\($0.key) \($0.value.stringValue ?? $0.value.encoded())" }.joined(separator: ", ")
    }
    var table = Table([Column("run", .left), Column(overview.id, .left)])
    table.add(["began", Cell(Figures.moment(overview.started))])
    table.add(["took", Cell(Figures.duration(overview.seconds))])
    table.add(["instances", Cell(counts)])
    table.add(["manifest", Cell(.code(overview.manifest))])
    table.add(["numerics", Cell(overview.numerics)])
    for host in hosts.prefix(extent == .page ? hosts.count : 2) { table.add(["computed on", Cell(host)]) }
    table.add(["Heirloom", Cell(overview.version)])
    self.table(table)
    if extent == .page {
      paragraph("To have it again:")
      code([overview.command])
    }
    addProblems(report)
  }

  mutating func addProblems(_ report: RunReport) {
    let failed = report.instances.filter { $0.state == "failed" }
    if !failed.isEmpty {
      heading(2, "What failed")
      for row in failed.prefix(20) {
        paragraph(.strong(row.name), ": ", .plain(row.error ?? "no reason was recorded"))
        code(row.log)
      }
      if failed.count > 20 { paragraph("and ", .plain(Count.text(failed.count - 20, "instance")), " more") }
    }
    let warned = report.instances.filter { !$0.warnings.isEmpty }
    guard !warned.isEmpty else { return }
    heading(2, "Warnings")
    list(warned.flatMap { row in row.warnings.map { [.strong(row.name), ": ", .plain($0)] } })
  }

  // MARK: - Data

  mutating func addData(_ reports: [DataReport]) {
    guard !reports.isEmpty else { return }
    heading(2, "Data")
    var table = Table([
      Column("of", .left), Column("stage", .left), Column("records"), Column("held out"), Column("tokens"), Column("trained"),
      Column("mean length"), Column("", .left),
    ])
    for report in reports {
      var remarks = report.dropped.map { "\($0.records) dropped: \($0.reason)" }
      if let truncated = report.truncated, truncated > 0 { remarks.append("\(truncated) truncated") }
      remarks += report.sources.filter { $0.taken != nil }.map { "\($0.name): \($0.taken ?? 0) of \($0.records)" }
      remarks += report.duplicates.filter { $0.records > 0 }.map { "\($0.records) \($0.kind) duplicates" }
      remarks += report.leakage.filter { $0.found > 0 }.map { "\($0.found) of \($0.questions) questions of \($0.suite) stand in the data" }
      if let found = report.contradictions { remarks.append("\(found.found) of \(found.asked) contradict the model") }
      func text(_ count: Int?) -> Cell { Cell(count.map(String.init) ?? "") }
      table.add([
        Cell(report.instance), Cell(report.stage), text(report.records), text(report.heldout), text(report.tokens),
        text(report.trainedTokens), Cell(report.lengths.first.map { Figures.plain($0.mean) } ?? ""), Cell(remarks.joined(separator: "; ")),
      ])
    }
    self.table(table)
  }

  // MARK: - Instances

  /// On a page all of them; in a terminal what took longest.
  mutating func addInstances(_ report: RunReport, _ extent: Extent) {
    let ran = report.instances.filter { $0.began != nil }
    let longest = ran.sorted { ($0.seconds ?? 0, $1.name) > ($1.seconds ?? 0, $0.name) }
    let rows = extent == .page ? report.instances : Array(longest.prefix(10))
    guard !rows.isEmpty else { return }
    heading(2, extent == .page ? "Instances" : "What took longest")
    var table = Table([
      Column("instance", .left), Column("stage", .left), Column("state", .left), Column("took"), Column("began at"),
      Column("critical", .left),
      Column("parameters that are not the contract's", .left),
    ])
    for row in rows {
      table.add([
        Cell(row.name), Cell(row.stage), Cell(row.state, row.state == "failed" ? .bad : .none), Cell(Figures.duration(row.seconds)),
        Cell(row.began.map { Figures.duration($0) } ?? ""), Cell(row.isCritical ? "yes" : ""), Cell(row.changedText),
      ])
    }
    self.table(table)
  }

  // MARK: - Where models come from

  mutating func addLineages(_ report: RunReport) {
    let ends = report.lineages.filter(\.isLast)
    guard !ends.isEmpty else { return }
    heading(2, "Where the models come from")
    for lineage in ends.prefix(40) {
      paragraph(.strong(lineage.name), " ", .code(lineage.output.digest.text))
      let models = (lineage.models + [lineage.instance]).map { report.instances[$0] }
      list(
        models.map { row in
          let sources = row.inputs.flatMap { input in
            input.elements.filter { $0.from == nil }.map { "\($0.source ?? input.name) \($0.digest)" }
          }
          let facts = ((row.changedText.isEmpty ? [] : [row.changedText]) + sources).joined(separator: ", ")
          return [.strong(row.name), .plain(" \(row.stage)"), .plain(facts.isEmpty ? "" : ": \(facts)")]
        })
      let others = Set(lineage.steps).subtracting(lineage.models + [lineage.instance])
      if !others.isEmpty {
        paragraph("and what they were made with: ", .plain(Self.stages(others.sorted().map { report.instances[$0].stage })), ".")
      }
    }
    if ends.count > 40 { paragraph("and ", .plain(Count.text(ends.count - 40, "model")), " more") }
  }
}

extension ReportDocument {
  /// "7 data/tasks, 1 tokenizer/train".
  static func stages(_ names: [String]) -> String {
    var counts: [(name: String, count: Int)] = []
    for name in names {
      if let known = counts.firstIndex(where: { $0.name == name }) { counts[known].count += 1 } else { counts.append((name, 1)) }
    }
    return counts.map { "\($0.count) \($0.name)" }.joined(separator: ", ")
  }
}

extension InstanceRow {
  /// `learning_rate 0.001, max_steps 20`: the parameters that are not what the contract would have them be.
  package var changedText: String {
    (changed ?? []).compactMap { name in parameters[name].map { "\(name) \($0.stringValue ?? $0.encoded())" } }.joined(separator: ", ")
  }
}
