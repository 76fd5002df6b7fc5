import ArgumentParser
import Artifacts
import Execution
import Foundation
import JSONValues
import Planning
import Remotes
import Sharing

/// `heirloom reproduce REF`: computes somebody's recipe and compares with what they locked.
struct Reproduce: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compute a locked recipe again in scratch, and compare with the lock.",
    discussion: """
      REF is an archive, a directory or an OCI layout that `export recipe` wrote, a remote's address where it keeps recipes (oci://…:TAG, s3://…,
      ssh://…, dir:…), or a manifest with its lock beside it. Everything is
      computed in a clean store of its own, which goes afterwards (--keep leaves it). Each output is identical, or it differs and it is said
      why: what follows from another difference is told from what began it. A statement of what came out is written; --key signs it.
      Status 0 reproduced, 1 not.
      """)

  @Argument(help: "What to reproduce.", completion: .file()) var reference: String
  @Option(help: "Which recipe of a remote [default: as its address says, else the only one there].") var tag: String?
  @Option(parsing: .upToNextOption, help: "Only these instances, and what they need.") var instances: [String] = []
  @Option(help: "So many instances, drawn at random, and what they need.") var sample: Int?
  @Option(help: "Of the draw [default: another each time].") var seed: UInt64?
  @Flag(help: "What the chosen instances need is taken from the artifacts that came along, where they did.") var trustInputs = false
  @Option(help: "Instances at once [default: as many as there are processors].") var jobs: Int?
  @Option(help: "Most threads of one instance [default: its resources' cpus].") var threads: Int?
  @Option(help: "An Ed25519 private key (PEM) to sign the statements with.", completion: .file()) var key: String?
  @Option(help: "A URI for who or what computed it.") var builder: String?
  @Option(help: "Where statements go [default: RECIPE.reproduction].", completion: .directory) var statements: String?
  @Flag(help: "Write no statements.") var noStatements = false
  @Option(help: "Keep the scratch directory there.", completion: .directory) var keep: String?
  @Option(help: "How to show what happens: auto, plain, json or none.") var progress: ProgressMode = .auto
  @OptionGroup var task: TaskArguments
  @Flag(help: "Print JSON.") var json = false

  func validate() throws {
    if !instances.isEmpty, sample != nil { throw ValidationError("--instances and --sample exclude each other") }
    if let sample, sample < 1 { throw ValidationError("--sample must be at least 1, not \(sample)") }
    if seed != nil, sample == nil { throw ValidationError("--seed is for --sample") }
    if trustInputs, instances.isEmpty, sample == nil { throw ValidationError("--trust-inputs is for --instances and --sample") }
    if noStatements, key != nil { throw ValidationError("--key and --no-statements exclude each other") }
    for (name, value) in [("--jobs", jobs), ("--threads", threads)] {
      if let value, value < 1 { throw ValidationError("\(name) must be at least 1, not \(value)") }
    }
  }

  func run() throws {
    let signing = try key.map { try SigningKey(pem: StatementFiles.read($0, limit: 1 << 16), at: $0) }
    let scratch = try Scratch(keep: keep.map { Paths.absolute($0, from: Program.planning.workingDirectory) })
    defer { scratch.remove() }
    let meter = WorkMeter()
    let found = try TaskProgress.during(meter, task.style) {
      try RecipeSource.find(absolute(reference), [RemoteRecipes(tag: tag)], scratch: scratch.path, meter: meter)
    }
    let reproduction = Reproduction(found, scratch: scratch.path, request(), meter: meter)
    let outcome = try reproduction.run(task.style, display: progress.display(variables: Program.variables))
    if json {
      Terminal.say(outcome.report.json.encoded(pretty: true))
    } else {
      for line in outcome.report.lines { Terminal.say(line) }
    }
    if !noStatements { try write(outcome, signing) }
    throw ExitCode(outcome.report.exitStatus)
  }

  /// A path from where one stands; what names a remote stays as it is.
  private func absolute(_ reference: String) -> String {
    RemoteRecipes.isRemote(reference) ? reference : Paths.absolute(reference, from: Program.planning.workingDirectory)
  }

  private func request() -> Reproduction.Request {
    var options = RunOptions(program: Program.path, variables: Program.variables)
    options.jobs = jobs
    options.threads = threads
    var request = Reproduction.Request(options: options)
    request.trustsInputs = trustInputs
    request.installedStages = Program.planning.installedStages
    if !instances.isEmpty { request.selection = .named(instances) }
    if let sample { request.selection = .sample(sample, seed: seed ?? UInt64.random(in: 0...UInt64.max)) }
    return request
  }

  private func write(_ outcome: Reproduction.Outcome, _ key: SigningKey?) throws {
    let directory = statements ?? outcome.report.recipe.replacing("/", with: "_") + ".reproduction"
    let attestations = Attestations(outcome, builder: builder ?? Attestations.unnamedBuilder)
    let paths = try StatementFiles.write(try attestations.all(), into: directory, signedBy: key)
    if !json, let first = paths.first {
      Terminal.say(
        "\(first)  \(paths.count) statements, \(key.map { "signed by \($0.verifyingKey.identifier.prefix(16))…" } ?? "not signed")")
    }
  }
}
