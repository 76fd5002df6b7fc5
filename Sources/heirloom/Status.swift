import ArgumentParser
import Execution
import JSONValues
import Reporting

/// `heirloom status`: how far a run is.
struct Status: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Show how far a run is, or what became of it.")

  @OptionGroup var which: RunChoiceArguments
  @Flag(help: "Print JSON.") var json = false
  @Flag(help: "Go on showing it, as `run` does, until it ends.") var watch = false

  func validate() throws {
    if json, watch { throw ValidationError("--json and --watch exclude each other") }
  }

  func run() throws {
    let queries = try which.queries()
    var run = try queries.run(which.choice)
    if watch {
      let id = run.id
      var watching = RunWatch(queries.store, ProgressMode.auto.display(variables: Program.variables, isInterruptible: true))
      run = try watching.watch { try queries.run(.id(id)) }
    }
    if json { return Terminal.say(run.json.encoded(pretty: true)) }
    for line in run.lines { Terminal.say(line) }
    for line in queueLines(run, queries) { Terminal.say(line) }
    let matrices = try MatrixReport.read(run, queries.store)
    if !matrices.isEmpty { Terminal.say("\n" + MatrixReport.text(matrices, style: Terminal.style(1)), terminator: "") }
  }
}

extension Status {
  /// What the queue itself says of jobs that have not said their last word; nothing where it cannot be asked.
  fileprivate func queueLines(_ run: RecordedRun, _ queries: StoreQueries) -> [String] {
    guard run.standing != .ended(0), let open = try? RunJobs(run: run.id, in: queries.store)?.open() else { return [] }
    return Set(open.map(\.executor)).sorted().flatMap { name -> [String] in
      let own = open.filter { $0.executor == name && $0.id != nil }
      guard let system = try? QueueSystems(site: SiteArguments.load()).open(name) else { return [] }
      let sights = system.look(own.compactMap(\.id))
      return own.compactMap { job in
        guard let id = job.id, let sight = sights[id] else { return nil }
        return "\(name) job \(id)  \(job.instance)  \(sight.text)"
      }
    }
  }
}

/// `heirloom runs`: the runs of a store.
struct Runs: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "List the runs of a store, newest first: outcome, duration, cache hits.")

  @OptionGroup var store: StoreArguments
  @Flag(help: "Print a JSON list.") var json = false

  func run() throws {
    let queries = try StoreQueries(store.path())
    let (runs, names) = (try queries.runs(), try queries.runNames())
    if json { return Terminal.say(JSONValue.array(runs.map { $0.summary(name: names[$0.id]) }).encoded(pretty: true)) }
    for run in runs { Terminal.say(run.line(name: names[run.id])) }
  }
}
