import Foundation
import Plotting

/// Charts as a report has them, each under the name of its golden file.
enum SampleCharts {
  static let tasks = ["swap", "copy", "reverse", "sort", "rotate", "uppercase", "maximum"]

  static let all: [(name: String, chart: any Chart)] = [
    ("lines", lines), ("curves", curves), ("log-log", logarithmic), ("scatter", scatter), ("bars", bars), ("heatmap", heatmap),
    ("histogram", histogram), ("timeline", timeline), ("graph", graph), ("graph-scan", scan),
  ]

  /// Scores of tasks over a sequence of tasks, with intervals.
  static let lines = LinePlot(
    "Scores after each task", x: Axis("after", scale: .named(tasks)), y: Axis("score", unit: "points", scale: .linearFromZero),
    series: tasks.prefix(4).enumerated().map { place, task in
      LinePlot.Series(
        task,
        tasks.indices.map { step in
          let value = step < place ? 4.0 : 96 - Double(step - place) * Double(7 + 4 * place)
          return LinePlot.Point(Double(step), value, low: value - 3.5, high: min(value + 3.5, 100))
        })
    })

  /// Twelve losses of many steps: more than there are colours.
  static let curves = LinePlot(
    "Loss", x: Axis("step"), y: Axis("loss", unit: "nats"),
    series: (0..<12).map { run in LinePlot.Series("train[\(run)]", (0..<400).map { LinePlot.Point(Double($0), loss($0, run)) }) })

  private static func loss(_ step: Int, _ run: Int) -> Double {
    if step == 200, run == 0 { return .nan }
    let speed = Double(20 + 8 * run)
    return 3 / (1 + Double(step) / speed) + 0.02 * Double(run)
  }

  static let logarithmic = LinePlot(
    "Gradient norm by learning rate", x: Axis("learning rate", scale: .logarithmic), y: Axis("norm", scale: .logarithmic),
    series: [
      LinePlot.Series("full", [1e-6, 1e-5, 1e-4, 1e-3, 1e-2].enumerated().map { LinePlot.Point($1, 0.03 * Double(1 << (2 * $0))) }),
      LinePlot.Series("LoRA", [1e-6, 1e-5, 1e-4, 1e-3, 0].enumerated().map { LinePlot.Point($1, 0.2 + 0.3 * Double($0)) }),
    ])

  static let scatter = ScatterPlot(
    "Learned against kept", x: Axis("new family", unit: "points"), y: Axis("general", unit: "points"), series: ["SFT", "WiSE-FT", "RFT"],
    points: [
      .init("base", series: 0, x: 0, y: 99.9),
      .init("learning_rate 0.00002", series: 0, x: PlottedValue(92.2, low: 87.5, high: 96.1), y: 99.7),
      .init("learning_rate 0.0002", series: 0, x: 100, y: PlottedValue(32.4, low: 30.2, high: 34.6)),
      .init("0.00002, alpha 0.25", series: 1, x: 0, y: 99.9), .init("0.00002, alpha 0.5", series: 1, x: 8.6, y: 99.9),
      .init("0.00002, alpha 0.75", series: 1, x: 56.3, y: 99.9), .init("0.0002, alpha 0.25", series: 1, x: 7, y: 99.9),
      .init("0.0002, alpha 0.5", series: 1, x: 60.2, y: 98.7), .init("0.0002, alpha 0.75", series: 1, x: 100, y: 68.5),
      .init("GRPO", series: 2, x: 88.1, y: 98.2), .init("RLOO", series: 2, x: 86.9, y: 98.0), .init("ReMax", series: 2, x: 87.5, y: 97.6),
    ])

  static let bars = BarPlot(
    "Metrics by method", value: Axis("points"), categories: ["AvgAcc", "FM over T", "BWT", "general mean"],
    series: [
      .init("SFT", [PlottedValue(54.1, low: 51, high: 57), PlottedValue(-38.2, low: -41, high: -35), -40.1, -12.5]),
      .init("RFT", [PlottedValue(88.4, low: 86, high: 90), PlottedValue(-3.1, low: -4.2, high: -2), -2.8, nil]),
      .init("SFT with replay of a tenth of everything seen", [PlottedValue(80.3, low: 78, high: 82), -9.7, -10.2, .init(.nan)]),
    ])

  static let heatmap = Heatmap(
    "SFT: score on each task after each step", rowTitle: "after", rows: ["base"] + tasks, columns: tasks,
    cells: (0...tasks.count).map { step in
      tasks.indices.map { task in
        if step == 0 { return Heatmap.Cell(task == 0 ? 0.8 : 100 - Double(task)) }
        if step == 3, task == 5 { return nil }
        let change = task == 0 ? 92.2 - Double(step) * 9 : task < step ? -Double(step * 11 - task * 4) : task == step ? 0 : -0.4
        return Heatmap.Cell(
          (task == 0 ? 0.8 : 100 - Double(task)) + change, change: PlottedValue(change, low: change - 4, high: change + 4),
          verdict: change < -4 ? "forgetting" : change > 4 ? "gain" : "within noise")
      }
    }, unit: "points")

  static let histogram = Histogram(
    "Pass rate by prompt", x: Axis("pass rate"), y: Axis("prompts"), edges: (0...8).map { Double($0) / 8 },
    series: [
      .init("before the filter", [410, 96, 71, 60, 52, 49, 58, 204]), .init("after", [0, 90, 70, 60, 52, 48, 50, 0]),
    ])

  static let timeline = Timeline(
    "What ran when", lanes: ["slot 1", "slot 2", "slot 3"],
    spans: [
      .init("data[swap]", lane: 0, begin: 0, end: 3, state: .ran), .init("data[copy]", lane: 1, begin: 0, end: 2.5, state: .ran),
      .init("tokenizer", lane: 0, begin: 3.2, end: 14, state: .ran, isCritical: true),
      .init("base", lane: 0, begin: 14.4, end: 96, state: .ran, isCritical: true),
      .init("tuned[0.00002]", lane: 0, begin: 97, end: 131, state: .failed),
      .init("tuned[0.0002]", lane: 1, begin: 97, end: 140, state: .running),
      .init("fetch", lane: 2, begin: 5, end: 5.2, state: .cached),
    ])

  /// A base, two rates, their averages and every score: thirty instances, as the quickstart has them.
  static let graph: GraphDrawing = {
    var nodes: [GraphDrawing.Node] = []
    var needs: [[Int]] = []
    func add(
      _ name: String, _ point: String = "", _ stage: String, _ state: InstanceState, _ seconds: Double? = nil, needs wanted: [Int],
      isCritical: Bool = false
    ) -> Int {
      nodes.append(
        .init(path: [.init(name, point: point)], stage: stage, state: state, seconds: seconds, isCritical: isCritical, notes: ["never run"])
      )
      needs.append(wanted)
      return nodes.count - 1
    }
    let data = tasks.map { add("data", $0, "data/tasks", .cached, 0.4, needs: []) }
    let tokenizer = add("tokenizer", "", "tokenizer/train", .ran, 10.8, needs: data, isCritical: true)
    let tokens = add("new_tokens", "", "tokenize", .ran, 1.2, needs: [data[0], tokenizer])
    let initial = add("initial", "", "model/init", .ran, 0.3, needs: [tokenizer], isCritical: true)
    let base = add("base", "", "train/sft", .ran, 81.6, needs: [initial, tokenizer], isCritical: true)
    var scores: [Int] = []
    for rate in ["0.00002", "0.0002"] {
      let isSlow = rate == "0.0002"
      let tuned = add("tuned", rate, "train/sft", isSlow ? .running : .failed, 34, needs: [base, tokens], isCritical: isSlow)
      for task in tasks {
        let state: InstanceState = isSlow ? .waiting : .skipped
        scores.append(
          add(
            "tuned_scores", "\(rate),\(task)", "evaluate", state, needs: [tuned, data[tasks.firstIndex(of: task) ?? 0]],
            isCritical: isSlow && task == "swap"))
      }
    }
    _ = add("summary", "", "report/scores", .waiting, needs: scores, isCritical: true)
    return GraphDrawing("quickstart", nodes: nodes, needs: needs)
  }()

  /// A sequence of nine steps, each with data, training and two evaluations: joined, the training hands on to itself.
  static let scan: GraphDrawing = {
    var nodes: [GraphDrawing.Node] = [.init(path: [.init("base")], stage: "model/import", state: .cached, seconds: 0.2)]
    var needs: [[Int]] = [[]]
    var (model, reports) = (0, [Int]())
    for step in 0..<9 {
      let state: InstanceState = step < 4 ? .cached : step == 4 ? .run : .waits
      func add(_ name: String, _ stage: String, _ state: InstanceState, _ wanted: [Int]) -> Int {
        nodes.append(
          .init(path: [.init("sft", point: "task\(step)"), .init(name)], stage: stage, state: state, seconds: step < 4 ? 30 : nil))
        needs.append(wanted)
        return nodes.count - 1
      }
      let data = add("data", "data/tasks", .cached, [])
      let tokens = add("tokens", "tokenize", .cached, [data])
      let rollouts = add("rollouts", "rollout", state, [model, data])
      model = add("train", "train/sft", state, [model, tokens, rollouts])
      reports.append(add("scores", "evaluate", state, [model, data]))
    }
    nodes.append(.init(path: [.init("forgetting")], stage: "report/forgetting", state: .waits))
    needs.append(reports)
    return GraphDrawing("a sequence", nodes: nodes, needs: needs)
  }()

  /// What no text may hold, and no source file can spell.
  static let noncharacters = [0xFFFE, 0xFDD0, 0x1FFFF].compactMap(Unicode.Scalar.init).map(String.init).joined()

  /// Names that no one should be led by.
  static let hostileNames = [
    "<script>alert(1)</script>", "\"quoted\" 'twice' & <b>", "]]>--><!--", "evil\u{202E}gnp.exe", "esc\u{1B}[31mred\u{7}\0nul",
    "line\r\nbreak",
    "c1 \u{85}\u{9B}", noncharacters, "=1+1", String(repeating: "w<", count: 500_000), "a" + String(repeating: "\u{301}", count: 3000),
    "", "مرحبا 世界 👩‍👩‍👧",
  ]

  /// Every kind of chart, all its names hostile and its numbers odd.
  static var hostile: [any Chart] {
    let names = hostileNames
    let odd: [Double] = [.nan, .infinity, -.infinity, 0, -1, 1e300, -1e300, .leastNonzeroMagnitude, 1e-9, 3, 3, 3, 3]
    let axis = Axis(names[0], unit: names[1])
    let values = odd.map { Optional(PlottedValue($0, low: $0 - 1, high: $0 + 1)) }
    return [
      LinePlot(
        names[9], x: Axis(names[3], scale: .named(names)), y: axis,
        series: names.map { name in
          LinePlot.Series(name, odd.enumerated().map { LinePlot.Point(Double($0), $1) })
        }),
      LinePlot(
        names[0], x: Axis("", scale: .logarithmic), y: Axis("", scale: .logarithmic),
        series: [
          .init(names[4], odd.map { LinePlot.Point($0, $0) })
        ]),
      ScatterPlot(
        names[2], x: axis, y: axis, series: names,
        points: names.indices.map {
          .init(names[$0], series: $0, x: PlottedValue(odd[$0], low: -1, high: 1), y: PlottedValue(Double($0)))
        }),
      BarPlot(names[3], value: axis, categories: names, series: names.map { .init($0, values) }),
      Heatmap(
        names[4], rowTitle: names[0], rows: names, columns: names,
        cells: names.map { name in
          odd.map { Heatmap.Cell($0, change: PlottedValue($0, low: -1, high: 1), verdict: name) }
        }, unit: names[0]),
      Histogram(names[5], x: axis, y: axis, edges: [0, 1, .nan, .infinity], series: [.init(names[0], odd), .init(names[1], [])]),
      Histogram(names[5], x: axis, y: axis, bins: 4, samples: [(names[0], odd), (names[1], [])]),
      Timeline(
        names[6], lanes: names,
        spans: names.indices.map {
          .init(names[$0], lane: $0 - 1, begin: odd[$0], end: odd[$0] + 1, state: .ran)
        }),
      GraphDrawing(
        names[7],
        nodes: names.map {
          .init(path: [.init($0, point: $0), .init($0, point: names[9])], stage: $0, state: .failed, seconds: .nan, notes: [$0])
        }, needs: names.indices.map { [$0 - 1, ($0 + 1) % names.count, 99] }),
    ]
  }
}
