import Foundation
import Testing

/// A real server that tests talk to. `scripts/test-services` starts them and says where they are; where one is not, what needs it is
/// skipped, and under CI that is a failure.
enum Service: String, CaseIterable {
  case slurm = "HEIRLOOM_TEST_SLURM_CONF"
  case registry = "HEIRLOOM_TEST_REGISTRY"
  case sshd = "HEIRLOOM_TEST_SSHD"
  case s3 = "HEIRLOOM_TEST_S3"

  /// What the script says of it; nil where it does not run.
  var place: String? { ProcessInfo.processInfo.environment[rawValue] }

  var isHere: Bool { place != nil }

  static var isCI: Bool { ProcessInfo.processInfo.environment["CI"] == "true" }
}

struct ServiceTests {
  @Test("under CI every server is there that tests need", arguments: [Service.slurm, .registry, .sshd])
  func present(_ service: Service) {
    if service.isHere { return }
    if Service.isCI {
      Issue.record("\(service) does not run: scripts/test-services --need slurm,registry,sshd COMMAND…")
    } else {
      print("skipped what needs \(service): scripts/test-services starts it")
    }
  }
}
