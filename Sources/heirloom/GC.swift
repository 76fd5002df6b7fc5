import ArgumentParser
import Artifacts
import Execution
import JSONValues

/// `heirloom gc`: removes what nothing needs.
struct GC: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gc",
    abstract: "Remove what nothing needs from the store.",
    discussion: """
      Needed are the latest views, pins and named runs, the last runs of each recipe and whatever a run that goes on relies on; gc may run
      beside it. Bytes, logs, work and run directories that nothing needs go when they are old enough. Results stay: what was removed is
      computed again when somebody needs it.
      """)

  @Option(help: "The last runs of each recipe whose results stay.") var keepRuns = 1
  @Option(help: ArgumentHelp("What is younger stays: 90s, 30m, 12h, 7d, 2w.", valueName: "age")) var olderThan = Age(seconds: 7 * 86_400)
  @Flag(help: "Only say what would go.") var dryRun = false
  @OptionGroup var store: StoreArguments
  @OptionGroup var task: TaskArguments
  @Flag(help: "Print JSON.") var json = false

  func validate() throws {
    if keepRuns < 0 { throw ValidationError("--keep-runs must not be negative") }
  }

  func run() throws {
    var rules = Collection.Rules()
    rules.keepRuns = keepRuns
    rules.olderThanSeconds = olderThan.seconds
    rules.isDryRun = dryRun
    let existing = try store.existing()
    let report = try task.watch { meter in try Collection(existing, rules, meter: meter).run() }
    if json { return Terminal.say(report.json.encoded(pretty: true)) }
    for line in report.lines { Terminal.say(line) }
  }
}

/// A length of time as one writes it: `90s`, `30m`, `12h`, `7d`, `2w`, or a number of seconds.
struct Age: ExpressibleByArgument, CustomStringConvertible {
  let seconds: Double

  private static let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800]

  init(seconds: Double) { self.seconds = seconds }

  init?(argument: String) {
    let unit = argument.last.flatMap { Self.units[$0] }
    guard let count = Double(unit == nil ? argument[...] : argument.dropLast()), count >= 0, count.isFinite else { return nil }
    seconds = count * (unit ?? 1)
  }

  var description: String { seconds.truncatingRemainder(dividingBy: 86_400) == 0 ? "\(Int(seconds / 86_400))d" : "\(seconds)s" }
}
