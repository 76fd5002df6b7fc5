import Foundation
import Testing

/// Recipes on a real Slurm, disturbed in every way that clusters know, and held against the same recipe run here.
@Suite(.enabled(if: Service.slurm.isHere), .serialized, .ownThread)
final class SlurmRecipeTests {
  private let cluster: Cluster

  init() throws { cluster = try Cluster() }

  // MARK: - The continual recipe

  @Test("the continual recipe gives the same bytes here and on Slurm, and nothing is left to do afterwards")
  func continualRecipe() throws {
    let bench = try Bench("pipelines/continual-small.yaml", ["--profile", "smoke"])
    #expect(try bench.run("here").finished.status == 0)
    let there = try bench.run("there", "--executor", "slurm", variables: cluster.variables)
    #expect(there.finished.status == 0, "\(there.finished.errors.suffix(2000))")
    let answers = try bench.answers("here")
    #expect(answers.count > 40)
    #expect(try bench.answers("there") == answers)
    // One job for each key, also where instances share one, by Slurm's own count; sacct is disabled here.
    let run = try "heirloom-" + bench.lastRun("there")
    // Slurm hears of a job's end after the runner has read its last word.
    try cluster.until("every job is done") { try cluster.jobs(named: run).allSatisfy { $0.state == "COMPLETED" } }
    #expect(try cluster.jobs(named: run).count == answers.count)
    let again = try bench.run("there", "--executor", "slurm", variables: cluster.variables)
    #expect(again.ran == [] && again.finished.status == 0)
    try disturbed(bench, answers)
  }

  /// The same recipe once more, with a job taken back, a job requeued, the controller started anew, and the runner killed.
  private func disturbed(_ bench: Bench, _ answers: [String: [String]]) throws {
    func state(_ state: String) throws -> Cluster.Job? { try jobs(bench, "disturbed").first { $0.state == state } }
    let first = try bench.start("disturbed", "--executor", "slurm", variables: cluster.variables)
    try cluster.until("a job is done") { try state("COMPLETED") != nil }
    // One that has not begun, for others may end in that moment, with a result.
    try cluster.ask("scontrol", "update", "PartitionName=main", "State=DOWN")
    try cluster.until("a job waits and is taken back") {
      let waiting = try state("PENDING")
      if let waiting { try cluster.ask("scancel", waiting.id) }
      return waiting != nil
    }
    try cluster.ask("scontrol", "update", "PartitionName=main", "State=UP")
    let ended = try first.finish()
    #expect([1, 130].contains(ended.status) && ended.errors.contains("cancelled"), "\(ended.status): \(ended.errors.suffix(2000))")

    let second = try bench.start("disturbed", "--executor", "slurm", variables: cluster.variables)
    // Slurm refuses to requeue what has just ended.
    try cluster.until("a job is requeued") {
      guard let job = try state("RUNNING") else { return false }
      try cluster.ask("scontrol", "requeue", job.id)
      return try cluster.ask("scontrol", "show", "job", job.id).contains("Restarts=1")
    }
    try cluster.verb("restart-controller")
    second.signal(SIGKILL)
    #expect(try second.finish().status == -SIGKILL)

    let third = try bench.run("disturbed", "--executor", "slurm", variables: cluster.variables)
    #expect(third.finished.status == 0, "\(third.finished.errors.suffix(2000))")
    #expect(try bench.answers("disturbed") == answers)
    // A job that had its result when it was requeued may still be about to find that out.
    try cluster.until("no job is left") { try jobs(bench, "disturbed").allSatisfy { ["COMPLETED", "CANCELLED"].contains($0.state) } }
    // What is taken out of an array that waits leaves no record.
    let completed = try jobs(bench, "disturbed").filter { $0.state == "COMPLETED" }
    #expect(completed.count == answers.count, "\(completed.map { "\($0.id) \($0.name)" })")
  }

  @Test("a hundred instances that become ready together are at most two submissions")
  func arrays() throws {
    let bench = try Bench(
      """
      heirloom: 1
      name: hundred
      stages:
        data:
          uses: data/tasks
          matrix: {seed: [\((1...100).map(String.init).joined(separator: ", "))]}
          with: {task: reverse, train: 4, heldout: 2, difficulty: 3, alphabet: 8, seed: "${seed}"}
      """)
    let tally = try bench.run("there", "--executor", "slurm", variables: cluster.variables)
    #expect(tally.ran.count == 100 && tally.finished.status == 0)
    let jobs = try cluster.jobs(named: "heirloom-" + bench.lastRun("there"))
    #expect(jobs.count == 100)
    #expect(Set(jobs.map(\.submission)).count <= 2)
  }

  // MARK: - Disturbed

  /// A training of some seconds, with what it needs before it and what is made of it.
  private static let training = """
    heirloom: 1
    name: disturbed
    params: {steps: 1500}
    stages:
      data:
        uses: data/tasks
        with: {task: reverse, train: 64, heldout: 16, difficulty: 4, alphabet: 8}
      tokenizer:
        uses: tokenizer/train
        inputs: {data: [data.train]}
        with: {vocab_size: 270}
      tokens:
        uses: tokenize
        inputs: {data: [data.train], tokenizer: tokenizer.tokenizer}
      initial:
        uses: model/init
        inputs: {tokenizer: tokenizer.tokenizer}
        with: {hidden_size: 32, intermediate_size: 64, num_hidden_layers: 2, num_attention_heads: 2, max_position_embeddings: 64}
      tuned:
        uses: train/sft
        inputs: {model: initial.model, data: tokens.tokens}
        with: {learning_rate: 1.0e-3, max_steps: "${steps}", per_device_train_batch_size: 32, save_steps: 100}
      scores:
        uses: evaluate
        inputs: {model: tuned.model, suite: data.heldout}
    """

  /// What the training gives where nobody disturbs it.
  private static let undisturbed = Result { () throws -> [String: [String]] in
    let bench = try Bench(training)
    #expect(try bench.run("here").finished.status == 0)
    return try bench.answers("here")
  }

  /// Runs on Slurm and, once the training is under way, has it disturbed.
  ///
  /// - Parameter disturb: is given the job that trains; says whether the runner is waited for.
  private func train(_ disturb: (Running, Cluster.Job, Bench) throws -> Void) throws -> (bench: Bench, first: Program.Finished) {
    let bench = try Bench(Self.training)
    let running = try bench.start("there", "--executor", "slurm", variables: cluster.variables)
    var job: Cluster.Job?
    // A checkpoint of the training says that its job is in the midst of it.
    try cluster.until("the training writes a checkpoint") {
      let works = try? FileManager.default.contentsOfDirectory(atPath: "\(bench.root)/there/work")
      return (works ?? []).contains { work in
        !((try? FileManager.default.contentsOfDirectory(atPath: "\(bench.root)/there/work/\(work)/checkpoint")) ?? []).isEmpty
      }
    }
    job = try cluster.jobs(named: "heirloom-" + bench.lastRun("there")).first { $0.state == "RUNNING" }
    try disturb(running, try #require(job), bench)
    return (bench, try running.finish())
  }

  /// What an undisturbed run gives, by so many jobs.
  private func expectSameBytes(_ bench: Bench, jobs count: Int) throws {
    #expect(try jobs(bench).count == count)
    let answers = try bench.answers("there")
    #expect(try Self.undisturbed.get() == answers)
  }

  /// The next run does the rest.
  private func goOn(_ bench: Bench, jobs count: Int) throws {
    let second = try bench.run("there", "--executor", "slurm", variables: cluster.variables)
    #expect(second.finished.status == 0, "\(second.finished.errors.suffix(2000))")
    try expectSameBytes(bench, jobs: count)
  }

  /// Jobs of all of a store's runs, by Slurm's count.
  private func jobs(_ bench: Bench, _ store: String = "there") throws -> [Cluster.Job] {
    let runs = (try? FileManager.default.contentsOfDirectory(atPath: "\(bench.root)/\(store)/runs")) ?? []
    return try runs.flatMap { try cluster.jobs(named: "heirloom-" + $0) }
  }

  @Test("a runner that is killed leaves its jobs, and the next one adopts them and submits none twice")
  func runnerKilled() throws {
    let (bench, first) = try train { running, _, _ in running.signal(SIGKILL) }
    #expect(first.status == -SIGKILL)
    try goOn(bench, jobs: 6)
  }

  @Test("a runner that is killed while sbatch waits for the controller: the job comes all the same, and nothing is submitted twice")
  func killedWhileSubmitting() throws {
    let (bench, first) = try train { running, _, _ in
      try cluster.verb("stop-controller")
      // For what hangs on the training, once that is done.
      var sbatch = ""
      try cluster.until("sbatch waits") {
        sbatch = try cluster.ask("pgrep", "-x", "-P", "\(running.identifier)", "sbatch")
        return !sbatch.isEmpty
      }
      running.signal(SIGKILL)
      #expect(try cluster.ask("ps", "-o", "comm=", "-p", sbatch) == "sbatch")
    }
    #expect(first.status == -SIGKILL)
    try cluster.verb("start-controller")
    try goOn(bench, jobs: 6)
  }

  @Test("a job that somebody takes back fails that run alone, and the next goes on from the checkpoint")
  func cancelledByAnAdministrator() throws {
    let (bench, first) = try train { _, job, _ in try cluster.ask("scancel", job.id) }
    #expect(first.status == 1 || first.status == 130)
    #expect(first.errors.contains("cancelled"))
    try goOn(bench, jobs: 7)
  }

  @Test("a job that is requeued goes on under its own number, to the same bytes")
  func requeued() throws {
    let (bench, first) = try train { _, job, _ in try cluster.ask("scontrol", "requeue", job.id) }
    #expect(first.status == 0, "\(first.errors.suffix(2000))")
    try expectSameBytes(bench, jobs: 6)
  }

  @Test("the controller may be started anew in the midst of a run")
  func controllerRestarted() throws {
    let (bench, first) = try train { _, _, _ in
      try cluster.verb("restart-controller")
    }
    #expect(first.status == 0, "\(first.errors.suffix(2000))")
    try expectSameBytes(bench, jobs: 6)
  }

  @Test("a job whose nodes more urgent work wants leaves a checkpoint, and goes on under its own number")
  func preempted() throws {
    let (bench, first) = try train { _, _, _ in
      try cluster.ask("sbatch", "--partition=urgent", "--nodes=2", "--exclusive", "--output=/dev/null", "--wrap=sleep 1")
    }
    #expect(first.status == 0, "\(first.errors.suffix(2000))")
    try expectSameBytes(bench, jobs: 6)
  }

  @Test("a graph that is handed over is worked off without a runner, to the same bytes")
  func handedOver() throws {
    let bench = try Bench(Self.training)
    let words = bench.words("run", store: "there", ["--executor", "slurm", "--submit"])
    let submitted = try Program.run(words, in: bench.root, cluster.variables)
    #expect(submitted.status == 0, "\(submitted.errors)")
    let run = try bench.lastRun("there")
    try cluster.until("the jobs are done") {
      let jobs = try cluster.jobs(named: "heirloom-" + run)
      return jobs.count == 6 && jobs.allSatisfy { $0.state == "COMPLETED" }
    }
    let status = try Program.run(["status", "--store", "there"], in: bench.root, cluster.variables)
    #expect(status.status == 0 && status.output.contains("done"))
    try expectSameBytes(bench, jobs: 6)
    let again = try bench.run("there")
    #expect(again.ran == [] && again.finished.status == 0)
  }

  /// Slurm looks at limits every half minute, so the training of the base model has to last longer.
  @Test(
    "trainings whose time is up leave checkpoints and go on under their own numbers, as often as it takes",
    .enabled(if: ProcessInfo.processInfo.environment["HEIRLOOM_TEST_SLOW"] != nil))
  func timeLimit() throws {
    let bench = try Bench("pipelines/continual-small.yaml", ["--profile", "smoke", "--set", "base_steps=2000"])
    #expect(try bench.run("here").finished.status == 0)
    let sites = bench.root + "/config/heirloom/sites"
    try FileManager.default.createDirectory(atPath: sites, withIntermediateDirectories: true)
    try Data("executor: slurm\ndefaults: {time: 1m, lead: 30s}\n".utf8).write(to: URL(fileURLWithPath: sites + "/default.yaml"))
    let variables = cluster.variables.merging(["XDG_CONFIG_HOME": bench.root + "/config"]) { $1 }
    let tally = try bench.run("there", variables: variables)
    #expect(tally.finished.status == 0, "\(tally.finished.errors.suffix(2000))")
    #expect(tally.finished.errors.contains("goes on later"))
    let answers = try bench.answers("here")
    #expect(try jobs(bench).count == answers.count)
    #expect(try bench.answers("there") == answers)
  }
}
