import Artifacts
import Diagnostics
import Planning
import Remotes
import Testing

@Suite("Names of remotes")
struct NamedRemotesTests {
  private func named(_ scratch: Scratch) -> NamedRemotes {
    NamedRemotes(project: scratch.path + "/project", environment: ["HOME": scratch.path + "/home"])
  }

  @Test("names are kept in the project or for all projects")
  func namesAreKeptInTheProjectOrForAllProjects() throws {
    let scratch = try Scratch()
    let remotes = named(scratch)
    #expect(try remotes.entries().isEmpty)
    try remotes.add("lab", RemoteAddress("ssh://lab/srv/results"), .user)
    try remotes.add("disk", RemoteAddress("dir:/mnt/a \"quoted\" disk"), .project)
    #expect(
      try remotes.entries().map { "\($0.name) \($0.address) \($0.scope)" } == [
        "disk dir:/mnt/a \"quoted\" disk project", "lab ssh://lab/srv/results user",
      ])
    #expect(try FileSystem.posix.exists(scratch.path + "/project/.heirloom/remotes.yaml"))
    #expect(try FileSystem.posix.exists(scratch.path + "/home/.config/heirloom/remotes.yaml"))
    try remotes.add("lab", RemoteAddress("dir:/lab"), .project)
    #expect(try remotes.address("lab", from: "/").text == "dir:/lab")
    #expect(try remotes.remove("lab").scope == .project)
    #expect(try remotes.address("lab", from: "/").text == "ssh://lab/srv/results")
    #expect(try remotes.remove("lab").scope == .user)
    #expect(throws: RemoteError.self) { try remotes.remove("lab") }
  }

  @Test("what is no name and no address is said")
  func whatIsNoNameAndNoAddressIsSaid() throws {
    let scratch = try Scratch()
    let remotes = named(scratch)
    try remotes.add("laboratory", RemoteAddress("dir:/lab"), .project)
    let table: [(String, String)] = [
      ("labratory", "no remote 'labratory'; did you mean 'laboratory'?"), ("other", "no remote 'other'; there are laboratory"),
      ("ftp://x/y", "'ftp://x/y' is no address of a remote; those begin with dir:, ssh://, oci:// or s3://"),
      ("dir:", "'dir:' does not say where"),
      (
        "ssh://me:secret@host/path",
        "the address has a password in it, which belongs into an agent, a profile or the program's own configuration, not here"
      ),
      (
        "s3://key:secret@bucket",
        "the address has a password in it, which belongs into an agent, a profile or the program's own configuration, not here"
      ),
      ("dir:\u{1b}[2J", "'dir:␛[2J' is no address of a remote; those begin with dir:, ssh://, oci:// or s3://"),
    ]
    for (text, says) in table {
      #expect(throws: RemoteError(.usage, says)) { try remotes.address(text, from: "/here") }
    }
    #expect(try remotes.address("dir:../there", from: "/here/now").text == "dir:/here/there")
    #expect(throws: RemoteError.self) { try remotes.add("laboratory", RemoteAddress("dir:/x"), .project) }
    #expect(throws: RemoteError.self) { try remotes.add("../x", RemoteAddress("dir:/x"), .project) }
  }

  @Test("a file that says something else is an error with its place")
  func aFileThatSaysSomethingElseIsAnErrorWithItsPlace() throws {
    let scratch = try Scratch()
    try FileSystem.posix.makeDirectory(scratch.path + "/project/.heirloom")
    let path = scratch.path + "/project/.heirloom/remotes.yaml"
    try FileSystem.posix.write(Array("remotes:\n  a: 1\n  b: ftp://x\nother: 2\n".utf8), to: path)
    let error = #expect(throws: InvalidRecipe.self) { try named(scratch).entries() }
    #expect(
      error?.diagnostics.map { "\($0.location?.line ?? 0): \($0.message)" } == [
        "2: the address of a remote is a string",
        "3: 'ftp://x' is no address of a remote; those begin with dir:, ssh://, oci:// or s3://",
        "4: unknown key 'other' in the list of remotes",
      ])
  }
}
