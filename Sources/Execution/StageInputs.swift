import Artifacts
import JSONValues
import Planning
import StageInterface

/// The inputs of one instance as paths, and what to compare them with when it is done.
struct StageInputs {
  private(set) var inputs: [StageOrder.Input] = []
  private(set) var sources: [(name: String, content: SourceContent)] = []
  private(set) var outputs: [(name: String, output: StoredOutput)] = []

  /// Sources are handed over where they lie, outputs as objects or directories of links. Throws `StageProblem` or `StoreError`.
  init(_ instance: StageInstance, judge: Judge) throws {
    for input in instance.inputs {
      let declaration = input.declaration
      var elements: [StageOrder.Element] = []
      for element in input.elements {
        let labels = declaration.labels ? JSONObject(element.labels.map { ($0.axis, $0.value) }) : nil
        let (path, digest) = try locate(element, declaration, judge)
        elements.append(StageOrder.Element(path: path, digest: digest, labels: labels))
      }
      let type = declaration.types.first?.rawValue ?? ArtifactType.file.rawValue
      inputs.append(StageOrder.Input(name: declaration.name, type: type, isList: declaration.isList, elements: elements))
    }
  }

  private mutating func locate(
    _ element: InputElement, _ declaration: InputDeclaration, _ judge: Judge
  ) throws -> (path: String, digest: String) {
    let name = declaration.name
    switch element.source {
    case .file(let path):
      guard let content = judge.content(ofSource: path) else { throw StageProblem("input \(name): cannot read \(path)") }
      sources.append((name, content))
      return (Self.handedOver(path, isDirectory: content.isDirectory, declaration), content.digest.text)
    case .output(let index, let outputName):
      let source = judge.graph.sourceName(element)
      guard let output = judge.result(index)?.output(outputName) else { throw StageProblem("input \(name): \(source) has no result") }
      guard let path = try judge.store.path(of: output) else {
        throw StageProblem("input \(name): the bytes of \(source) are gone from the store")
      }
      outputs.append((name, output))
      return (Self.handedOver(path, isDirectory: output.isDirectory, declaration), output.digest.text)
    }
  }

  /// A suite is taken where a dataset is asked for: then its records are handed over, for a dataset is one file.
  private static func handedOver(_ path: String, isDirectory: Bool, _ declaration: InputDeclaration) -> String {
    isDirectory && !declaration.types.contains(where: \.isDirectory) ? path + "/records.jsonl" : path
  }
}
