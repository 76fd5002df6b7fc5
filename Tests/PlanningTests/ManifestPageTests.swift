import Diagnostics
import Foundation
import Planning
import Testing

/// The page about the language is true: every whole manifest on it is sound with the stages that ship.
struct ManifestPageTests {
  static let root = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")

  /// The manifests on the page, by the name they give themselves.
  static func manifests() throws -> [(name: String, text: String)] {
    let page = try String(contentsOfFile: root + "/docs/manifest.md", encoding: .utf8)
    let blocks = page.components(separatedBy: "```yaml\n").dropFirst().compactMap { $0.components(separatedBy: "```").first }
    return blocks.filter { $0.hasPrefix("heirloom: 1\n") }.map { block in
      let name = block.split(separator: "\n").first { $0.hasPrefix("name: ") }?.dropFirst(6)
      return (String(name ?? ""), block)
    }
  }

  /// The project's own files, with the page's manifests beside its recipes.
  static func environment(_ manifests: [(name: String, text: String)]) -> PlanningEnvironment {
    let disk = ProjectFiles.disk
    let texts = Dictionary(uniqueKeysWithValues: manifests.map { ("\(root)/pipelines/\($0.name).yaml", $0.text) })
    let sources = ["\(root)/pipelines/models/smollm2", "\(root)/pipelines/models/small"]
    let files = ProjectFiles(
      read: { path, limit in texts[path].map { .success(Array($0.utf8)) } ?? disk.read(path, limit) },
      kind: { path in sources.contains(path) ? .directory : texts[path] != nil ? .file : disk.kind(path) }, list: disk.list)
    return PlanningEnvironment(workingDirectory: root, files: files)
  }

  static func graph(_ name: String, _ environment: PlanningEnvironment) -> InstanceGraph? {
    do throws(InvalidRecipe) {
      return try Recipe.load("pipelines/\(name).yaml", RecipeOptions(), environment).graph
    } catch {
      Issue.record("\(name):\n\(DiagnosticRenderer().render(error.diagnostics))")
      return nil
    }
  }

  @Test("every manifest on the page can be planned, and means what the page says")
  func examples() throws {
    let manifests = try Self.manifests()
    #expect(manifests.map(\.name) == ["first-steps", "sequence", "learn", "lessons"])
    let environment = Self.environment(manifests)
    for (name, _) in manifests where name != "learn" {
      guard let graph = Self.graph(name, environment) else { continue }
      switch name {
      case "sequence":
        #expect(try graph.instances(named: "sft[seed=1]").count == 15)
        #expect(try graph.instances(named: "sft[1,sort].scores[swap]").count == 1)
        #expect(try graph.instances(named: "sft.train").count == 6)
      case "lessons": #expect(GroupTests.sources(graph, "lessons[reverse].train", "model") == ["lessons[sort].train.model"])
      default: break
      }
    }
  }

  @Test("the page's matrix has the combinations that its comments say")
  func matrix() throws {
    let page = try String(contentsOfFile: Self.root + "/docs/manifest.md", encoding: .utf8)
    let block = try #require(
      page.components(separatedBy: "```yaml\n").first { $0.hasPrefix("    matrix:") }?.components(separatedBy: "```")[0])
    let data = "heirloom: 1\nstages:\n  data:\n    uses: data/tasks\n    with: {task: a, train: \"${steps}\"}\n" + block
    #expect(Project(data).diagnostics().map(\.text) == ["unknown name 'steps' in ${…}"])
    let sound = data.replacing("{rate: 3.0e-5, seed: 1}", with: "{rate: 3.0e-5, seed: 1, steps: 5}")
    let graph = try Project(sound).load().graph
    #expect(graph.instances.map(\.name) == ["data[1e-5,1]", "data[1e-5,2]", "data[0.0001,1]", "data[3e-5,1]"])
    #expect(graph.instances.map { $0.parameters["train"] } == [300, 300, 100, 5])
  }
}
