import Datasets
import JSONValues

/// The scores of a report on forgetting, put where they belong by their axis values: method, seed, step and suite. Whatever cannot be
/// paired or placed is refused, with the input and the labels of the score. It computes nothing.
package struct ForgettingScores: Sendable {
  /// Which axis tells what; all others name the method.
  package struct Axes: Sendable {
    package var step = "task"
    package var suite = "suite"
    package var seed = "seed"

    package init(step: String = "task", suite: String = "suite", seed: String = "seed") {
      (self.step, self.suite, self.seed) = (step, suite, seed)
    }
  }

  /// What the report is handed, as it was listed.
  package struct Lists: Sendable {
    package var base: [SuiteScores]
    package var steps: [SuiteScores]
    package var joint: [SuiteScores] = []
    package var general: [SuiteScores] = []
    package var generalBase: [SuiteScores] = []

    package init(
      base: [SuiteScores], steps: [SuiteScores], joint: [SuiteScores] = [], general: [SuiteScores] = [], generalBase: [SuiteScores] = []
    ) {
      (self.base, self.steps, self.joint) = (base, steps, joint)
      (self.general, self.generalBase) = (general, generalBase)
    }
  }

  /// A general suite in one run.
  package struct General: Sendable {
    package let base: SuiteScores
    /// By step, T of them; nil where not evaluated.
    package var after: [SuiteScores?]
  }

  /// One seed of a method.
  package struct Run: Sendable {
    /// Nil where there is no seed axis.
    package let seed: SuiteScores.Label?
    /// T + 1 rows of T; row 0 is the base.
    package var cells: [[SuiteScores?]]
    /// By task; nil where the joint run was not evaluated.
    package var joint: [SuiteScores?]
    package var general: [General] = []
  }

  package struct Method: Sendable {
    package var name: String
    package let labels: [SuiteScores.Label]
    /// In the order of the steps.
    package let tasks: [String]
    package var runs: [Run]
  }

  package private(set) var methods: [Method] = []
  package let hasJoint: Bool
  private let axes: Axes

  package init(_ lists: Lists, axes: Axes) throws(DatasetError) {
    self.axes = axes
    hasJoint = !lists.joint.isEmpty
    for (input, list) in [("base", lists.base), ("joint", lists.joint), ("general_base", lists.generalBase)] {
      try isOneModel(list, input)
    }
    for (input, list) in [
      ("base", lists.base), ("steps", lists.steps), ("joint", lists.joint), ("general", lists.general), ("general_base", lists.generalBase),
    ] {
      try isWithoutDoubles(list, input)
    }
    for score in lists.steps { try group(score) }
    for index in methods.indices {
      try place(lists.steps, in: index)
      try addReferences(lists, to: index)
    }
    for score in lists.joint where !methods.contains(where: { $0.tasks.contains { same($0, score.suite) } }) {
      throw fault("joint", score, "suite '\(score.suite)' is no task of 'steps'")
    }
    for score in lists.general { try place(general: score, lists) }
    nameMethods()
  }

  // MARK: - Methods and their steps

  private func methodLabels(_ score: SuiteScores) -> [SuiteScores.Label] {
    score.labels.filter { label in ![axes.step, axes.suite, axes.seed].contains { same($0, label.axis) } }
  }

  /// Makes place for a score: its method, its seed. Tasks are found later, from the order of the steps.
  private mutating func group(_ score: SuiteScores) throws(DatasetError) {
    guard score.label(axes.step) != nil else {
      throw fault("steps", score, "has no axis '\(axes.step)'; the parameter step_axis says which axis tells the steps apart")
    }
    let labels = methodLabels(score)
    if !methods.contains(where: { $0.labels == labels }) { methods.append(Method(name: "", labels: labels, tasks: [], runs: [])) }
  }

  private mutating func place(_ scores: [SuiteScores], in index: Int) throws(DatasetError) {
    let own = scores.filter { methodLabels($0) == methods[index].labels }
    var seeds: [SuiteScores.Label?] = []
    for score in own where !seeds.contains(score.label(axes.seed)) { seeds.append(score.label(axes.seed)) }
    var tasks: [String] = []
    var runs: [Run] = []
    for seed in seeds {
      let ofSeed = own.filter { $0.label(axes.seed) == seed }
      var steps: [String] = []
      for name in ofSeed.compactMap({ $0.label(axes.step)?.name }) where !steps.contains(where: { same($0, name) }) { steps.append(name) }
      if seed == seeds[0] { tasks = steps }
      guard steps.count == tasks.count, zip(steps, tasks).allSatisfy({ same($0, $1) }) else {
        throw fault("steps", ofSeed[0], "its steps are \(list(steps)), those of another seed of the method \(list(tasks))")
      }
      var cells = [[SuiteScores?]](repeating: Array(repeating: nil, count: tasks.count), count: tasks.count + 1)
      for score in ofSeed {
        guard let step = score.label(axes.step)?.name, let row = tasks.firstIndex(where: { same($0, step) }) else { continue }
        guard let column = tasks.firstIndex(where: { same($0, score.suite) }) else {
          throw fault(
            "steps", score,
            "suite '\(score.suite)' is none of the tasks (\(list(tasks))); scores of general suites belong under 'general'")
        }
        guard score.isShare, score.isHigherBetter else {
          throw fault("steps", score, "a task is scored in points, not by \(score.metric); such a suite belongs under 'general'")
        }
        guard cells[row + 1][column] == nil else {
          throw fault("steps", score, "is a second score of the same model on suite '\(score.suite)'")
        }
        cells[row + 1][column] = score
      }
      runs.append(Run(seed: seed, cells: cells, joint: Array(repeating: nil, count: tasks.count)))
    }
    methods[index] = Method(name: "", labels: methods[index].labels, tasks: tasks, runs: runs)
  }

  // MARK: - Base and joint

  private mutating func addReferences(_ lists: Lists, to index: Int) throws(DatasetError) {
    for (column, task) in methods[index].tasks.enumerated() {
      for run in methods[index].runs.indices {
        let seed = methods[index].runs[run].seed
        let base = try base(of: task, seed, lists.base, "base")
        methods[index].runs[run].cells[0][column] = base
        for case let score? in methods[index].runs[run].cells.dropFirst().map({ $0[column] }) { try pairs(score, base, "steps") }
        guard let joint = find(task, seed, in: lists.joint) else { continue }
        try pairs(joint, base, "joint")
        methods[index].runs[run].joint[column] = joint
      }
    }
  }

  /// Of that seed, or of all seeds where the list has no seed axis.
  private func find(_ suite: String, _ seed: SuiteScores.Label?, in scores: [SuiteScores]) -> SuiteScores? {
    scores.first { score in
      let own = score.label(axes.seed)
      return same(score.suite, suite) && (own == nil || own == seed)
    }
  }

  private func base(
    of suite: String, _ seed: SuiteScores.Label?, _ scores: [SuiteScores], _ input: String
  ) throws(DatasetError) -> SuiteScores {
    if let score = find(suite, seed, in: scores) { return score }
    throw DatasetError("there is no score of suite '\(suite)'\(seed.map { " for \($0.axis) \($0.name)" } ?? "")", file: "input \(input)")
  }

  private func pairs(_ score: SuiteScores, _ base: SuiteScores, _ input: String) throws(DatasetError) {
    guard same(score.metric, base.metric), score.isHigherBetter == base.isHigherBetter else {
      throw fault(input, score, "is scored by \(score.metric), the base by \(base.metric)")
    }
    guard same(score.records, base.records), score.perRecord.count == base.perRecord.count else {
      throw fault(input, score, "has other records than the base's, so they cannot be compared")
    }
  }

  // MARK: - General suites

  private mutating func place(general score: SuiteScores, _ lists: Lists) throws(DatasetError) {
    let labels = methodLabels(score)
    guard let index = methods.firstIndex(where: { $0.labels == labels }) else {
      throw fault("general", score, "is of no method that has steps")
    }
    let method = methods[index]
    guard let run = method.runs.firstIndex(where: { $0.seed == score.label(axes.seed) }) else {
      throw fault("general", score, "is of no seed that the method has steps of")
    }
    var step = method.tasks.count - 1
    if let name = score.label(axes.step)?.name {
      guard let found = method.tasks.firstIndex(where: { same($0, name) }) else {
        throw fault("general", score, "is of no step of the method (\(list(method.tasks)))")
      }
      step = found
    }
    var entries = method.runs[run].general
    let place: Int
    if let known = entries.firstIndex(where: { same($0.base.suite, score.suite) }) {
      place = known
    } else {
      let scores = lists.generalBase + lists.base
      let base = try base(of: score.suite, method.runs[run].seed, scores, lists.generalBase.isEmpty ? "base" : "general_base")
      entries.append(General(base: base, after: Array(repeating: nil, count: method.tasks.count)))
      place = entries.count - 1
    }
    try pairs(score, entries[place].base, "general")
    guard entries[place].after[step] == nil else {
      throw fault("general", score, "is a second score of the same suite after the same step")
    }
    entries[place].after[step] = score
    methods[index].runs[run].general = entries
  }

  // MARK: - Faults

  private func fault(_ input: String, _ score: SuiteScores, _ message: String) -> DatasetError {
    let labels = score.labels.map { "\($0.axis)=\($0.name)" }.joined(separator: ",")
    return DatasetError(message, file: "input \(input)" + (labels.isEmpty ? "" : " [\(labels)]"))
  }

  /// Axes beyond suite and seed may be there (a group of one method), but all scores have to have the same value of them.
  private func isOneModel(_ scores: [SuiteScores], _ input: String) throws(DatasetError) {
    func others(_ score: SuiteScores) -> [SuiteScores.Label] {
      score.labels.filter { !same($0.axis, axes.suite) && !same($0.axis, axes.seed) }
    }
    guard let first = scores.first.map(others) else { return }
    for score in scores {
      let own = others(score)
      guard own != first else { continue }
      let axis = (own + first).first { !own.contains($0) || !first.contains($0) }?.axis ?? ""
      throw fault(
        input, score,
        "differs from the first score in '\(axis)', which is neither the suite axis '\(axes.suite)' nor the seed axis '\(axes.seed)'")
    }
  }

  private func isWithoutDoubles(_ scores: [SuiteScores], _ input: String) throws(DatasetError) {
    var seen: Set<ByteString> = []
    for score in scores {
      let labels = score.labels.filter { !same($0.axis, axes.suite) }.map { "\($0.axis)=\($0.value.encoded())" }
      guard seen.insert(ByteString((labels + ["", score.suite]).joined(separator: "\n"))).inserted else {
        throw fault(input, score, "is a second score of the same model on suite '\(score.suite)'")
      }
    }
  }

  // MARK: - Names

  /// Strings by themselves, other values with their axis; all with their axes where that leaves two alike.
  private mutating func nameMethods() {
    let short = methods.map { method in
      method.labels.map { $0.value.stringValue ?? "\($0.axis) \($0.name)" }.joined(separator: ", ")
    }
    let areDistinct = Set(short.map(ByteString.init)).count == short.count
    for index in methods.indices {
      let long = methods[index].labels.map { "\($0.axis) \($0.name)" }.joined(separator: ", ")
      let name = areDistinct ? short[index] : long
      methods[index].name = name.isEmpty ? "model" : name
    }
  }

  private func list(_ names: [String]) -> String { names.joined(separator: ", ") }
}

private func same(_ left: String, _ right: String) -> Bool { left.utf8.elementsEqual(right.utf8) }
