import ArgumentParser
import Artifacts
import Execution
import Planning
import Reporting

/// `heirloom report [RUN|MANIFEST]`: all that can be told of a run.
struct Report: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Tell what a run came to: scores, forgetting, training curves, data, where models come from.",
    discussion: """
      RUN is an id or its beginning, a name given by `pin --run`, latest, or latest~1 for the one before; MANIFEST stands for its latest run.
      A run that goes on is told as far as it is. The page is one file that needs nothing else; without --output it is put beside the run's
      records, as runs/ID/report.html in the store, and its path is printed. docs/report.md describes the JSON.
      """)

  @Argument(help: "A run, or the manifest of a recipe.") var what: String = "latest"
  @Option(help: "How to write it: \(ReportFormat.allCases.map(\.rawValue).joined(separator: ", ")).") var format: ReportFormat = .html
  @Option(name: .shortAndLong, help: "Write to this file. Text, Markdown and JSON go to standard output else.", completion: .file())
  var output: String?
  @OptionGroup var store: StoreArguments

  func run() throws {
    let queries: StoreQueries
    let choice: RunChoice
    if isManifest {
      let planning = Program.planning
      let request = RunRequest(
        manifest: what, recipe: RecipeOptions(), planning: planning,
        options: RunOptions(program: Program.path, variables: Program.variables))
      queries = try StoreQueries(store.path(request))
      choice = .latestFrom(manifest: Paths.absolute(what, from: planning.workingDirectory))
    } else {
      queries = try StoreQueries(store.path())
      choice = .id(what)
    }
    let report = try RunReport.read(queries.run(choice), queries.store)
    if format == .html, output == nil { return Terminal.say(try report.writePage(in: queries.store)) }
    let text = report.text(format, style: output == nil ? Terminal.style(1) : .plain)
    guard let output else { return Terminal.say(text, terminator: "") }
    try OutputFile.write(Array(text.utf8), to: output)
    Terminal.say(output)
  }

  /// Names of runs have neither slashes nor an extension.
  private var isManifest: Bool { what.hasSuffix(".yaml") || what.hasSuffix(".yml") || what.contains("/") }
}

extension ReportFormat: ExpressibleByArgument {}

extension RunReport {
  /// Writes the page beside the run's records and returns its path.
  func writePage(in store: Store) throws -> String {
    let path = "\(store.root)/runs/\(overview.id)/report.html"
    try OutputFile.write(Array(page.utf8), to: path)
    return Terminal.shortened(path)
  }
}
