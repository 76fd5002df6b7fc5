import ArgumentParser
import Artifacts
import Diagnostics
import Execution
import JSONValues
import Sharing

/// `heirloom verify-statement FILE… --public-key KEY`: whether statements are signed by a key, and what they say.
struct VerifyStatement: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify-statement", abstract: "Check the signature of statements that `reproduce` wrote.",
    discussion:
      "With --artifact it is also checked that a statement speaks of these bytes. Status 1 when a signature or a digest is not right.")

  @Argument(help: "Envelopes (….dsse.json).", completion: .file()) var statements: [String]
  @Option(help: "The Ed25519 public key (PEM) that must have signed.", completion: .file()) var publicKey: String
  @Option(help: "A file that must be among what each statement speaks of.", completion: .file()) var artifact: String?
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    let key = try VerifyingKey(pem: StatementFiles.read(publicKey, limit: 1 << 16), at: publicKey)
    let digest = try artifact.map { try FileSystem.posix.digest(ofFile: $0).digest }
    var isGood = true
    var list: [JSONValue] = []
    for path in statements {
      do throws(SharingError) {
        let envelope = try Envelope(reading: read(path), at: path)
        let statement = try envelope.statement(verifiedBy: key, at: path)
        if let digest, !statement.subjects.contains(where: { $0.digest == digest }) {
          throw SharingError("does not speak of \(artifact ?? "")", at: path)
        }
        list.append(statement.json)
        if !json { Terminal.say("good  \(path)  " + Self.text(statement)) }
      } catch {
        isGood = false
        StandardError.line("error: \(error)")
      }
    }
    if json { Terminal.say(JSONValue.array(list).encoded(pretty: true)) }
    if !isGood { throw ExitCode(1) }
  }

  private func read(_ path: String) throws(SharingError) -> [UInt8] {
    do { return try StatementFiles.read(path) } catch let error as SharingError { throw error } catch {
      throw SharingError("\(error)", at: path)
    }
  }

  private static func text(_ statement: Statement) -> String {
    let type = VisibleText.line(statement.predicateType, on: .terminal)
    var text = "\(type)  \(statement.subjects.count) subjects"
    if let reproduced = statement.predicate["reproduced"]?.boolValue { text += reproduced ? "  reproduced" : "  not reproduced" }
    return text
  }
}
