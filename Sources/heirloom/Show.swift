import ArgumentParser
import Execution
import JSONValues

/// `heirloom show INSTANCE[.OUTPUT]`: where a result lies, its digest, and what made it.
struct Show: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Show a result: where it lies, its digest, and what made it.")

  @Argument(help: "INSTANCE or INSTANCE.OUTPUT: 'tuned[0.001].model'.") var what: String
  @OptionGroup var which: RunChoiceArguments
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    let queries = try which.queries()
    let (name, outputName) = try queries.parse(what, in: which.choice)
    let finding = try queries.find(name, in: which.choice)
    if let outputName {
      let output = finding.json(try queries.output(outputName, of: finding))
      return json ? Terminal.say(output.encoded(pretty: true)) : lines(output)
    }
    if json { return Terminal.say(finding.json.encoded(pretty: true)) }
    Terminal.say("\(finding.instance.name)  \(finding.instance.stage)  \(finding.instance.state)")
    for output in finding.json["outputs"]?.arrayValue ?? [] {
      Terminal.say("")
      lines(output)
    }
    for (title, members) in [("parameters", finding.instance.parameters), ("metrics", finding.json["metrics"]?.objectValue)] {
      guard let members, !members.isEmpty else { continue }
      Terminal.say("\n\(title)")
      for member in members.members { Terminal.say("  \(member.key)  \(member.value.encoded())") }
    }
    for warning in finding.json["warnings"]?.arrayValue ?? [] { Terminal.say("\nwarning  " + (warning.stringValue ?? "")) }
    if !finding.instance.needs.isEmpty { Terminal.say("\nmade from  " + finding.instance.needs.joined(separator: ", ")) }
  }

  private func lines(_ output: JSONValue) {
    for member in output.objectValue?.members ?? [] {
      let name = member.key + String(repeating: " ", count: max(1, 8 - member.key.count))
      Terminal.say(name + (member.value.stringValue ?? (member.value.isNull ? "not in the store" : member.value.encoded())))
    }
  }
}
