import Execution
import Foundation
import Testing

@Suite("Secrets are passed on and never kept")
struct SecretsTests {
  private static let secret = "hf_Qx81ZtReally+Secret"

  private func project(_ script: String) throws -> TestProject {
    let project = try TestProject()
    try project.write(
      "stages/secretive.yaml",
      """
      stage: secretive
      version: 1
      outputs: {out: {type: file}}
      params: {script: {type: string}}
      run:
        command: [sh, -c, 'out="$1"; eval "$0"', "${params.script}", "${outputs.out}"]
        environment: [HF_TOKEN, INDEX_URL]
        keyed_environment: [SIGNING_KEY, MODEL_HUB]

      """)
    let lines = script.split(separator: "\n").map { "        \($0)" }.joined(separator: "\n")
    try project.write("recipe.yaml", "heirloom: 1\nname: test\nstages:\n  s:\n    uses: secretive\n    with:\n      script: |\n\(lines)\n")
    return project
  }

  private func run(_ project: TestProject, key: String = "rsa-private-material") throws -> Happening {
    try project.run {
      $0.variables["HF_TOKEN"] = Self.secret
      $0.variables["INDEX_URL"] = "https://me:pa55word@pypi.example/simple"
      $0.variables["SIGNING_KEY"] = key
      $0.variables["MODEL_HUB"] = "hub.example"
    }
  }

  /// Every file of the store that holds one of the secrets.
  private func leaks(_ project: TestProject) -> [String] {
    project.files(in: "artifacts").filter { file in
      let bytes = FileManager.default.contents(atPath: "\(project.root)/artifacts/\(file)") ?? Data()
      return [Self.secret, "pa55word", "rsa-private-material"].contains { bytes.range(of: Data($0.utf8)) != nil }
    }
  }

  @Test("in logs, events, warnings, errors and records, in one piece or in two")
  func masked() throws {
    let project = try project(
      """
      echo "token $HF_TOKEN, index $INDEX_URL, hub $MODEL_HUB"
      first=$(printf %.7s "$HF_TOKEN"); printf %s "$first"; printf '%s\\n' "$${HF_TOKEN#$first}" >&2
      i=0; while [ $i -lt 3000 ]; do printf '%s..%s....' "$HF_TOKEN" "$SIGNING_KEY"; i=$((i + 1)); done
      echo
      echo "{\\"kind\\":\\"warning\\",\\"text\\":\\"told $HF_TOKEN\\"}" >> "$HEIRLOOM_EVENTS"
      [ $${#HF_TOKEN} -eq \(Self.secret.count) ] && echo received > "$out"
      """)
    let happening = try run(project)
    #expect(happening.ran == ["s"], "\(happening.problems)")
    #expect(happening.warnings == ["s: told ***"])
    #expect(project.output("s", "out") == "received\n")
    #expect(leaks(project) == [])
    let logs = project.files(in: "artifacts/objects").compactMap { project.read("artifacts/objects/\($0)") }
    let log = try #require(logs.first { $0.hasPrefix("token ") })
    #expect(log.hasPrefix("token ***, index https://me:***@pypi.example/simple, hub hub.example\n***\n***..***....***"))
    #expect(log.utf8.count < 60_000 && !log.contains("Secret"))
  }

  @Test("in the end of the log that an error shows, and in the work directory that stays")
  func failure() throws {
    let project = try project("echo \"refused: $HF_TOKEN\"; echo \"{\\\"text\\\":\\\"$HF_TOKEN\\\"}\" >> \"$HEIRLOOM_EVENTS\"; exit 1")
    let happening = try run(project)
    #expect(happening.problems["s"]?.logTail == ["refused: ***"])
    #expect(leaks(project) == [])
  }

  @Test("a secret that is in the key is there as a digest: another value is another key, the value is nowhere")
  func keyed() throws {
    let project = try project("echo x > \"$out\"")
    #expect(try run(project).ran == ["s"])
    #expect(try run(project).cached == ["s"])
    let again = try run(project, key: "rsa-private-material-2")
    #expect(again.ran == ["s"])
    let reason = try #require(again.reasons["s"]?.first)
    #expect(reason.contains("SIGNING_KEY") && reason.contains("sha256:"), "\(reason)")
    #expect(leaks(project) == [])
    #expect(project.files(in: "artifacts/results").contains { project.read("artifacts/results/\($0)")?.contains("hub.example") == true })
  }

  @Test(
    "which names look secret",
    arguments: [
      ("HF_TOKEN", true), ("AWS_SECRET_ACCESS_KEY", true), ("OPENAI_API_KEY", true), ("PGPASSWORD", true), ("GITHUB_PAT", true),
      ("GOOGLE_APPLICATION_CREDENTIALS", true), ("MYTOKEN", true), ("TOKENIZERS_PARALLELISM", false), ("MAX_TOKENS", false),
      ("PATH", false), ("MODEL_HUB", false), ("KEYBOARD", false), ("HTTPS_PROXY", false),
    ])
  func names(name: String, isSecret: Bool) {
    #expect(Secrets.looksSecret(name) == isSecret)
  }
}
