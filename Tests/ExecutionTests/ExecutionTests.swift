import Artifacts
import Execution
import Testing

/// One `script` stage named `s`; the script is given as a folded block, so it may hold any quotes.
func scriptManifest(_ script: String, _ rest: String = "") -> String {
  let lines = script.split(separator: "\n").map { "        \($0)" }.joined(separator: "\n")
  return "heirloom: 1\nname: test\nstages:\n  s:\n    uses: script\n    with:\n      script: |\n\(lines)\n\(rest)\n"
}

@Suite("Stages that go wrong, and what they may see")
struct ExecutionTests {
  private func project(_ manifest: String) throws -> TestProject {
    let project = try TestProject()
    try project.write("recipe.yaml", manifest)
    return project
  }

  @Test("a failing command: its status, the end of its log and the log's path; nothing that hangs on it runs")
  func failing() throws {
    let project = try project(
      scriptManifest(
        "echo first\necho 'the reason' >&2\nexit 3", "  after: {uses: upper, inputs: {text: s.out}}\n  other: {uses: say, with: {text: a}}")
    )
    let happening = try project.run { $0.keepGoing = true }
    let problem = try #require(happening.problems["s"])
    #expect(problem.message == "exited with status 3")
    #expect(problem.logTail == ["first", "the reason"])
    #expect(project.read(try #require(problem.logPath)) == "first\nthe reason\n")
    #expect(happening.skipped == ["after"])
    #expect(happening.ran == ["other"])
    #expect(happening.outcome?.exitStatus == 1)
  }

  @Test("what a stage warns of is shown by the run that made it, once, and kept with the result")
  func warnings() throws {
    let line = #"echo '{"kind":"warning","text":"half is missing"}' >> "$HEIRLOOM_EVENTS""#
    let project = try project(scriptManifest("\(line)\n\(line)\necho x > \"$out\""))
    #expect(try project.run().warnings == ["s: half is missing"])
    #expect(try project.run().warnings.isEmpty)
    let found = try StoreQueries(project.store).find("s", in: .latest)
    #expect(found.json["warnings"] == ["half is missing"])
  }

  @Test("an output that a parameter asks for is made, keyed and pinned only with it")
  func conditionalOutputs() throws {
    let project = try project("heirloom: 1\nname: test\nparams: {more: false}\nstages:\n  s: {uses: maybe, with: {more: \"${more}\"}}")
    try project.write(
      "stages/maybe.yaml",
      """
      stage: maybe
      version: 1
      outputs: {out: {type: file}, more: {type: file, when: more}}
      params: {more: {type: boolean, default: false}}
      run: {command: [sh, -c, 'echo a > "$1"; if [ -n "$2" ]; then echo b > "$2"; fi', x, "${outputs.out}", "${outputs.more}"]}
      """)
    #expect(try project.run().ran == ["s"])
    #expect(project.output("s", "more") == nil)
    #expect(try project.run(sets: ["more=true"]).ran == ["s"])
    #expect(project.output("s", "more") == "b\n")
    #expect(try project.run().cached == ["s"])
  }

  @Test("a missing command is named")
  func missingCommand() throws {
    let project = try project("heirloom: 1\nname: test\nstages:\n  s: {uses: absent}")
    try project.write(
      "stages/absent.yaml",
      "stage: absent\nversion: 1\nsummary: None.\noutputs: {out: {type: file}}\nrun: {command: [no-such-program, \"${outputs.out}\"]}\n")
    #expect(try project.run().problems["s"]?.message == "command not found: no-such-program")
  }

  @Test("a version command is in the key, and one that fails is named")
  func versions() throws {
    let project = try project("heirloom: 1\nname: test\nstages:\n  s: {uses: versioned}")
    let contract =
      "stage: versioned\nversion: 1\nsummary: None.\noutputs: {out: {type: file}}\nrun:\n  command: [sh, -c, 'echo a > \"$0\"', \"${outputs.out}\"]\n  versions: [[sh, \"./v.sh\"]]\n"
    try project.write("stages/versioned.yaml", contract)
    try project.write("stages/v.sh", "echo v1")
    #expect(try project.run().ran == ["s"])
    #expect(try project.run().cached == ["s"])
    try project.write("stages/v.sh", "echo v2")
    #expect(try project.run().ran == ["s"])
    try project.write("stages/v.sh", "echo broken; exit 4")
    #expect(try project.run().problems["s"]?.message == "the version command 'sh ./v.sh' exited with status 4: broken")
  }

  @Test(
    "outputs that are missing, links, of the wrong kind or not declared fail the stage and store nothing",
    arguments: [
      ("true", "output out was not created"), ("ln -s /etc/passwd \"$out\"", "output out is a symbolic link"),
      ("mkdir \"$out\"", "output out is a directory where a file belongs"),
      ("mkfifo \"$out\"", "output out is neither a file nor a directory"),
      ("echo a > \"$out\"; echo b > out/more", "the stage created 'out/more', which its contract does not declare"),
    ])
  func badOutputs(script: String, message: String) throws {
    let project = try project(scriptManifest(script))
    #expect(try project.run().problems["s"]?.message == message)
    #expect(project.files(in: "artifacts/objects").isEmpty)
    #expect(project.files(in: "artifacts/results").isEmpty)
  }

  @Test("a link inside an output directory is refused")
  func linkInside() throws {
    let project = try project("heirloom: 1\nname: test\nstages:\n  t: {uses: tree, with: {script: 'mkdir $out/d; ln -s / $out/d/up'}}")
    #expect(try project.run().problems["t"]?.message == "output out holds a symbolic link: d/up")
  }

  @Test("an output that is not what the manifest expects fails and stores nothing; one that is passes")
  func expect() throws {
    let project = try project(scriptManifest("echo hello > \"$out\"", "    expect: {out: \"sha256:\(String(repeating: "0", count: 64))\"}"))
    let hello = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"
    let message = try #require(try project.run().problems["s"]?.message)
    #expect(message == "output out is sha256:\(hello), expected sha256:\(String(repeating: "0", count: 64)); nothing was stored")
    #expect(project.files(in: "artifacts/objects").isEmpty)
    try project.write("recipe.yaml", scriptManifest("echo hello > \"$out\"", "    expect: {out: \"sha256:\(hello)\"}"))
    #expect(try project.run().ran == ["s"])
  }

  @Test("a stage that changes its input fails, and the input is made again")
  func changedInput() throws {
    let manifest =
      "heirloom: 1\nname: test\nstages:\n  data: {uses: say, with: {text: hello}}\n  s:\n    uses: script\n    inputs: {text: data.text}\n    hermetic: off\n    with: {script: SCRIPT}\n"
    let project = try project(manifest.replacing("SCRIPT", with: "'chmod u+w \"$in\"; echo more >> \"$in\"; echo a > \"$out\"'"))
    #expect(
      try project.run().problems["s"]?.message
        == "the stage changed its input text; that object was put aside and will be made again")
    try project.write("recipe.yaml", manifest.replacing("SCRIPT", with: "'cat \"$in\" > \"$out\"'"))
    #expect(try project.run().ran == ["data", "s"])
    #expect(project.output("s", "out") == "hello\n")
  }

  @Test("a directory travels whole: nested files, empty directories, through a tree of links")
  func directories() throws {
    let project = try project(
      "heirloom: 1\nname: test\nstages:\n  t: {uses: tree, with: {script: 'mkdir -p $out/a/b $out/none; echo x > $out/a/b/f; echo y > $out/g'}}\n  s: {uses: script, inputs: {tree: t.out}, with: {script: '(cd \"$tree\"; find . -type d | sort; cat a/b/f g) > \"$out\"'}}"
    )
    #expect(try project.run().ran == ["t", "s"])
    #expect(project.output("s", "out") == ".\n./a\n./a/b\n./none\nx\ny\n")
    let queries = try StoreQueries(project.store)
    let finding = try queries.find("t", in: .latest)
    let output = try queries.output("out", of: finding)
    try queries.export(output, to: project.root + "/exported")
    #expect(project.files(in: "exported") == ["a/b/f", "g"])
    #expect(throws: QueryError.self) { try queries.export(output, to: project.root + "/exported") }
  }

  @Test("the environment is exactly what the contract and the interface say")
  func environment() throws {
    let project = try project(
      scriptManifest("env | sed 's/=.*//' | sort | tr '\\n' ' ' > \"$out\"; echo >> \"$out\"; echo \"$KEYED $PASSED\" >> \"$out\""))
    try project.run {
      $0.variables["PASSED"] = "p"
      $0.variables["KEYED"] = "k"
    }
    let text = try #require(project.output("s", "out"))
    let lines = text.split(separator: "\n")
    // The shell adds PWD of its own.
    let names = lines[0].split(separator: " ").filter { $0 != "PWD" }.joined(separator: " ")
    let ours = "HEIRLOOM_CHECKPOINT HEIRLOOM_EVENTS HEIRLOOM_LIFELINE HEIRLOOM_STAGE HEIRLOOM_THREADS"
    #expect(names == "CUDA_VISIBLE_DEVICES \(ours) HOME KEYED PASSED PATH")
    #expect(lines[1] == "k p")
    #expect(
      try project.run {
        $0.variables["KEYED"] = "k"
        $0.variables["PASSED"] = "other"
      }.cached == ["s"])
    #expect(try project.run { $0.variables["KEYED"] = "other" }.ran == ["s"])
  }

  @Test("gpus are handed out as distinct devices; a machine without them says so")
  func gpus() throws {
    let stage =
      "uses: script, hermetic: off, resources: {gpus: 1}, with: {script: 'echo $CUDA_VISIBLE_DEVICES > \"$out\"; until [ -e ../a ] && [ -e ../b ]; do touch ../NAME; done'}"
    let project = try project(
      "heirloom: 1\nname: test\nstages:\n  a: {\(stage.replacing("NAME", with: "a"))}\n  b: {\(stage.replacing("NAME", with: "b"))}\n")
    #expect(try project.run().ran.count == 2)
    #expect(Set([project.output("a", "out"), project.output("b", "out")]) == ["7\n", "9\n"])
    let other = try project.run {
      $0.machine.gpus = []
      $0.reruns = ["a"]
    }
    #expect(other.problems["a"]?.message == "needs 1 GPUs; this machine has 0")
  }

  @Test("a retry keeps the checkpoint; a stage that goes on failing fails with its last words")
  func retry() throws {
    let project = try project(
      scriptManifest(
        "echo x >> \"$HEIRLOOM_CHECKPOINT/tries\"\n[ $(wc -l < \"$HEIRLOOM_CHECKPOINT/tries\") -ge 3 ] || exit 1\ncp \"$HEIRLOOM_CHECKPOINT/tries\" \"$out\"",
        "    retries: 2"))
    let happening = try project.run()
    #expect(happening.retries == ["s", "s"])
    #expect(happening.ran == ["s"])
    #expect(project.output("s", "out") == "x\nx\nx\n")
  }

  @Test("a stage that runs longer than its timeout is stopped, and its whole group with it")
  func timeout() throws {
    let project = try project(scriptManifest("trap '' TERM\nsh -c 'trap \"\" TERM; while :; do :; done' &\nwait", "    timeout: 0.2s"))
    let happening = try project.run { $0.graceSeconds = 0.1 }
    #expect(happening.problems["s"]?.message == "ran longer than its timeout of 0.2 s")
  }

  @Test("the same key with other bytes: both are recorded, the first answers until --rerun")
  func twoOutcomes() throws {
    let project = try project(scriptManifest("cat /proc/sys/kernel/random/uuid > \"$out\""))
    try project.run()
    let first = project.output("s", "out")
    let rerun = try project.run { $0.reruns = ["s"] }
    #expect(rerun.notices == ["s: other outputs than before for the same key; the new ones answer from now on"])
    #expect(project.output("s", "out") != first)
    let queries = try StoreQueries(project.store)
    #expect(try queries.find("s", in: .latest).result?.outcomes.count == 2)
  }

  @Test("show, log and status tell what happened")
  func queries() throws {
    let project = try project(
      scriptManifest(
        "echo said\necho '{\"t\":1,\"kind\":\"metric\",\"step\":1,\"name\":\"loss\",\"value\":2.5}' >> \"$HEIRLOOM_EVENTS\"\necho x > \"$out\""
      ))
    try project.run()
    let queries = try StoreQueries(project.store)
    let (instance, output) = try queries.parse("s.out", in: .latestOf(recipe: "test"))
    #expect(instance == "s" && output == "out")
    let finding = try queries.find(instance, in: .latest)
    #expect(String(decoding: try queries.log(finding), as: UTF8.self) == "said\n")
    #expect(finding.result?.answer.metrics["loss"] == 2.5)
    #expect(finding.json(try queries.output("out", of: finding))["path"]?.stringValue == "\(project.store)/views/test/s/out")
    let run = try queries.run(.latest)
    #expect(run.lines.dropFirst().map { $0.split(separator: " ")[0] } == ["ran"])
    #expect(run.standing == .ended(0))
    #expect(throws: QueryError.self) { try queries.find("q", in: .latest) }
  }

  @Test("a store of another format is refused with one line")
  func format() throws {
    let project = try project(scriptManifest("echo x > \"$out\""))
    try project.write("artifacts/format", "heirloom store 99\n")
    #expect(throws: StoreError.self) { try project.run() }
  }
}
