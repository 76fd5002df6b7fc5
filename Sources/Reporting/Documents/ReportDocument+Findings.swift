import JSONValues

// Scores, fronts, curves, rollouts, tokens, answers.

extension ReportDocument {
  mutating func add(_ report: ScoreReport) {
    heading(2, report.title)
    var table = Table([Column("model", .left)] + report.columns.map { Column($0) })
    for row in report.rows {
      table.add(
        [Cell(row.model)]
          + row.cells.map { cell in
            guard let cell else { return Cell(Figures.missing) }
            var text = Figures.text(cell.value, error: cell.standardError)
            guard let change = cell.change else { return Cell(text, .score(cell.value / 100)) }
            text += " (\(Figures.signed(change))\(cell.isOutsideNoise == true ? "*" : ""))"
            return Cell(text, cell.isOutsideNoise == true ? .change(change / 100) : .none)
          })
    }
    self.table(table)
    paragraph(
      "± is the standard error; in parentheses the change from the base, with * where 0 lies outside its paired ",
      .plain(Figures.text(report.confidence * 100, 0)), " % interval.")
  }

  mutating func add(_ report: ParetoReport) {
    heading(2, report.isDerived ? "What was trained for, and everything else" : report.title)
    var table = Table([
      Column("point", .left), Column("domain"), Column("gain"), Column("general"), Column("change"), Column("front", .left),
    ])
    if let base = report.base { table.add([Cell("base"), Cell(Figures.text(base.domain)), "", Cell(Figures.text(base.general))]) }
    for point in report.points {
      let front = point.isOnFront ? point.isKnee ? "front, knee" : "front" : "behind " + (point.dominatedBy.first ?? "")
      table.add([
        Cell(point.name), Cell(Figures.text(point.domain.value, error: point.domain.error), .score(point.domain.value / 100)),
        Cell(Figures.change(point.domain.change, low: point.domain.low, high: point.domain.high)),
        Cell(Figures.text(point.general.value, error: point.general.error), .score(point.general.value / 100)),
        Cell(
          Figures.change(point.general.change, low: point.general.low, high: point.general.high),
          .change((point.general.change ?? 0) / 100)),
        Cell(front),
      ])
    }
    self.table(table)
    if report.isDerived {
      paragraph("Domain is AvgAcc, the mean over tasks at the end; general is the mean of the suites that no task teaches.")
    }
  }

  // MARK: - Training

  /// One line a training: where loss or reward began and ended, and how they went.
  mutating func addCurves(_ curves: [CurveSet]) {
    guard !curves.isEmpty else { return }
    heading(2, "Training")
    var table = Table([
      Column("training", .left), Column("steps"), Column("metric", .left), Column("first"), Column("last"), Column("course", .left),
      Column("", .left),
    ])
    for set in curves {
      for (place, name) in Self.headlines(set).enumerated() {
        guard let series = set[name], let first = series.points.first, let last = series.points.last else { continue }
        let state =
          set.isPartial
          ? "not over" : set.restoredStep.map { "weights of step \($0)" + (set.stoppedEarly == true ? ", stopped early" : "") } ?? ""
        table.add([
          Cell(place == 0 ? set.instance : ""), Cell(place == 0 ? "\(last.step)" : ""), Cell(name), Cell(Figures.plain(first.value)),
          Cell(Figures.plain(last.value)), Cell(Self.course(series)), Cell(place == 0 ? state : ""),
        ])
      }
    }
    self.table(table)
  }

  private static func headlines(_ set: CurveSet) -> [String] {
    let known = ["reward", "loss", "kl", "eval_retention", "eval_target"].filter { set[$0] != nil }
    return known.isEmpty ? set.series.prefix(1).map(\.name) : known
  }

  /// Means of up to 24 runs of steps, from ▁ (the least) to █ (the greatest).
  private static func course(_ series: CurveSet.Series) -> String {
    let values = series.points.map(\.value).filter(\.isFinite)
    let count = min(24, values.count)
    guard count > 1 else { return "" }
    let means = (0..<count).map { part -> Double in
      let range = part * values.count / count..<(part + 1) * values.count / count
      return range.reduce(0) { $0 + values[$1] / Double(range.count) }
    }
    guard let low = means.min(), let high = means.max(), high - low > 0, (high - low).isFinite else {
      return String(repeating: "▁", count: count)
    }
    let bars = Array("▁▂▃▄▅▆▇█")
    return String(means.map { bars[min(bars.count - 1, Int(($0 - low) / (high - low) * Double(bars.count)))] })
  }

  // MARK: - Rollouts

  mutating func addRollouts(_ rollouts: [RolloutReport]) {
    guard !rollouts.isEmpty else { return }
    heading(2, "Rollouts")
    var table = Table([
      Column("rollouts", .left), Column("prompts"), Column("completions"), Column("reward"), Column("reward variance"),
      Column("equal rewards"), Column("length"),
    ])
    for report in rollouts where !report.statistics.isEmpty {
      func value(_ name: String) -> Double? { report.statistics.first { $0.name == name }?.value }
      table.add([
        Cell(report.instance), Cell(report.prompts.map(String.init) ?? ""), Cell(report.completions.map(String.init) ?? ""),
        Cell(Figures.plain(value("reward"))), Cell(Figures.plain(value("reward_variance"))),
        Cell(Figures.plain(value("frac_reward_zero_std"))), Cell(Figures.plain(value("completions/mean_length"))),
      ])
    }
    self.table(table)
    var filters = Table([
      Column("filter", .left), Column("criterion", .left), Column("kept"), Column("pass rate before"), Column("after"),
      Column("variance before"), Column("after"), Column("pass rates, records before → after", .left),
    ])
    for filter in rollouts.flatMap(\.filters) {
      filters.add([
        Cell(filter.instance),
        Cell(filter.criterion + (filter.control.map { $0 == "none" ? "" : ", \($0)" } ?? "") + (filter.isUnfiltered ? ", kept all" : "")),
        Cell("\(filter.kept) of \(filter.of)"), Cell(Figures.plain(filter.before.passRate)), Cell(Figures.plain(filter.after.passRate)),
        Cell(Figures.plain(filter.before.rewardVariance)), Cell(Figures.plain(filter.after.rewardVariance)), Cell(Self.passRates(filter)),
      ])
    }
    self.table(filters)
  }

  private static func passRates(_ filter: RolloutReport.Filter) -> String {
    filter.before.passRates.prefix(12).map { before in
      let after = filter.after.passRates.first { $0.rate == before.rate }?.records ?? 0
      return "\(Figures.plain(before.rate)): \(before.records) → \(after)"
    }.joined(separator: ", ")
  }

  // MARK: - Tokens

  mutating func addTokens(_ reports: [TokenReport], _ extent: Extent) {
    guard !reports.isEmpty else { return }
    heading(2, "Tokens")
    var table = Table([
      Column("of", .left), Column("model", .left), Column("loss"), Column("median p"), Column("entropy"), Column("hard tokens"),
      Column("p from 0 to 1", .left),
    ])
    for report in reports {
      for (place, model) in report.models.enumerated() {
        func value(_ name: String) -> String { Figures.plain(model.statistics.first { $0.name == name }?.value) }
        table.add([
          Cell(report.instance), Cell(Self.name(model, place)), Cell(value("loss")), Cell(value("median_p")), Cell(value("entropy")),
          Cell("\(model.hardCount) of \(report.tokens ?? 0)"), Cell(model.histogram.map(String.init).joined(separator: " ")),
        ])
      }
      let losses = report.losses.compactMap { $0 }.filter(\.isFinite)
      if !losses.isEmpty {
        table.add([Cell(report.instance), "", Cell(Figures.plain(losses.reduce(0) { $0 + $1 / Double(losses.count) }))])
      }
    }
    self.table(table)
    guard extent == .page else { return }
    var hard = Table([
      Column("model", .left), Column("record"), Column("token", .left), Column("p"), Column("rank"), Column("prompt", .left),
      Column("completion", .left),
    ])
    for report in reports {
      for (place, model) in report.models.enumerated() {
        for token in model.hardest.prefix(5) {
          hard.add([
            Cell(Self.name(model, place)), Cell("\(token.record)"), Cell(.code(token.text)), Cell(Figures.plain(token.probability)),
            Cell("\(token.rank)"), Cell(.code(token.sentence?.prompt ?? "")), Cell(.code(token.sentence?.completion ?? "")),
          ])
        }
      }
    }
    guard !hard.rows.isEmpty else { return }
    heading(3, "The hardest tokens")
    self.table(hard)
  }

  static func name(_ model: TokenReport.Model, _ place: Int) -> String {
    let labels = model.labels.members.map { "\($0.key) \($0.value["name"]?.stringValue ?? $0.value.stringValue ?? $0.value.encoded())" }
    return labels.isEmpty ? "model \(place + 1)" : labels.joined(separator: ", ")
  }

  // MARK: - Answers

  mutating func addSamples(_ sets: [SampleSet]) {
    guard !sets.isEmpty else { return }
    heading(2, "Answers")
    for set in sets {
      heading(3, set.suite)
      var table = Table([Column("model", .left), Column("right"), Column("share")])
      for model in set.models {
        table.add([
          Cell((model.model ?? model.instance) + (model.isBase ? " (base)" : "")), Cell("\(model.right) of \(model.of)"),
          Cell(Figures.percent(model.right, of: model.of)),
        ])
      }
      self.table(table)
      // The first and the last model beside each other; more do not fit a page.
      let shown = set.models.count > 1 ? [0, set.models.count - 1] : [0]
      var answers = Table(
        [Column("prompt", .left), Column("expected", .left)]
          + shown.flatMap { [Column(set.models[$0].model ?? set.models[$0].instance, .left), Column("", .left)] })
      for row in set.rows.filter({ row in shown.contains { row.answers[$0]?.isRight == false } }).prefix(5) {
        answers.add(
          [Cell(.code(row.prompt)), Cell(.code(row.expected.first ?? ""))]
            + shown.flatMap { place -> [Cell] in
              guard let answer = row.answers[place] else { return [Cell(Figures.missing), ""] }
              return [Cell(.code(answer.text)), Cell(answer.isRight ? "right" : "wrong", answer.isRight ? .none : .bad)]
            })
      }
      self.table(answers)
    }
  }
}
