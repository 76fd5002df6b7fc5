import Glibc
import Planning
import Testing

struct SpeedTests {
  /// A thousand stages: a matrix of data, training on each, an evaluation of each, one table.
  static func manifest(_ tasks: Int) -> String {
    """
    heirloom: 1
    params: {tasks: [\((0..<tasks).map { "t\($0)" }.joined(separator: ", "))]}
    stages:
      base: {uses: model/import, inputs: {source: ./base}}
      data: {uses: data/tasks, matrix: {task: "${tasks}"}, with: {task: "${task}"}}
      tokens: {uses: tokenize, matrix: {task: "${tasks}"}, inputs: {data: "data[${task}].train", tokenizer: base.tokenizer}}
      sft:
        uses: train/sft
        matrix: {task: "${tasks}"}
        inputs: {model: base.model, data: "tokens[${task}].tokens"}
        with: {learning_rate: 2e-5, tag: "${task}", lora: {r: 8}}
      scores: {uses: evaluate, matrix: {task: "${tasks}"}, inputs: {model: "sft[${task}].model", suite: "data[${task}].heldout"}}
      table: {uses: report, inputs: {scores: "scores[*].scores"}}
    """
  }

  /// The same as entries without a matrix.
  static func entries(_ count: Int) -> String {
    "heirloom: 1\nstages:\n" + (0..<count).map { "  d\($0):\n    uses: data/tasks\n    with: {task: t\($0), train: \($0 + 1)}\n" }.joined()
  }

  /// The same work in groups: sequences of ten steps, each with its data, its training and its evaluations.
  static func groups(_ instances: Int) -> String {
    """
    heirloom: 1
    params: {seeds: [\((0..<instances / 40).map(String.init).joined(separator: ", "))], tasks: [a, b, c, d, e, f, g, h, i, j]}
    stages:
      base: {uses: model/import, inputs: {source: ./base}}
      m:
        matrix: {seed: "${seeds}"}
        scan: {task: "${tasks}"}
        carry: {model: base.model}
        stages:
          data: {uses: data/tasks, with: {task: "${task}", seed: "${seed}"}}
          tokens: {uses: tokenize, inputs: {data: data.train, tokenizer: base.tokenizer}}
          train: {uses: train/sft, inputs: {model: carry.model, data: tokens.tokens}, with: {tag: "${task}"}}
          scores: {uses: evaluate, inputs: {model: train.model, suite: "m[${seed},${task}].data.heldout"}}
        then: {model: train.model}
      table: {uses: report, inputs: {scores: "m[*].scores.scores"}}
    """
  }

  /// Milliseconds of this thread's own work: other tests run beside it.
  static func milliseconds(_ body: () throws -> Void) rethrows -> Double {
    func now() -> Double {
      var time = timespec()
      clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
      return Double(time.tv_sec) * 1e3 + Double(time.tv_nsec) / 1e6
    }
    let start = now()
    try body()
    return now() - start
  }

  @Test("a thousand instances expand and key within 50 ms, ten thousand within half a second", arguments: [(250, 50), (2500, 500)])
  func speed(tasks: Int, limit: Double) throws {
    for yaml in [Self.manifest(tasks), Self.entries(tasks * 4), Self.groups(tasks * 4)] {
      let project = Project(yaml, sources: ["base/config.json"])
      var best = Double.infinity
      for _ in 0..<3 {
        let time = try Self.milliseconds {
          let graph = try project.load().graph
          #expect(Project.keys(graph).count >= tasks * 4)
        }
        best = min(best, time)
      }
      #expect(best < limit, "\(best) ms")
    }
  }
}
