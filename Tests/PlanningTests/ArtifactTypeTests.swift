import Planning
import Testing

struct ArtifactTypeTests {
  @Test(
    "an input takes its own type, a suite for a dataset, and what is more particular than a file or a directory",
    arguments: [
      (ArtifactType.model, ArtifactType.model, true), (.model, .adapter, false), (.dataset, .suite, true), (.suite, .dataset, false),
      (.file, .dataset, true), (.file, .model, false), (.directory, .tokens, true), (.directory, .scores, false), (.dataset, .file, false),
      (.any, .model, true), (.any, .json, true), (.json, .scores, false),
    ])
  func accepts(input: ArtifactType, output: ArtifactType, expected: Bool) {
    #expect(input.accepts(output) == expected)
  }

  @Test("an input may name several types")
  func several() {
    let declaration = InputDeclaration(name: "source", types: [.model, .file])
    #expect(declaration.accepts(.model) && declaration.accepts(.scores) && !declaration.accepts(.tokens))
  }
}
