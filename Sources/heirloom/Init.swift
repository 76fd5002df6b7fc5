import ArgumentParser
import Foundation

/// `heirloom init [DIRECTORY]`: a manifest and a contract of one's own to start from; both run as they are.
struct Init: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Write a manifest and a stage contract to start from.")

  @Argument(help: "Where to write them; it is created where missing.")
  var directory = "."

  func run() throws {
    let files = InitialFiles.all.map { (path: directory + "/" + $0.path, text: $0.text) }
    if let taken = files.first(where: { FileManager.default.fileExists(atPath: $0.path) }) {
      throw CommandFailure.usage("\(taken.path) is there already; nothing was written")
    }
    do {
      for file in files {
        let folder = (file.path as NSString).deletingLastPathComponent
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try file.text.write(toFile: file.path, atomically: true, encoding: .utf8)
      }
    } catch {
      throw CommandFailure.usage("\(directory) cannot be written: \(error.localizedDescription)")
    }
    for file in files { print(file.path) }
    print("Try it:  heirloom run \(files[0].path)")
  }
}

/// What `init` writes: a recipe of one native stage and one command, and the command's contract.
enum InitialFiles {
  static let all = [
    (path: "recipe.yaml", text: recipe), (path: "stages/lines/count.yaml", text: contract), (path: "stages/lines/count.sh", text: script),
  ]

  private static let recipe = """
    heirloom: 1
    name: first
    description: Problems of two families, and how many there are of each.

    params:
      seed: 17
      tasks: [addition, reverse]

    stages:
      data:
        uses: data/tasks
        matrix: {task: "${tasks}"}
        with: {task: "${task}", train: 64, heldout: 16, seed: "${seed}"}

      counted:
        uses: lines/count
        matrix: {task: "${tasks}"}
        inputs: {records: "data[${task}].train"}
        with: {label: "${task}"}

    """

  private static let contract = """
    stage: lines/count
    version: 1
    summary: How many lines a file has.
    inputs:
      records: {type: dataset}
    outputs:
      count: {type: report}
    params:
      label: {type: string, default: lines, doc: "stands before the number"}
    run:
      command: [sh, "${stage.dir}/count.sh", "${params.label}", "${inputs.records}", "${outputs.count}"]
      sources: [count.sh]

    """

  private static let script = """
    # count.sh LABEL INPUT OUTPUT
    printf '%s: %s\\n' "$1" "$(wc -l < "$2")" > "$3"

    """
}
