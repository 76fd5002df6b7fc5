import Diagnostics
import Foundation
import Slurm
import Testing

/// Site profiles: what may stand in one, and what is said about what may not.
struct SiteTests {
  @Test("a profile says what the cluster wants to hear")
  func whole() throws {
    let text = """
      executor: slurm
      account: nlp
      partition: gpu
      qos: normal
      constraint: "a100|h100"
      reservation: 1234
      gpus: --gres=gpu:a100
      scratch: /scratch/$USER
      concurrent: 20
      defaults: {time: 4h, memory: 8GiB, lead: 5m}
      extra: [--mail-type=FAIL, --exclusive]
      setup:
        - module load cuda/12
      program: /shared/bin/heirloom
      environment: [HF_HOME]
      """
    let (site, findings) = SiteDecoder.decode(SourceFile(path: "x.yaml", text: text), name: "x")
    #expect(findings.all.map(\.text) == [])
    var expected = Site(name: "x")
    expected.executor = .slurm
    (expected.account, expected.partition, expected.qos) = ("nlp", "gpu", "normal")
    (expected.constraint, expected.reservation) = ("a100|h100", "1234")
    expected.gpus = try #require(Site.GPUOption("--gres=gpu:a100"))
    (expected.scratch, expected.concurrent) = ("/scratch/$USER", 20)
    (expected.defaults.seconds, expected.defaults.memoryBytes, expected.defaults.leadSeconds) = (14400, 8 << 30, 300)
    (expected.extra, expected.setup) = (["--mail-type=FAIL", "--exclusive"], ["module load cuda/12"])
    (expected.program, expected.environment) = ("/shared/bin/heirloom", ["HF_HOME"])
    #expect(site == expected)
  }

  @Test("the profile in the documentation is one, and no key is missing in its table")
  func documented() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let page = try String(contentsOf: root.appendingPathComponent("docs/slurm.md"), encoding: .utf8)
    let start = try #require(page.range(of: "```yaml\n"))
    let end = try #require(page.range(of: "```", range: start.upperBound..<page.endIndex))
    let (site, findings) = SiteDecoder.decode(SourceFile(path: "x", text: String(page[start.upperBound..<end.lowerBound])), name: "x")
    #expect(findings.all.map(\.text) == [])
    #expect(site?.gpus.type == "a100")
    for key in ["executor", "reservation", "gpus", "scratch", "concurrent", "extra", "setup", "program", "environment", "defaults.lead"] {
      #expect(page.contains("`\(key)`"))
    }
  }

  struct Case: CustomTestStringConvertible, Sendable {
    let yaml: String
    let messages: [String]
    var testDescription: String { yaml }
    init(_ yaml: String, _ messages: String...) { (self.yaml, self.messages) = (yaml, messages) }
  }

  @Test("every finding has its message and its place", arguments: cases)
  func finding(_ example: Case) {
    let findings = SiteDecoder.decode(SourceFile(path: "x", text: example.yaml), name: "x").findings
    #expect(findings.sorted.map { "\($0.location?.text ?? "") \($0.text)" } == example.messages)
  }

  static let cases = [
    Case(""), Case("# nothing\n\n"),
    Case("- a", "x:1:1 expected a mapping for the site, found a list"),
    Case("acount: nlp", "x:1:1 unknown key 'acount' in the site; did you mean 'account'?"),
    Case("account: nlp\naccount: x", "x:2:1 duplicate key 'account'"),
    Case("executor: slrum", "x:1:11 executor is 'local' or 'slurm', found 'slrum'; did you mean 'slurm'?"),
    Case("partition: [a]", "x:1:12 expected a string for 'partition', found a list"),
    Case("partition: a b", "x:1:12 'partition' is one word without blanks that does not begin with '-', found 'a b'"),
    Case("qos: -x", "x:1:6 'qos' is one word without blanks that does not begin with '-', found '-x'"),
    Case(
      "gpus: 4",
      "x:1:7 expected a string for 'gpus', found the integer 4"),
    Case(
      "gpus: --gres=nvme",
      "x:1:7 'gpus' is --gres=gpu, --gres=gpu:TYPE, --gpus, --gpus=TYPE or --gpus-per-node (the number is appended), found '--gres=nvme'"),
    Case(
      "scratch: relative",
      "x:1:10 'scratch' is an absolute path, or one that begins with a variable of the node; it is made of letters, digits, '_', '-', '.', '/' and $NAME"
    ),
    Case(
      "scratch: /a$(touch /tmp/x)",
      "x:1:10 'scratch' is an absolute path, or one that begins with a variable of the node; it is made of letters, digits, '_', '-', '.', '/' and $NAME"
    ),
    Case("concurrent: 0", "x:1:13 expected an integer of at least 1 for 'concurrent', found the integer 0"),
    Case("defaults: {tme: 4h}", "x:1:12 unknown key 'tme' in 'defaults'; did you mean 'time'?"),
    Case("defaults: {time: soon}", "x:1:18 'time' is a time such as 4h or 90s"),
    Case("defaults: {memory: lots, lead: [1]}", "x:1:20 'memory' is an amount such as 8GiB", "x:1:32 'lead' is a time such as 4h or 90s"),
    Case("program: bin/heirloom", "x:1:10 'program' is an absolute path"),
    Case("environment: [A, 1B, 'C=D']", "x:1:18 '1B' is no name of a variable", "x:1:22 'C=D' is no name of a variable"),
    Case("environment: [SLURM_CONF]", "x:1:15 'SLURM_CONF' is set by the job itself"),
    Case("setup: module load cuda", "x:1:8 expected a list of strings for 'setup', found the string 'module load cuda'"),
    Case("setup: [\"a\\nb\"]", "x:1:9 a line of 'setup' holds no line break and no NUL"),
    Case("extra: [-p gpu]", "x:1:9 an element of 'extra' is one option of sbatch, written --name or --name=value, found '-p gpu'"),
    Case(
      "extra: [--comment x]", "x:1:9 an element of 'extra' is one option of sbatch, written --name or --name=value, found '--comment x'"),
    Case("extra: [--partition=x]", "x:1:9 '--partition' cannot stand in 'extra': write 'partition:' in the profile"),
    Case("extra: [--comment=x, --time=1]", "x:1:22 '--time' cannot stand in 'extra': it comes from a stage's timeout, or from 'defaults'"),
    Case("extra: [--arr=1-3]", "x:1:9 '--arr' is short for '--array'; write options in full"),
    Case("extra: [--clusters=other]", "x:1:9 '--clusters' cannot stand in 'extra': jobs could not be followed with it"),
  ]

  @Test("the directory of sites follows XDG_CONFIG_HOME, knows the default and near names")
  func directory() throws {
    let home = NSTemporaryDirectory() + "sites-" + UUID().uuidString
    defer { try? FileManager.default.removeItem(atPath: home) }
    let sites = home + "/configuration/heirloom/sites"
    try FileManager.default.createDirectory(atPath: sites, withIntermediateDirectories: true)
    let directory = SiteDirectory(variables: ["HOME": home, "XDG_CONFIG_HOME": home + "/configuration"])
    #expect(directory.path == sites)
    #expect(SiteDirectory(variables: ["HOME": home, "XDG_CONFIG_HOME": "relative"]).path == home + "/.config/heirloom/sites")
    #expect(directory.site(nil).site == nil)
    #expect(directory.site(nil).findings.isEmpty)
    try Data("account: nlp\n".utf8).write(to: URL(fileURLWithPath: sites + "/default.yaml"))
    try Data("account: other\n".utf8).write(to: URL(fileURLWithPath: sites + "/juwels.yaml"))
    #expect(directory.site(nil).site?.account == "nlp")
    #expect(directory.site("juwels").site?.account == "other")
    let unknown = directory.site("jewels").findings.all.map(\.text)
    #expect(unknown == ["there is no site 'jewels': \(sites)/jewels.yaml does not exist; did you mean 'juwels'?"])
    let bad = directory.site("../x").findings.all.map(\.text)
    #expect(bad == ["'../x' is no name of a site; names are made of letters, digits, '_', '-' and '.'"])
  }
}
