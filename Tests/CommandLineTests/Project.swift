import Foundation
import Hashing
import JSONValues
import Testing

/// A project in a directory of its own, with the shipped contracts, a tiny recipe and a store. It goes when the test is over.
final class Project: Sendable {
  let root = FileManager.default.temporaryDirectory.path + "/heirloom-project-" + UUID().uuidString
  let manifest: String

  init(manifest: String = Project.tiny) throws {
    self.manifest = manifest
    try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: Program.stages, toPath: root + "/stages")
    try write("recipe.yaml", manifest)
    try write("records.jsonl", (1...12).map { #"{"prompt":"say \#($0)","completion":" \#($0)"}"# + "\n" }.joined())
  }

  deinit { try? FileManager.default.removeItem(atPath: root) }

  /// A model of two layers learns to reverse letters and is averaged with itself as it was; done in about a second.
  static let tiny = """
    heirloom: 1
    name: tiny

    params:
      learning_rate: 1.0e-3
      steps: 20

    stages:
      records:
        uses: data/import
        inputs: {source: ./records.jsonl}
        with: {heldout: 4}

      data:
        uses: data/tasks
        with: {task: reverse, train: 64, heldout: 16, difficulty: 4, alphabet: 8}

      tokenizer:
        uses: tokenizer/train
        inputs: {data: [records.train, data.train]}
        with: {vocab_size: 270}

      tokens:
        uses: tokenize
        inputs: {data: [records.train, data.train], tokenizer: tokenizer.tokenizer}

      initial:
        uses: model/init
        inputs: {tokenizer: tokenizer.tokenizer}
        with: {hidden_size: 32, intermediate_size: 64, num_hidden_layers: 2, num_attention_heads: 2, max_position_embeddings: 64}

      tuned:
        uses: train/sft
        inputs: {model: initial.model, data: tokens.tokens}
        with: {learning_rate: "${learning_rate}", max_steps: "${steps}", per_device_train_batch_size: 32, save_steps: 7}

      averaged:
        uses: average/wise-ft
        matrix: {alpha: [0, 0.5]}
        inputs: {base: initial.model, tuned: tuned.model}
        with: {alpha: "${alpha}"}

      scores:
        uses: evaluate
        matrix: {alpha: [0, 0.5]}
        inputs: {model: "averaged[${alpha}].model", suite: data.heldout}

    """

  // MARK: - Files

  func write(_ path: String, _ text: String) throws {
    let full = "\(root)/\(path)"
    try FileManager.default.createDirectory(atPath: (full as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try Data(text.utf8).write(to: URL(fileURLWithPath: full))
  }

  func read(_ path: String) throws -> String { try String(contentsOfFile: "\(root)/\(path)", encoding: .utf8) }

  /// Replaces a text that must be there once.
  func edit(_ path: String, _ old: String, _ new: String) throws {
    let parts = try read(path).components(separatedBy: old)
    try #require(parts.count == 2, "'\(old)' stands \(parts.count - 1) times in \(path)")
    try write(path, parts.joined(separator: new))
  }

  // MARK: - Commands

  func heirloom(_ words: String..., variables: [String: String] = [:]) throws -> Program.Finished {
    try Program.run(words, in: root, variables)
  }

  /// `heirloom run recipe.yaml` with events.
  func run(_ words: String...) throws -> Events {
    try Events(Program.run(["run", "recipe.yaml", "--progress", "json"] + words, in: root))
  }

  func plan(_ words: String...) throws -> [String] {
    let plan = try Program.run(["plan", "recipe.yaml"] + words, in: root)
    #expect(plan.status == 0 && plan.errors == "")
    // How long it will take is another matter on every machine.
    return plan.outputLines.filter { !$0.hasPrefix("by earlier runs, about ") }
  }

  /// What lies under each output's view, by "instance.output".
  func digests(store: String = "artifacts") throws -> [String: String] {
    let views = "\(root)/\(store)/views/tiny"
    var digests: [String: String] = [:]
    for instance in try FileManager.default.contentsOfDirectory(atPath: views) {
      for output in try FileManager.default.contentsOfDirectory(atPath: "\(views)/\(instance)") {
        let place = URL(fileURLWithPath: "\(views)/\(instance)/\(output)").resolvingSymlinksInPath().path
        digests["\(instance).\(output)"] = try Self.digest(place)
      }
    }
    return digests
  }

  /// Of a file's bytes, or of the names and bytes in a directory.
  static func digest(_ path: String) throws -> String {
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else { return try Digest.ofFile(path).digest.hex }
    return Digest(hashing: try names.sorted().map { "\($0) \(try digest(path + "/" + $0))" }.joined(separator: "\n")).hex
  }

  // MARK: - Processes

  /// Those that name this project on their command line.
  var processes: [pid_t] {
    ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { pid_t($0) }.filter { pid in
      let line = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") ?? Data()
      return line.range(of: Data(root.utf8)) != nil
    }
  }

  /// Looks again and again, for half a minute at most.
  func until(_ what: Comment, _ isSo: () throws -> Bool) throws {
    let deadline = ContinuousClock.now + .seconds(30)
    while try !isSo() {
      try #require(ContinuousClock.now < deadline, what)
      sched_yield()
    }
  }
}

/// What a run said of itself with `--progress json`.
struct Events {
  let finished: Program.Finished
  let all: [JSONValue]

  init(_ finished: Program.Finished) throws {
    self.finished = finished
    all = try finished.errors.split(separator: "\n").map { try JSONValue.parse(String($0)) }
  }

  func instances(_ kind: String) -> Set<String> {
    Set(all.filter { $0["kind"] == .string(kind) }.compactMap { $0["instance"]?.stringValue })
  }

  var ran: Set<String> { instances("finished") }
  var cached: Set<String> { instances("cached") }
  var summary: JSONValue? { all.last }

  /// Instances that went on from a checkpoint.
  var resumed: Set<String> {
    Set(all.filter { $0["kind"] == "started" && $0["resumes"] == true }.compactMap { $0["instance"]?.stringValue })
  }
}
