import ArgumentParser
import Execution
import JSONValues
import Stages

/// `heirloom plan MANIFEST [INSTANCE…]`: what `run` would do, and why.
struct Plan: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Show what a run would do, and why.")

  @OptionGroup var recipe: RecipeArguments
  @Argument(help: "Only these instances and what they need.") var instances: [String] = []
  @Option(help: "Plan to run this instance although its result is there; may be given several times.") var rerun: [String] = []
  @OptionGroup var store: StoreArguments
  @OptionGroup var task: TaskArguments
  @OptionGroup var executor: ExecutorArguments
  @Flag(help: "Print a JSON list.") var json = false
  @Option(help: "Draw it: dot (Graphviz), mermaid, or an svg file of its own.") var graph: PlanGraph.Form?
  @Flag(help: "In the graph, join the members of every matrix and scan, or of none [default: of those with more than eight].")
  var folding: PlanGraph.Folding?

  func validate() throws {
    if json, graph != nil { throw ValidationError("--json and --graph exclude each other") }
    if folding != nil, graph == nil { throw ValidationError("--fold and --unfold are for --graph") }
  }

  func run() throws {
    var options = RunOptions(program: Program.path, variables: Program.variables)
    options.targets = instances
    options.reruns = rerun
    try executor.apply(to: &options)
    let request = recipe.request(options)
    let path = store.path(request)
    if !json, graph == nil, executor.executor == nil, let unchanged = try UnchangedRun(request, in: path, progress: task.style) {
      return Terminal.say(unchanged.planLines.joined(separator: "\n"))
    }
    let loaded = try recipe.load(request).recipe
    let plan = try RecipePlan.make(loaded, in: path, options: options, stages: NativeStages.all, progress: task.style)
    if let graph { return Terminal.say(PlanGraph(plan, loaded.graph, folding).text(graph), terminator: "") }
    if json { return Terminal.say(plan.json.encoded(pretty: true)) }
    for line in plan.lines + plan.noteLines { Terminal.say(line) }
    let counts = ["run", "resume", "waits", "cached"].map { (name: $0, count: plan.count($0)) }.filter { $0.count > 0 }
    Terminal.say("\(plan.entries.count) instances: " + counts.map { "\($0.count) \($0.name)" }.joined(separator: ", "))
    if let outlook = plan.outlookLine { Terminal.say(outlook) }
    let excesses = try QueueExcess.find(in: loaded.graph, wanted: plan.entries.filter { $0.action != "cached" }.map(\.index), options)
    if !excesses.isEmpty { throw CommandFailure.usage(excesses.map(\.description).joined(separator: "\nerror: ")) }
  }
}
