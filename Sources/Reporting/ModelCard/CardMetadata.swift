import Diagnostics
import JSONValues

/// The YAML block at the head of a card: https://huggingface.co/docs/hub/model-cards#model-card-metadata
struct CardMetadata {
  struct Result {
    let suite: String
    let metric: String
    let value: Double
    let standardError: Double?
    let records: Int
  }

  let title: String
  let library: String
  let baseModel: String?
  let tags: [String]
  let results: [Result]

  init(_ subject: CardSubject, title: String, configuration: JSONValue?) {
    self.title = title
    library = subject.output.type == "adapter" ? "peft" : "transformers"
    baseModel = Self.baseModel(subject, configuration)
    tags = Self.tags(subject)
    results = subject.evaluations.map { row in
      Result(suite: row.suite, metric: row.metric, value: row.value, standardError: row.standardError, records: row.records)
    }
  }

  /// What the model says that it was made from, where that is no path of some machine; else the name of the directory or file that was imported.
  private static func baseModel(_ subject: CardSubject, _ configuration: JSONValue?) -> String? {
    for name in ["base_model_name_or_path", "_name_or_path"] {
      if let said = configuration?[name]?.stringValue, isHubName(said) { return said }
    }
    let sources = subject.steps.filter { $0.stage == "model/import" }.flatMap(\.inputs).flatMap(\.elements).compactMap(\.source)
    return sources.first.flatMap { source in
      source.split(separator: "/").last.map { String($0) }.flatMap { isHubName($0) ? $0 : nil }
    }
  }

  /// `name` or `owner/name` of letters, digits, `-`, `_` and `.`.
  private static func isHubName(_ text: String) -> Bool {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    return (1...2).contains(parts.count) && text.utf8.count <= 96
      && parts.allSatisfy { part in
        !part.isEmpty && part.first != "." && part.first != "-"
          && part.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
              UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
              true
            default: false
            }
          }
      }
  }

  /// What was done on the way, in words that the hub knows.
  private static func tags(_ subject: CardSubject) -> [String] {
    var tags = ["heirloom", "continual-learning"]
    func add(_ tag: String) { if !tags.contains(tag) { tags.append(tag) } }
    for row in subject.steps {
      switch row.stage {
      case "train/sft": add("sft")
      case "train/rft":
        add("reinforcement-learning")
        if let algorithm = row.parameters["algorithm"]?.stringValue { add(algorithm) }
      case "merge/lora": add("merge")
      default:
        if row.stage.hasPrefix("average/") {
          add("merge")
          add(String(row.stage.dropFirst("average/".count)))
        }
      }
      if row.parameters["peft_config"].map({ !$0.isNull }) ?? false || row.stage == "merge/lora" { add("lora") }
    }
    return tags
  }

  // MARK: - YAML

  /// Between lines of three hyphens, ended.
  var text: String {
    var lines = ["---", "library_name: \(library)", "pipeline_tag: text-generation"]
    if let baseModel { lines.append("base_model: \(Self.scalar(baseModel))") }
    lines.append("tags:")
    lines += tags.map { "- \(Self.scalar($0))" }
    if !results.isEmpty {
      lines += ["model-index:", "- name: \(Self.scalar(title))", "  results:"]
      for result in results { lines += Self.lines(result) }
    }
    return (lines + ["---"]).map { $0 + "\n" }.joined()
  }

  private static func lines(_ result: Result) -> [String] {
    var lines = [
      "  - task:", "      type: text-generation", "    dataset:", "      name: \(scalar(result.suite))",
      "      type: \(scalar("heirloom/\(result.suite)"))", "    metrics:", "    - type: \(scalar(result.metric))",
      "      value: \(JSONText.number(result.value))", "      name: \(scalar(result.metric))", "      args:",
      "        n: \(result.records)",
    ]
    if let error = result.standardError { lines.append("        stderr: \(JSONText.number(error))") }
    return lines
  }

  /// In double quotes: JSON's strings are YAML's, once nothing stands in them that YAML cannot print.
  private static func scalar(_ text: String) -> String { JSONValue.string(VisibleText.line(text)).encoded() }
}
