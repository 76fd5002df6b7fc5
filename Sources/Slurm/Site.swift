/// What a cluster wants to hear with every job: the words of a site profile. It says nothing about any recipe, so it never stands in
/// one, and nothing in it can change a result.
package struct Site: Sendable, Equatable {
  package enum Executor: String, Sendable, CaseIterable { case local, slurm }

  /// As `--site` names it; `default` when nothing was read.
  package var name: String
  package var executor: Executor?
  package var account: String?
  package var partition: String?
  package var qos: String?
  package var constraint: String?
  package var reservation: String?
  /// What asks for GPUs; their number is appended: `--gres=gpu:a100:2`, `--gpus=2`.
  package var gpus = GPUOption()
  /// A directory on the node for temporary files; variables of the node stand in it as `$NAME`.
  package var scratch: String?
  package var defaults = Defaults()
  /// How many elements of an array may run at once.
  package var concurrent: Int?
  /// More words for sbatch; none of them says what we say.
  package var extra: [String] = []
  /// Lines of shell that run in the job before the program, in a login shell.
  package var setup: [String] = []
  /// This program as it lies on the nodes; nil when it lies where it lies here.
  package var program: String?
  /// Variables of the submitter that jobs get too.
  package var environment: [String] = []

  package init(name: String = "default") { self.name = name }

  package struct Defaults: Sendable, Equatable {
    /// Wall time of a job that does not say.
    package var seconds: Double?
    /// Memory of a job that does not say.
    package var memoryBytes: Int?
    /// How long before the end of its time a job is told to write a checkpoint.
    package var leadSeconds = 120.0
  }

  package struct GPUOption: Sendable, Equatable {
    package var flag = "--gres"
    /// `a100`; nil takes any.
    package var type: String?

    /// Nil when it is no such option.
    package init?(_ text: String) {
      let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      guard ["--gres", "--gpus", "--gpus-per-node"].contains(parts[0]) else { return nil }
      flag = parts[0]
      guard parts.count == 2 else { return }
      var rest = parts[1][...]
      if flag == "--gres" {
        guard rest == "gpu" || rest.hasPrefix("gpu:") else { return nil }
        rest = rest.dropFirst("gpu:".count)
        if rest.isEmpty, parts[1] == "gpu" { return }
      }
      guard !rest.isEmpty, rest.utf8.allSatisfy(Self.isOfType) else { return nil }
      type = String(rest)
    }

    package init() {}

    func word(_ count: Int) -> String {
      "\(flag)=\(flag == "--gres" ? "gpu:" : "")\(type.map { "\($0):" } ?? "")\(count)"
    }

    private static func isOfType(_ byte: UInt8) -> Bool {
      (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || [0x2D, 0x2E, 0x5F].contains(byte)
    }
  }
}
