import Foundation
import Plotting
import Testing

@Suite("Drawn graphs") struct GraphTests {
  /// The same numbers every time (SplitMix64).
  struct Random: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var value = state
      value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
      value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
      return value ^ (value >> 31)
    }
  }

  static func random(_ seed: UInt64, nodes count: Int, reach: Int = 40) -> GraphDrawing {
    var random = Random(state: seed)
    let nodes = (0..<count).map { index in
      GraphDrawing.Node(
        path: [.init("g\(index % 5)", point: "\(index / 7 % 3)"), .init("n\(index % 11)", point: "\(index)")],
        state: InstanceState.allCases.randomElement(using: &random), seconds: Double.random(in: 0...100, using: &random))
    }
    let needs = (0..<count).map { index -> [Int] in
      guard index > 0 else { return [] }
      let wanted = (0..<Int.random(in: 0...3, using: &random)).map { _ in Int.random(in: max(0, index - reach)..<index, using: &random) }
      return Set(wanted).sorted()
    }
    return GraphDrawing("", nodes: nodes, needs: needs, folding: .none)
  }

  struct Drawn {
    let boxes: [(x: Double, y: Double, width: Double, height: Double)]
    let edges: [(from: Int, to: Int)]
    let carried: Int

    init(_ drawing: GraphDrawing, _ style: ChartStyle = ChartStyle()) throws {
      let document = try SVGDocument(drawing.svg(style))
      boxes = try document.of("ground").map { box in
        (try box.number("x"), try box.number("y"), try box.number("width"), try box.number("height"))
      }
      edges = try document.of("edge").map { (Int(try $0.number("data-from")), Int(try $0.number("data-to"))) }
      carried = document.of("carried").count
    }
  }

  @Test("no node lies over another and every edge goes forward", arguments: 0..<12)
  func layout(_ seed: UInt64) throws {
    for direction in [GraphDrawing.Direction.right, .down] {
      let random = Self.random(seed, nodes: 60, reach: seed % 2 == 0 ? 10 : 60)
      let drawing = GraphDrawing("", nodes: random.nodes, needs: random.needs, folding: .none, direction: direction)
      let drawn = try Drawn(drawing)
      #expect(drawn.boxes.count == 60 && drawn.edges.count == random.needs.joined().count && drawn.carried == 0)
      for (index, box) in drawn.boxes.enumerated() {
        for other in drawn.boxes[..<index] {
          let isApart =
            box.x + box.width <= other.x + 0.02 || other.x + other.width <= box.x + 0.02 || box.y + box.height <= other.y + 0.02
            || other.y + other.height <= box.y + 0.02
          #expect(isApart)
        }
      }
      for (from, to) in drawn.edges {
        let (source, target) = (drawn.boxes[from], drawn.boxes[to])
        #expect(direction == .down ? source.y + source.height < target.y : source.x + source.width < target.x)
      }
      #expect(drawing.svg(ChartStyle()) == drawing.svg(ChartStyle()), "the same every time")
    }
  }

  @Test("members of a large matrix are one node that counts them; smaller ones stay apart")
  func folding() throws {
    let nodes =
      (0..<9).map { GraphDrawing.Node(path: [.init("a", point: "\($0)")], state: $0 < 7 ? .cached : .run) }
      + (0..<3).map { GraphDrawing.Node(path: [.init("b", point: "\($0)")], state: .waits) }
    let needs = (0..<9).map { _ in [Int]() } + (0..<3).map { [$0, $0 + 1] }
    let drawing = GraphDrawing("", nodes: nodes, needs: needs)
    #expect(drawing.multiples == [.init(entry: "a", members: 9), .init(entry: "b", members: 3)])
    let document = try SVGDocument(drawing.svg(ChartStyle()))
    #expect(document.texts.contains("×9 ▸ 2 = 7") && document.of("instance").count == 4 && document.of("edge").count == 3)
    #expect(document.elements.contains { $0.name == "title" && $0.text == "a\n9 instances: 2 run, 7 cached" })
    func count(_ folding: GraphFolding) throws -> Int {
      try SVGDocument(GraphDrawing("", nodes: nodes, needs: needs, folding: folding).svg(ChartStyle())).of("instance").count
    }
    #expect(try count(.none) == 12 && count(.all) == 2 && count(.entries(["b"], closed: [])) == 10)
  }

  @Test("what a joined scan hands on goes back, dashed, and hides no way forward")
  func scan() throws {
    let document = try SVGDocument(SampleCharts.scan.svg(ChartStyle()))
    #expect(document.of("instance").count == 7)
    #expect(document.of("carried").count == 1, "from the training to the rollouts; to itself by a sign")
    #expect(document.texts.contains { $0.contains("×9") && $0.contains("↻") })
    let closed = GraphDrawing(
      "", nodes: SampleCharts.scan.nodes, needs: SampleCharts.scan.needs, folding: .entries(["sft"], closed: ["sft"]))
    #expect(try SVGDocument(closed.svg(ChartStyle())).of("instance").count == 3)
  }

  @Test("three hundred instances are drawn so that they can be read")
  func readable() throws {
    // Three seeds, a scan of seven tasks, seven suites each.
    var nodes: [GraphDrawing.Node] = [.init(path: [.init("base")])]
    var needs: [[Int]] = [[]]
    for seed in 0..<3 {
      var model = 0
      for task in 0..<7 {
        let group = [GraphDrawing.Segment("seeds", point: "\(seed)"), .init("sequence", point: "t\(task)")]
        for (name, wanted) in [("data", []), ("tokens", [nodes.count]), ("train", [model, nodes.count + 1])] {
          nodes.append(.init(path: group + [.init(name)], state: .waits))
          needs.append(wanted)
        }
        model = nodes.count - 1
        for suite in 0..<12 {
          nodes.append(.init(path: group + [.init("scores", point: "s\(suite)")], state: .waits))
          needs.append([model])
        }
      }
    }
    #expect(nodes.count == 316)
    let document = try SVGDocument(GraphDrawing("", nodes: nodes, needs: needs).svg(ChartStyle(width: 1200)))
    #expect((4...GraphFolding.mostNodes).contains(document.of("instance").count))
    let svg = try #require(document.elements.first)
    #expect(try svg.number("width") <= 1200 && svg.number("height") <= 1500)
  }

  @Test("the critical path is the longest way, and marked on nodes and edges")
  func critical() throws {
    #expect(GraphDrawing.criticalPath(seconds: [1, 5, 2, .nan, 4], needs: [[], [0], [0], [1], [2, 3]]) == [0, 1, 3, 4])
    #expect(GraphDrawing.criticalPath(seconds: [], needs: []) == [] && GraphDrawing.criticalPath(seconds: [0], needs: [[]]) == [])
    let document = try SVGDocument(SampleCharts.graph.svg(ChartStyle()))
    #expect(document.of("critical").filter { $0.name == "g" }.count == 6)
    #expect(document.of("critical").filter { $0.name == "path" && $0.attributes["d"]?.contains("Z") == false }.count == 5)
  }

  @Test("circles and edges to nowhere do no harm")
  func circles() throws {
    let nodes = (0..<4).map { GraphDrawing.Node(path: [.init("n\($0)")]) }
    let drawn = try Drawn(GraphDrawing("", nodes: nodes, needs: [[1], [2], [0, 7, -1], [3]]))
    #expect(drawn.boxes.count == 4 && drawn.edges.count == 3 && drawn.carried == 1)
  }

  @Test("a node for Graphviz and for Mermaid is text, whatever it is called")
  func quoting() {
    let drawing = GraphDrawing(
      "t\"]",
      nodes: [.init(path: [.init("a\"]; x->y [\\"), .init("<b>&lt;\n%%{init}`end`", point: "1")], state: .failed, isCritical: true)],
      needs: [[]])
    #expect(
      drawing.dot == #"""
        digraph {
          label="t\"]"
          labelloc=t
          rankdir=LR
          node [shape=box, style="rounded,filled", fontname="Helvetica", fontsize=11]
          edge [color="#7d8590", arrowsize=0.7]
          subgraph cluster_0 {
            label="a\"]; x->y [\\"; labeljust=l; color="#e3e6ea"
            n0 [label="<b>&amp;lt;⏎%%{init}`end`[1]\n✗ failed", fillcolor="#f7e2dd", color="#c4320a", penwidth=3, tooltip="a\"]; x->y [\\.<b>&amp;lt;⏎%%{init}`end`[1]\nfailed\non the critical path"]
          }
        }

        """#)
    #expect(
      drawing.mermaid == """
        flowchart LR
          subgraph g0["a#34;]#59; x-#62;y [#92;"]
            n0["#60;b#62;#38;lt#59;⏎#37;#37;#123;init#125;#96;end#96;[1]<br/>✗ failed"]:::failed
          end
          classDef failed fill:#f7e2dd,stroke:#c4320a,color:#1b1f24
          classDef critical stroke-width:3px
          class n0 critical

        """)
  }

  @Test("a thousand nodes are laid out in a tenth of a second, ten thousand in two")
  func speed() throws {
    for (count, limit) in [(1000, 0.1), (10_000, 2.0)] {
      // Processor time of this thread: other tests run beside.
      let graphs = [Self.random(1, nodes: count, reach: 40), Self.random(2, nodes: count, reach: count), Self.wide(count)]
      for (index, drawing) in graphs.enumerated() {
        let began = Self.threadSeconds()
        let svg = drawing.svg(ChartStyle())
        let seconds = Self.threadSeconds() - began
        print("graph \(index) of \(count) nodes: \(FixedDigits.text(seconds * 1000, 1)) ms, \(svg.utf8.count) bytes")
        #expect(seconds < limit, "\(count) nodes, graph \(index)")
      }
    }
  }

  /// A model, as many trainings from it as there is room for, a score of each, one report of all.
  static func wide(_ count: Int) -> GraphDrawing {
    let pairs = (count - 2) / 2
    var nodes: [GraphDrawing.Node] = [.init(path: [.init("base")])]
    var needs: [[Int]] = [[]]
    for place in 0..<pairs {
      nodes.append(.init(path: [.init("train", point: "\(place)")], state: .ran, seconds: 3))
      needs.append([0])
      nodes.append(.init(path: [.init("score", point: "\(place)")], state: .ran, seconds: 1))
      needs.append([nodes.count - 2, 0])
    }
    nodes.append(.init(path: [.init("report")]))
    needs.append(Array(1..<nodes.count - 1))
    return GraphDrawing("", nodes: nodes, needs: needs, folding: .none)
  }

  static func threadSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
