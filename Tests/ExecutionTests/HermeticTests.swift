import Artifacts
import Execution
import Foundation
import Testing

@Suite("Hermetic stages", .enabled(if: TestProject.unconfined == nil, "namespaces are not to be had here"))
struct HermeticTests {
  private func project(_ manifest: String) throws -> TestProject {
    let project = try TestProject()
    try project.write("recipe.yaml", manifest)
    return project
  }

  @Test("a stage sees its inputs, its contract's directory and the system; not the rest of the project, home or store")
  func view() throws {
    let project = try project(
      scriptManifest(
        """
        say() { echo "$1: $([ -e "$2" ] && echo seen || echo hidden)" >> "$out"; }
        project="$${PWD%/artifacts/work/*}"
        say input "$in"
        say contract "$project/stages/script.yaml"
        say shell /bin/sh
        say null /dev/null
        say other "$project/other.txt"
        say manifest "$project/recipe.yaml"
        say results "$project/artifacts/results"
        say journal "$project/artifacts/runs"
        say objects "$(ls "$project"/artifacts/objects/*/* 2>/dev/null | sed 1d | head -n 1)"
        echo "home: $(ls "$HOME" | tr '\\n' ' ')" >> "$out"
        echo "tmp: $(ls /tmp | grep -v heirloom-test)" >> "$out"
        cat "$in" >> "$out"
        (echo x >> "$in") 2>/dev/null || echo "the input is read-only" >> "$out"
        (echo x > "$project/stages/new") 2>/dev/null || echo "the contract is read-only" >> "$out"
        echo x > /tmp/mine && echo y > "$HOME/mine" && echo "scratch is writable" >> "$out"
        """,
        """
            inputs: {text: data.text}
          data: {uses: say, with: {text: hello}}
          more: {uses: say, with: {text: nobody asked for me}}
        """))
    try project.write("other.txt", "x")
    let happening = try project.run { $0.jobs = 1 }
    #expect(happening.failed == [], "\(happening.problems)")
    #expect(
      project.output("s", "out") == """
        input: seen
        contract: seen
        shell: seen
        null: seen
        other: hidden
        manifest: hidden
        results: hidden
        journal: hidden
        objects: hidden
        home: artifacts stages 
        tmp: 
        hello
        the input is read-only
        the contract is read-only
        scratch is writable

        """)
    #expect(try facts(project, "s")?["hermetic"] == "on")
  }

  private func facts(_ project: TestProject, _ instance: String) throws -> [String: String]? {
    let files = project.files(in: "artifacts/results").filter { $0.hasSuffix(".json") }
    for file in files {
      guard let text = project.read("artifacts/results/\(file)"), text.contains("\"instance\":\"\(instance)\"") else { continue }
      return ["hermetic": text.contains("\"hermetic\":\"on\"") ? "on" : "off"]
    }
    return nil
  }

  @Test("what a directory's links lead to is seen: an output of another stage, and a model whose files lie elsewhere")
  func links() throws {
    let project = try project(
      scriptManifest(
        "cat \"$tree/sub/a\" > \"$out\"",
        """
            inputs: {tree: made.out}
          made: {uses: tree, with: {script: 'mkdir "$out/sub"; echo inside > "$out/sub/a"'}}
          linked: {uses: script, inputs: {tree: ./model}, with: {script: 'cat "$tree/weights" "$tree/deep/x" > "$out"'}}
        """))
    try project.write("elsewhere/blobs/1", "one\n")
    try project.write("elsewhere/more/x", "two\n")
    try project.write("model/config", "{}")
    try FileManager.default.createDirectory(atPath: project.root + "/elsewhere/snapshot", withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(atPath: project.root + "/elsewhere/snapshot/w", withDestinationPath: "../blobs/1")
    try FileManager.default.createSymbolicLink(atPath: project.root + "/model/weights", withDestinationPath: "../elsewhere/snapshot/w")
    try FileManager.default.createSymbolicLink(atPath: project.root + "/model/deep", withDestinationPath: project.root + "/elsewhere/more")
    let happening = try project.run()
    #expect(happening.failed == [], "\(happening.problems)")
    #expect(project.output("s", "out") == "inside\n")
    #expect(project.output("linked", "out") == "one\ntwo\n")
  }

  /// What there is on the way from the root to its own directory, and where it could write; `/tmp` is its own.
  private static let survey = """
    place="$PWD"
    while [ "$place" ]; do
      place="$${place%/*}"
      echo "$place/: $(ls -a "$place/" | tr '\\n' ' ')"
      case "$place/" in
        /tmp/* | /var/tmp/*) ;;
        *) mkdir "$place/of-mine" 2>/dev/null && echo "could write to $place/" ;;
      esac
    done | sed "s/$${PWD##*/}/KEY/g" > "$out"
    echo "home: $(ls -a "$HOME" | tr '\\n' ' ')" >> "$out"
    """

  @Test("commands that share what is mounted once see nothing of one another, and the same when each is mounted for itself")
  func shared() throws {
    let stage = { (name: String, input: String, script: String) -> String in
      let lines = script.split(separator: "\n").map { "        \($0)" }.joined(separator: "\n")
      return "  \(name):\n    uses: script\n\(input)    with:\n      script: |\n\(lines)\n"
    }
    // Their parent is the runner, and so is the servers' that are killed here.
    let killer = """
      runner=$(ps -o ppid= -p $PPID)
      pkill -KILL -P $runner -x warden-server
      echo "killed $?" > "$out"
      """
    // Not in /tmp, unless all of this is.
    let project = try TestProject(in: (TestProject.program as NSString).deletingLastPathComponent)
    try project.write(
      "recipe.yaml",
      "heirloom: 1\nname: test\nstages:\n" + stage("first", "", Self.survey)
        + stage("second", "    inputs: {text: first.out}\n", Self.survey)
        + stage("killer", "    hermetic: off\n    inputs: {text: second.out}\n", killer)
        + stage("alone", "    inputs: {text: killer.out}\n", Self.survey))
    try project.write("home/private.txt", "x")
    let happening = try project.run {
      $0.jobs = 1
      $0.variables["HOME"] = project.root + "/home"
    }
    #expect(happening.failed == [], "\(happening.problems)")
    #expect(project.output("killer", "out") == "killed 0\n")
    let first = try #require(project.output("first", "out"))
    #expect(!first.contains("could write") && first.contains("/artifacts/work/: . .. KEY"), "\(first)")
    // The one input more is an object beside the work directory.
    for name in ["second", "alone"] {
      #expect(project.output(name, "out")?.replacing("objects ", with: "") == first.replacing("objects ", with: ""))
    }
  }

  @Test("a virtual environment in the project, its interpreter in the home directory: programs on PATH work wherever they lie")
  func programs() throws {
    let project = try project(scriptManifest("tool > \"$out\"; \"$HOME/plain/direct\" >> \"$out\" 2>/dev/null || echo no >> \"$out\""))
    let home = project.root + "/home"
    try project.write("home/.pyenv/versions/3/bin/tool3", "#!/bin/sh\ncat \"$(dirname \"$(readlink -f \"$0\")\")/../lib/answer\"\n")
    try project.write("home/.pyenv/versions/3/lib/answer", "42\n")
    try project.write("home/plain/direct", "#!/bin/sh\necho direct\n")
    try project.write("home/private.txt", "x")
    try project.write(".venv/pyvenv.cfg", "home = \(home)/.pyenv/versions/3/bin\n")
    try project.write(".venv/lib/x", "")
    try FileManager.default.createDirectory(atPath: project.root + "/.venv/bin", withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(
      atPath: project.root + "/.venv/bin/tool", withDestinationPath: home + "/.pyenv/versions/3/bin/tool3")
    for path in ["home/.pyenv/versions/3/bin/tool3", "home/plain/direct"] { chmod("\(project.root)/\(path)", 0o755) }
    let happening = try project.run {
      $0.variables["PATH"] = project.root + "/.venv/bin:/usr/bin:/bin"
      $0.variables["HOME"] = home
    }
    #expect(happening.failed == [], "\(happening.problems)")
    #expect(project.output("s", "out") == "42\nno\n")
  }

  @Test("a file that a passed variable names is seen, and what the contract calls visible")
  func variables() throws {
    let project = try project(
      "heirloom: 1\nname: test\nstages:\n  s: {uses: script, with: {script: 'cat \"$PASSED\" > \"$out\"'}}\n  v: {uses: config}\n")
    try project.write("home/certificates/ca.pem", "certificate\n")
    try project.write("home/.config/tool/rc", "settings\n")
    try project.write(
      "stages/config.yaml",
      """
      stage: config
      version: 1
      outputs: {out: {type: file}}
      run:
        command: [sh, -c, 'cat "$HOME/.config/tool/rc" > "$0"; ls "$HOME" >> "$0"', "${outputs.out}"]
        visible: [~/.config/tool, ~/not/there]

      """)
    let happening = try project.run {
      $0.variables["PASSED"] = project.root + "/home/certificates/ca.pem"
      $0.variables["HOME"] = project.root + "/home"
    }
    #expect(happening.failed == [], "\(happening.problems)")
    #expect(project.output("s", "out") == "certificate\n")
    #expect(project.output("v", "out") == "settings\n")
  }

  @Test("a failure names the files of the project that the log mentions and the stage did not see")
  func remark() throws {
    let script = "project=\"$${PWD%/artifacts/work/*}\"; cat \"$project/stages/../data/x.json\" > \"$out\""
    let project = try project(scriptManifest(script))
    try project.write("data/x.json", "{}")
    let message = try project.run().problems["s"]?.message
    #expect(message == "exited with status 1; the log mentions ./data/x.json, which is in the project but not an input of this stage")
    try project.write("recipe.yaml", scriptManifest("echo \"ModuleNotFoundError: No module named 'tools'\"; exit 3"))
    try project.write("tools/__init__.py", "")
    #expect(
      try project.run().problems["s"]?.message
        == "exited with status 3; ./tools/__init__.py is in the project, but not beside the contract nor an input of this stage")
    try project.write("recipe.yaml", scriptManifest("echo nothing to see in /etc/passwd and ./out; exit 3"))
    #expect(try project.run().problems["s"]?.message == "exited with status 3")
  }

  @Test(
    "hermetic: off lets a stage see everything: on its entry, in its contract, at the top of the manifest; the nearest to the stage decides",
    arguments: [
      ("", "", "", "hidden"), ("hermetic: off", "", "", "seen"), ("", "hermetic: off", "", "seen"), ("", "", "hermetic: off", "seen"),
      ("hermetic: off", "hermetic: on", "", "hidden"), ("hermetic: on", "hermetic: on", "hermetic: off", "seen"),
      ("hermetic: off", "", "hermetic: on", "hidden"),
    ])
  func off(top: String, contract: String, entry: String, expected: String) throws {
    let project = try project(
      """
      heirloom: 1
      name: test
      \(top)
      stages:
        s:
          uses: look
          with: {path: recipe.yaml}
          \(entry)

      """)
    try project.write(
      "stages/look.yaml",
      """
      stage: look
      version: 1
      outputs: {out: {type: file}}
      params: {path: {type: string}}
      \(contract)
      run: {command: [sh, -c, 'if [ -e "$0/../$1" ]; then echo seen; else echo hidden; fi > "$2"', "${stage.dir}", "${params.path}", "${outputs.out}"]}

      """)
    let happening = try project.run()
    #expect(happening.failed == [], "\(happening.problems)")
    #expect(project.output("s", "out") == expected + "\n")
    #expect(try facts(project, "s")?["hermetic"] == (expected == "seen" ? "off" : "on"))
  }
}

@Suite("Where namespaces are not to be had")
struct UnconfinedTests {
  @Test("without the warden stages run and see everything, and one notice says so")
  func notice() throws {
    let project = try TestProject()
    try project.write(
      "recipe.yaml", scriptManifest("[ -e \"$(dirname \"$0\")\" ]; echo x > \"$out\"", "  data: {uses: say, with: {text: a}}"))
    let happening = try project.run { $0.program = "/no/such/program" }
    #expect(happening.ran.sorted() == ["data", "s"])
    #expect(
      happening.notices == ["command stages see the whole machine, not only what they declare: heirloom-warden is not beside the program"])
  }

  @Test("a recipe whose stages are not hermetic says nothing")
  func silence() throws {
    let project = try TestProject()
    try project.write("recipe.yaml", "heirloom: 1\nname: test\nhermetic: off\nstages: {s: {uses: say, with: {text: a}}}\n")
    #expect(try project.run { $0.program = "/no/such/program" }.notices == [])
  }
}
