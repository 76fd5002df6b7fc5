import Artifacts
import Execution
import Hashing
import Remotes
import Testing

@Suite("ssh")
struct SSHTests {
  @Test("an address is held to its form")
  func anAddressIsHeldToItsForm() throws {
    for wrong in [
      "ssh://host", "ssh://host/", "ssh:///path", "ssh://-oProxyCommand=x/path", "ssh://host:0/p", "ssh://host:99999/p", "ssh://@host/p",
      "ssh://-l@host/p",
    ] {
      #expect(throws: RemoteError.self, "\(wrong)") { try SSHFiles(wrong, environment: [:]) }
    }
    for right in ["ssh://host/path", "ssh://user@host:22/path", "ssh://[::1]:22/~/path", "ssh://[::1]/path"] {
      #expect(throws: Never.self, "\(right)") { try SSHFiles(right, environment: [:]) }
    }
  }

  /// What stands in the place of `ssh` prints or does something that no server does.
  private func message(_ program: String, _ body: String) async throws -> RemoteError? {
    let scratch = try Scratch()
    let path = "\(scratch.path)/\(program)"
    try FileSystem.posix.write(Array("#!/bin/sh\n\(body)\n".utf8), to: path, mode: 0o755)
    let files = try SSHFiles("ssh://host/path", environment: ["HEIRLOOM_SSH": path, "PATH": "/usr/bin:/bin"], limitSeconds: 2)
    return await #expect(throws: RemoteError.self) { try await onThreads { try await files.sizes(["x"]) } }
  }

  @Test("what ssh says is passed on")
  func whatSSHSaysIsPassedOn() async throws {
    let denied = try await message("denied", "echo 'user@host: Permission denied (publickey).' >&2; exit 255")
    #expect(denied == RemoteError(.lasting, "ssh://host/path: user@host: Permission denied (publickey)."))
    let refused = try await message("refused", "printf 'ssh: connect to host: Connection refused\\r\\n\\033[31m' >&2; exit 255")
    #expect(refused == RemoteError(.passing, "ssh://host/path: ssh: connect to host: Connection refused; ␛[31m"))
    #expect(try await message("gone", "exec /nowhere/ssh")?.kind == .lasting)
  }

  @Test("answers that are none end it")
  func answersThatAreNoneEndIt() async throws {
    // A banner where the protocol should begin: its letters would be a length of gigabytes.
    #expect(try await message("banner", "echo Welcome; sleep 5")?.message == "ssh://host/path: what answers is no sftp server")
    // Greets, then answers a question that nobody asked.
    let strange = try await message(
      "strange", #"printf '\000\000\000\005\002\000\000\000\003\000\000\000\005\145\377\377\377\377'; exec cat > /dev/null"#)
    #expect(strange?.message == "ssh://host/path: an answer that nobody asked for came")
    // Greets and says nothing more.
    let silent = try await message("silent", #"printf '\000\000\000\005\002\000\000\000\003'; exec cat > /dev/null"#)
    #expect(silent == RemoteError(.passing, "ssh://host/path: no answer for 2 s"))
    // Closes the connection after its greeting.
    #expect(try await message("short", #"printf '\000\000\000\005\002\000\000\000\003'"#)?.kind == .passing)
  }

  @Test("a connection that broke is made anew", .enabled(if: Place.here.contains(.ssh)))
  func aConnectionThatBrokeIsMadeAnew() async throws {
    let scratch = try Scratch()
    let files = try #require(try Place.ssh.files(scratch.path) as? SSHFiles)
    try FileSystem.posix.write([1, 2, 3], to: scratch.path + "/x")
    #expect(try await onThreads { try await files.sizes(["x", "y"]) } == [3, nil])
    await files.close()
    #expect(try await onThreads { try await files.sizes(["x", "y"]) } == [3, nil])
    await files.close()
  }
}
