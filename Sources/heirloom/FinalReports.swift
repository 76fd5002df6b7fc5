import Execution
import Foundation

/// What a run ends with on standard output: every `report` that no other stage takes, and where all results are to be found.
struct FinalReports {
  let recipe: String
  let store: String

  func show(_ reports: [FinalReport]) {
    let views = "\(store)/views/\(recipe)"
    for report in reports {
      guard let text = try? String(contentsOfFile: "\(views)/\(report.instance)/\(report.output)", encoding: .utf8) else { continue }
      Terminal.say("\n" + text, terminator: "")
    }
    Terminal.say("\nresults: \(Terminal.shortened(views))")
  }
}
