import Testing

/// What should have happened to whom in a step; instances that are not named must not appear at all.
struct Expectation {
  var ran: Set<String> = []
  var cached: Set<String> = []
  var failed: Set<String> = []
  var skipped: Set<String> = []

  static func ran(_ names: String...) -> Expectation { Expectation().adding(\.ran, names) }
  static func cached(_ names: String...) -> Expectation { Expectation().adding(\.cached, names) }
  static func failed(_ names: String...) -> Expectation { Expectation().adding(\.failed, names) }

  func ran(_ names: String...) -> Expectation { adding(\.ran, names) }
  func cached(_ names: String...) -> Expectation { adding(\.cached, names) }
  func failed(_ names: String...) -> Expectation { adding(\.failed, names) }
  func skipped(_ names: String...) -> Expectation { adding(\.skipped, names) }

  private func adding(_ place: WritableKeyPath<Expectation, Set<String>>, _ names: [String]) -> Expectation {
    var copy = self
    copy[keyPath: place].formUnion(names)
    return copy
  }
}

/// A change somebody makes between two runs.
struct Edit {
  let make: (TestProject) throws -> Void

  static func manifest(_ text: String) -> Edit { Edit { try $0.write("recipe.yaml", text) } }
  static func write(_ path: String, _ text: String) -> Edit { Edit { try $0.write(path, text) } }
  static func replace(_ old: String, _ new: String, in path: String = "recipe.yaml") -> Edit {
    Edit { project in
      let text = try #require(project.read(path))
      try #require(text.contains(old))
      try project.write(path, text.replacing(old, with: new))
    }
  }
}

/// One run in a story: edits, then the run, then who ran and who did not.
struct Step {
  let name: String
  let edits: [Edit]
  let sets: [String]
  let expectation: Expectation

  init(_ name: String, _ edits: Edit..., set: [String] = [], expect: Expectation) {
    self.name = name
    self.edits = edits
    sets = set
    expectation = expect
  }
}

@resultBuilder
enum StoryBuilder {
  static func buildBlock(_ steps: Step...) -> [Step] { steps }
}

/// Runs the steps one after the other in one project.
func story(_ manifest: String, @StoryBuilder _ steps: () -> [Step]) throws {
  let project = try TestProject()
  try project.write("recipe.yaml", manifest)
  for step in steps() {
    for edit in step.edits { try edit.make(project) }
    let happening = try project.run(sets: step.sets)
    #expect(Set(happening.ran) == step.expectation.ran, "ran in '\(step.name)'")
    #expect(Set(happening.cached) == step.expectation.cached, "cached in '\(step.name)'")
    #expect(Set(happening.failed) == step.expectation.failed, "failed in '\(step.name)'")
    #expect(Set(happening.skipped) == step.expectation.skipped, "skipped in '\(step.name)'")
  }
}
