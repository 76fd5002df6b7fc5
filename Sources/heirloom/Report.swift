import ArgumentParser
import Execution
import Foundation
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
  @Option(
    name: .shortAndLong, help: "Write to this file; tensorboard, to this directory. Text, Markdown and JSON go to standard output else.",
    completion: .file())
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
    let output = output ?? (format == .html ? "\(queries.store.root)/runs/\(report.overview.id)/report.html" : nil)
    switch report.product(format, style: output == nil ? Terminal.style(1) : .plain) {
    case .text(let text):
      guard let output else { return Terminal.say(text, terminator: "") }
      try Self.write(Array(text.utf8), to: output)
    case .files(let files):
      guard let output else { throw CommandFailure.usage("--format \(format.rawValue) writes a directory: say which with --output") }
      try Self.write(files, to: output)
    }
    if let output { Terminal.say(output) }
  }

  /// Into a directory that is empty or not there.
  private static func write(_ files: [(path: String, bytes: [UInt8])], to directory: String) throws {
    if let names = try? FileManager.default.contentsOfDirectory(atPath: directory), !names.isEmpty {
      throw CommandFailure.usage("\(directory) is not empty")
    }
    if files.isEmpty { throw CommandFailure.usage("the run has no curves") }
    for (path, bytes) in files { try write(bytes, to: "\(directory)/\(path)") }
  }

  private static func write(_ bytes: [UInt8], to path: String) throws {
    let url = URL(fileURLWithPath: path)
    do {
      try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(bytes).write(to: url, options: .atomic)
    } catch { throw CommandFailure.usage("cannot write \(path): \(error.localizedDescription)") }
  }

  /// Names of runs have neither slashes nor an extension.
  private var isManifest: Bool { what.hasSuffix(".yaml") || what.hasSuffix(".yml") || what.contains("/") }
}

extension ReportFormat: ExpressibleByArgument {}
