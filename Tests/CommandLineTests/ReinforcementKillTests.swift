import Foundation
import JSONValues
import Testing

/// `rollout` and `train/rft` ended in their midst: they go on from what was done, to the bytes of an uninterrupted run.
@Suite("Killed while it samples or learns from samples", .serialized) struct ReinforcementKillTests {
  private static let prompts = 24
  private static let steps = 4

  /// Sequence after sequence, so that each part of the work is long enough to be met in its midst.
  private static let manifest = """
    heirloom: 1
    name: tiny

    stages:
      data:
        uses: data/tasks
        with: {task: reverse, train: \(prompts), heldout: 4, difficulty: 4, alphabet: 8}

      tokenizer:
        uses: tokenizer/train
        inputs: {data: data.train}
        with: {vocab_size: 270}

      initial:
        uses: model/init
        inputs: {tokenizer: tokenizer.tokenizer}
        with: {hidden_size: 32, intermediate_size: 64, num_hidden_layers: 2, num_attention_heads: 2, max_position_embeddings: 64}

      asked:
        uses: rollout
        inputs: {model: initial.model, prompts: data.train}
        with:
          {num_generations: 8, max_completion_length: 40, greedy: true, max_num_seqs: 1, rewards: [{kind: length, max_length: 20}]}

      rewritten:
        uses: data/rewrite
        inputs: {model: initial.model, data: data.train}
        with: {template: "{prompt} {completion}", num_generations: 12, max_completion_length: 32, max_num_seqs: 1, scorer: {rule: contains}}

      tuned:
        uses: train/rft
        inputs: {model: initial.model, prompts: data.train, reward_program: ./judge.sh}
        with:
          learning_rate: 0.001
          max_steps: \(steps)
          rollout_batch_size: 6
          global_batch_size: 3
          num_iterations: 12
          num_generations: 8
          max_completion_length: 40
          beta: 0.01
          kl_reference: moving_average
          ref_model_sync_steps: 2
          max_num_seqs: 1
          save_steps: 1
          rewards: [{kind: command, command: [sh, "{program}"]}]

    """

  /// The results of a run that nothing disturbed, made once.
  private static let reference = Result {
    let project = try made()
    let end = try project.run().finished
    try #require(end.status == 0, "\(end.errors)")
    #expect(project.batches == steps)
    return try project.digests()
  }

  /// Its reward says nothing worth learning, and notes every batch that it has answered.
  private static func made() throws -> Project {
    let project = try Project(manifest: manifest)
    try project.write(
      "judge.sh",
      """
      while IFS= read -r line; do
        if [ -n "$line" ]; then echo $((${#line} % 7)); else echo; echo answered >> '\(project.root)/batches'; fi
      done

      """)
    return project
  }

  private static func start(_ project: Project, _ instance: String) throws -> Running {
    try Program.start(["run", "recipe.yaml", instance, "--progress", "json"], in: project.root)
  }

  // MARK: - Rollout

  @Test("kill -9 in the midst of a rollout", arguments: [(Victim.everything, 1), (.stage, 7), (.runner, 14)])
  func rollout(victim: Victim, prompt: Int) throws {
    let project = try Self.ended(
      "asked", by: { try victim.end($0, $1) }, when: { $0.journal.count >= prompt },
      midst: { (prompt..<Self.prompts).contains($0.journal.count) })
    try goOn(project, "asked", "--threads", prompt % 2 == 0 ? "1" : "2")
  }

  @Test("kill -9 while data are rewritten", arguments: [(Victim.everything, 3), (.stage, 12)])
  func rewriting(victim: Victim, record: Int) throws {
    let project = try Self.ended(
      "rewritten", by: { try victim.end($0, $1) }, when: { $0.journal.count >= record },
      midst: { (record..<Self.prompts).contains($0.journal.count) })
    try goOn(project, "rewritten", "--threads", record % 2 == 0 ? "1" : "2")
  }

  @Test("what was sampled before a kill is not sampled again: a mark made in it comes out at the other end")
  func journal() throws {
    let project = try Self.ended(
      "asked", by: { try Victim.everything.end($0, $1) }, when: { $0.journal.count >= 8 },
      midst: { (8..<Self.prompts).contains($0.journal.count) })
    let kept = project.journal
    let marked = kept.map { $0.replacingOccurrences(of: #""completions":[{"text":""#, with: #""completions":[{"text":"marked "#) }
    try Data((marked.joined(separator: "\n") + "\n").utf8).write(to: URL(fileURLWithPath: try #require(project.journalPath)))
    #expect(try project.run("asked").resumed == ["asked"])
    let rollouts = try project.read("artifacts/views/tiny/asked/rollouts").split(separator: "\n")
    #expect(rollouts.count == Self.prompts)
    #expect(rollouts.count { $0.contains(#""text":"marked "#) } == kept.count)
  }

  @Test("a rollout that goes on under another kernel names both, and says that it is mixed")
  func otherKernel() throws {
    let project = try Self.made()
    let running = try Program.start(
      ["run", "recipe.yaml", "asked", "--progress", "json"], in: project.root, ["HEIRLOOM_KERNELS": "generic"])
    while project.journal.count < 4 { usleep(2000) }
    running.signal(SIGTERM)
    _ = try running.finish()
    try #require((4..<Self.prompts).contains(project.journal.count))
    #expect(try project.run("asked").resumed == ["asked"])
    let shown = try JSONValue(parsing: Array(Program.run(["show", "asked", "--json"], in: project.root).output.utf8))
    #expect(shown["mixed"] == true)
    #expect(shown["host"]?["kernel"]?.stringValue?.contains("generic kc384, then heirloom-gemm avx") == true)
  }

  // MARK: - Training

  @Test("kill -9 while training samples", arguments: [(Victim.everything, 1), (.stage, 2), (.runner, 3)])
  func sampling(victim: Victim, step: Int) throws {
    // A stage whose runner is gone stops when it hears of it.
    let project = try Self.ended(
      "tuned", by: { try victim.end($0, $1) }, when: { $0.savedStep ?? 0 >= step },
      midst: { victim == .runner ? $0.savedStep ?? Self.steps < Self.steps : $0.savedStep == step && $0.batches == step })
    try goOn(project, "tuned", "--threads", step % 2 == 0 ? "1" : "2")
    #expect(project.batches == Self.steps, "no step that was saved is done again")
  }

  @Test("kill -9 while training updates the weights", arguments: [(Victim.everything, 2), (.stage, 4)])
  func updating(victim: Victim, step: Int) throws {
    let project = try Self.ended(
      "tuned", by: { try victim.end($0, $1) }, when: { $0.batches >= step },
      midst: { $0.savedStep == step - 1 && $0.batches == step })
    try goOn(project, "tuned", "--threads", step % 2 == 0 ? "1" : "2")
    #expect(project.batches == Self.steps + 1, "the step that was cut short is done again, and no other")
  }

  @Test("Ctrl-C between two updates of a step, then kill -9 as it goes on: the step's rollouts are kept")
  func interrupted() throws {
    let project = try Self.ended(
      "tuned",
      by: { (running: Running, _: Project) throws in
        running.signal(SIGINT)
        #expect(try running.finish().status == 130)
      }, when: { $0.batches >= 3 }, midst: { $0.savedStep == 2 && $0.batches == 3 && $0.checkpoint(with: "rollouts-3.jsonl") != nil })
    let running = try Self.start(project, "tuned")
    while let line = running.nextLine(), !line.contains(#""started","instance":"tuned""#) {}
    try Victim.everything.end(running, project)
    try goOn(project, "tuned", "--threads", "1")
    #expect(project.batches == Self.steps)
  }

  @Test("one and two threads, one and two jobs: the same digests")
  func threads() throws {
    let project = try Self.made()
    #expect(try project.run("--threads", "1", "--jobs", "1").finished.status == 0)
    #expect(try project.digests() == Self.reference.get())
  }

  // MARK: - Steps of the tests

  /// A project whose stage was ended in the midst of what is meant. Where the machine was too slow to meet it, another one is tried; after
  /// five the test fails.
  private static func ended(
    _ instance: String, by end: (Running, Project) throws -> Void, when isTime: (Project) -> Bool, midst isMidst: (Project) -> Bool
  ) throws -> Project {
    for _ in 0..<5 {
      let project = try made()
      let running = try start(project, instance)
      try project.until("\(instance) has come so far") { isTime(project) || project.hasView(of: instance) }
      if project.hasView(of: instance) { continue }
      try end(running, project)
      if isMidst(project) { return project }
    }
    throw Missed(instance: instance)
  }

  private struct Missed: Error { let instance: String }

  /// The same command: it goes on, to the bytes of the uninterrupted run, and no process is left.
  private func goOn(_ project: Project, _ instance: String, _ words: String...) throws {
    let events = try Events(Program.run(["run", "recipe.yaml", instance, "--progress", "json"] + words, in: project.root))
    #expect(events.finished.status == 0, "\(events.finished.errors)")
    #expect(events.resumed == [instance] && events.ran == [instance])
    let digests = try project.digests()
    #expect(digests.keys.contains { $0.hasPrefix(instance + ".") })
    #expect(try digests == Self.reference.get().filter { digests.keys.contains($0.key) })
    #expect(project.processes == [])
  }
}

extension Project {
  /// The checkpoint directory of the one stage that is unfinished and has such a file.
  fileprivate func checkpoint(with name: String) -> String? {
    let work = root + "/artifacts/work"
    return ((try? FileManager.default.contentsOfDirectory(atPath: work)) ?? []).map { "\(work)/\($0)/checkpoint" }
      .first { FileManager.default.fileExists(atPath: "\($0)/\(name)") }
  }

  /// Whether its results are there.
  fileprivate func hasView(of instance: String) -> Bool {
    FileManager.default.fileExists(atPath: root + "/artifacts/views/tiny/" + instance)
  }

  fileprivate var checkpoint: String? { checkpoint(with: "checkpoint") }

  fileprivate var journalPath: String? { checkpoint(with: "rollouts.jsonl").map { $0 + "/rollouts.jsonl" } }

  /// Rollouts that an unfinished `rollout` has written down, a line each.
  fileprivate var journal: [String] {
    let bytes = journalPath.flatMap { FileManager.default.contents(atPath: $0) } ?? Data()
    return String(decoding: bytes, as: UTF8.self).components(separatedBy: "\n").dropLast()
  }

  /// The step after which an unfinished training was last saved.
  fileprivate var savedStep: Int? {
    guard let path = checkpoint, let bytes = FileManager.default.contents(atPath: path + "/checkpoint"), bytes.count > 8 else { return nil }
    let count = bytes.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    return (try? JSONValue(parsing: [UInt8](bytes.dropFirst(8).prefix(count))))?["step"]?.integerValue
  }

  /// Batches that the reward program has answered.
  fileprivate var batches: Int { (try? read("batches"))?.split(separator: "\n").count ?? 0 }
}
