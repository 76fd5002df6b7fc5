import Foundation
import JSONValues
import Testing

/// What goes wrong from end to end: one located error, the documented exit status, earlier results as they were.
@Suite("Failures from the command line") struct FailureTests {
  @Test("a wrong manifest: status 2, every error with its place, nothing on standard output, no store")
  func manifests() throws {
    let project = try Project()
    try project.edit("recipe.yaml", "learning_rate: \"${learning_rate}\"", "learning_rat: \"${learning_rate}\"")
    try project.edit("recipe.yaml", "suite: data.heldout}", "suite: dat.heldout}")
    for words in [["check", "recipe.yaml"], ["plan", "recipe.yaml"], ["run", "recipe.yaml"]] {
      let wrong = try Program.run(words, in: project.root)
      #expect(wrong.status == 2 && wrong.output == "")
      #expect(
        wrong.errors == """
          recipe.yaml:35:12: error: unknown parameter 'learning_rat' of train/sft; did you mean 'learning_rate'?
              with: {learning_rat: "${learning_rate}", max_steps: "${steps}", per_device_train_batch_size: 32, save_steps: 7}
                     ^~~~~~~~~~~~
          recipe.yaml:46:56: error: unknown stage 'dat' in a reference; did you mean 'data'?
              inputs: {model: "averaged[${alpha}].model", suite: dat.heldout}
                                                                 ^~~~~~~~~~~

          """)
    }
    #expect(!FileManager.default.fileExists(atPath: project.root + "/artifacts"))
  }

  @Test("a wrong command line: status 2, one message on standard error")
  func usage() throws {
    let project = try Project()
    let cases: [([String], String)] = [
      (["run"], "Error: Missing expected argument '<manifest>'"),
      (["run", "nothing.yaml"], "error: cannot read nothing.yaml: No such file or directory"),
      (["run", "recipe.yaml", "--jobs", "0"], "Error: --jobs must be at least 1, not 0"),
      (["plan", "recipe.yaml", "tunde"], "error: the recipe has no instance 'tunde'; did you mean 'tuned'?"),
      (["run", "recipe.yaml", "--set", "stepps=3"], "--set stepps=3: error: unknown param 'stepps'; did you mean 'steps'?"),
      (["run", "recipe.yaml", "--set", "steps"], "--set steps: error: expected NAME=VALUE after --set, found 'steps'"),
      (["check", "recipe.yaml", "--profile", "small"], "--profile small: error: unknown profile 'small'"),
      (["show", "tuned"], "error: nothing has been run in this store yet: ROOT/artifacts"),
      (["frobnicate"], "Error: Unexpected argument 'frobnicate'"),
      (
        ["run", "recipe.yaml", "--progress", "loud"],
        "Error: The value 'loud' is invalid for '--progress <progress>'. Please provide one of 'auto', 'plain', 'json' or 'none'."
      ),
    ]
    for (words, message) in cases {
      let wrong = try Program.run(words, in: project.root)
      #expect(wrong.status == 2 && wrong.output == "", "\(words)")
      // What follows is the argument parser's help.
      let first = wrong.errors.replacingOccurrences(of: project.root, with: "ROOT").split(separator: "\n").first.map(String.init)
      #expect(first == message, "\(words)")
    }
  }

  @Test("a source that is not there: status 2; a malformed record: status 1 with file and line; then all is well again")
  func sources() throws {
    let project = try Project()
    let good = try project.read("records.jsonl")
    try FileManager.default.removeItem(atPath: project.root + "/records.jsonl")
    let missing = try project.heirloom("run", "recipe.yaml")
    #expect(missing.status == 2)
    #expect(
      missing.errors == """
        recipe.yaml:11:22: error: no such file or directory: ./records.jsonl
            inputs: {source: ./records.jsonl}
                             ^~~~~~~~~~~~~~~

        """)

    try project.write("records.jsonl", good + #"{"prompt":"#)
    let malformed = try project.run("--keep-going")
    #expect(malformed.finished.status == 1)
    #expect(malformed.ran == ["data"] && malformed.instances("failed") == ["records"])
    let failed = malformed.all.first { $0["kind"] == "failed" }
    #expect(
      failed?["log_tail"] == [
        .string("error: \(project.root)/records.jsonl:13: not valid JSON at column 11: the text ends where a value should stand")
      ])
    #expect(malformed.instances("skipped").count == 8)

    try project.write("records.jsonl", good)
    let mended = try project.run()
    #expect(mended.finished.status == 0 && mended.cached == ["data"])
  }

  @Test("a command that fails, and one that is missing: status 1 with the end of its log; earlier results stay")
  func commands() throws {
    let project = try Project(
      manifest: """
        heirloom: 1
        name: tiny
        stages:
          data: {uses: data/tasks, with: {task: copy, train: 8, heldout: 2}}
          fails: {uses: shell, inputs: {data: data.train}, with: {script: "echo one; echo two >&2; exit 3"}}
          after: {uses: shell, inputs: {data: fails.out}, with: {script: "cp \\"$1\\" \\"$2\\""}}

        """)
    try project.write(
      "stages/shell.yaml",
      """
      stage: shell
      version: 1
      summary: Runs a script.
      inputs: {data: {type: dataset}}
      outputs: {out: {type: dataset}}
      params: {script: {type: string}}
      run: {command: [sh, -c, "${params.script}", sh, "${inputs.data}", "${outputs.out}"]}

      """)
    let failed = try project.heirloom("run", "recipe.yaml", "--progress", "plain")
    #expect(failed.status == 1 && failed.output == "")
    let lines = failed.errors.split(separator: "\n").map {
      $0.replacing(/\ +[0-9.]+ s$/, with: "").replacing(project.root, with: "ROOT").replacing(/[0-9a-f]{64}/, with: "KEY")
    }
    #expect(
      lines == [
        "started   data  (never run)", "finished  data", "started   fails  (never run)", "failed    fails  exited with status 3", "  | one",
        "  | two", "  log: ROOT/artifacts/work/KEY/log.txt", "skipped   after  needs fails", "1 ran, 1 failed, 1 skipped in",
      ])
    #expect(
      try project.plan() == [
        "cached  data", "run     fails  never run", "waits   after  input data waits for fails.out",
        "3 instances: 1 run, 1 waits, 1 cached",
      ])
    let log = try project.heirloom("log", "fails")
    #expect(log.output == "one\ntwo\n" && log.status == 0)

    try project.edit("stages/shell.yaml", "[sh, -c,", "[no-such-program, -c,")
    let missing = try project.run("fails")
    #expect(missing.finished.status == 1 && missing.cached == ["data"])
    #expect(missing.all.first { $0["kind"] == "failed" }?["error"] == "command not found: no-such-program")
  }

  @Test("an output that is not what the manifest pins fails the stage and stores nothing")
  func pinned() throws {
    let digest = "sha256:" + String(repeating: "0", count: 64)
    let project = try Project()
    try project.edit("recipe.yaml", "    uses: data/tasks\n", "    uses: data/tasks\n    expect: {train: \"\(digest)\"}\n")
    let run = try project.run("data")
    #expect(run.finished.status == 1 && run.ran == [])
    let error = run.all.first { $0["kind"] == "failed" }?["error"]?.stringValue?.replacing(/sha256:[1-9a-f][0-9a-f]+/, with: "DIGEST")
    #expect(error == "output train is DIGEST, expected \(digest); nothing was stored")
    #expect(try project.plan("data") == ["run     data  never run", "1 instances: 1 run"])
  }

  @Test("a store that cannot be written: status 3")
  func store() throws {
    let project = try Project()
    let run = try project.heirloom("run", "recipe.yaml", "--store", "records.jsonl/store")
    #expect(run.status == 3 && run.output == "")
    #expect(run.errors == "error: \(project.root)/records.jsonl/store/objects: cannot make directory: Not a directory\n")
    try project.write("artifacts/format", "something else\n")
    let foreign = try project.heirloom("run", "recipe.yaml")
    #expect(foreign.status == 3 && foreign.output == "")
    #expect(foreign.errors == "error: \(project.root)/artifacts/format: this store was written by another version of Heirloom\n")
  }
}
