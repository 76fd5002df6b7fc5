import ArgumentParser
import Execution
import Planning
import Plotting

/// A plan as a graph: every instance with what a run would do with it, and why where one points.
struct PlanGraph {
  enum Form: String, CaseIterable, ExpressibleByArgument {
    case dot, mermaid, svg
  }

  enum Folding: EnumerableFlag {
    case fold, unfold

    var folding: GraphFolding {
      switch self {
      case .fold: .all
      case .unfold: .none
      }
    }
  }

  private let drawing: GraphDrawing

  init(_ plan: RecipePlan, _ graph: InstanceGraph, _ folding: Folding?) {
    var places: [Int: Int] = [:]
    for (place, entry) in plan.entries.enumerated() { places[entry.index] = place }
    drawing = GraphDrawing(
      graph.recipe,
      nodes: plan.entries.map { entry in
        GraphDrawing.Node(
          path: graph.instances[entry.index].path.segments.map { GraphDrawing.Segment($0.name, point: $0.point) }, stage: entry.stage,
          state: InstanceState(rawValue: entry.action), seconds: entry.seconds, notes: entry.reasons + entry.notes)
      },
      needs: plan.entries.map { entry in graph.dependencies[entry.index].compactMap { places[$0] } },
      folding: folding?.folding ?? .automatic)
  }

  func text(_ form: Form) -> String {
    switch form {
    case .dot: drawing.dot
    case .mermaid: drawing.mermaid
    case .svg: drawing.svg(ChartStyle(width: 1100, idPrefix: "plan", sheet: .embedded))
    }
  }
}
