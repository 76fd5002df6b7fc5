import Foundation
import Remotes
import Testing

@Suite("Who the user is to a registry")
struct RegistryCredentialsTests {
  private let directory: URL

  init() throws {
    directory = FileManager.default.temporaryDirectory.appendingPathComponent("heirloom-credentials-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
  }

  private func find(_ json: String, _ registry: String = "registry.example:5000", _ repository: String = "a/b") throws
    -> RegistryCredentials.Credential?
  {
    try Data(json.utf8).write(to: directory.appendingPathComponent("config.json"))
    let environment = ["DOCKER_CONFIG": directory.path, "PATH": "\(directory.path):/usr/bin:/bin"]
    return try RegistryCredentials(environment: environment).find(registry, repository: repository)
  }

  private func write(program: String, _ text: String) throws {
    let path = directory.appendingPathComponent(program).path
    try Data("#!/bin/sh\n\(text)\n".utf8).write(to: URL(fileURLWithPath: path))
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
  }

  @Test(
    "a login of docker's is found under any of its spellings",
    arguments: ["registry.example:5000", "https://registry.example:5000/v1/", "https://registry.example:5000"])
  func spellings(key: String) throws {
    // "tester:sec:ret"
    #expect(try find(#"{"auths": {"\#(key)": {"auth": "dGVzdGVyOnNlYzpyZXQ="}}}"#) == .password(user: "tester", "sec:ret"))
    #expect(try find(#"{"auths": {"\#(key)": {"auth": "dGVzdGVyOnNlYzpyZXQ="}}}"#, "other.example") == nil)
  }

  @Test("the most particular entry counts, and an identity token before a password")
  func particular() throws {
    let json = #"""
      {"auths": {"registry.example:5000": {"auth": "YTpi"}, "registry.example:5000/a": {"username": "c", "password": "d"},
       "docker.io": {"identitytoken": "token", "auth": "YTpi"}}}
      """#
    #expect(try find(json) == .password(user: "c", "d"))
    #expect(try find(json, "registry.example:5000", "z") == .password(user: "a", "b"))
    #expect(try find(json, "docker.io") == .identity("token"))
  }

  @Test("a helper is asked for its registry, and the store for the others")
  func helpers() throws {
    try write(
      program: "docker-credential-one", #"read server; printf '{"ServerURL":"%s","Username":"%s-user","Secret":"s"}' "$server" "$server""#)
    try write(program: "docker-credential-all", #"printf '{"Username":"<token>","Secret":"identity"}'"#)
    let json = #"{"credHelpers": {"registry.example:5000": "one"}, "credsStore": "all"}"#
    #expect(try find(json) == .password(user: "registry.example:5000-user", "s"))
    #expect(try find(json, "other.example") == .identity("identity"))
  }

  @Test("a helper that knows nothing is no error, one that fails is")
  func failingHelpers() throws {
    try write(program: "docker-credential-none", "echo 'credentials not found in native keychain'; exit 1")
    #expect(try find(#"{"credsStore": "none"}"#) == nil)
    try write(program: "docker-credential-bad", "echo 'the vault is locked'; exit 3")
    let file = directory.appendingPathComponent("config.json").path
    let error = #expect(throws: RemoteError.self) { try find(#"{"credsStore": "bad"}"#) }
    #expect(error == RemoteError(.lasting, "docker-credential-bad, which \(file) names: ended with status 3: the vault is locked"))
    let evil = #expect(throws: RemoteError.self) { try find(#"{"credsStore": "../../bin/sh"}"#) }
    #expect(evil?.message == "\(file): '../../bin/sh' is no name of a credential helper")
    let absent = #expect(throws: RemoteError.self) { try find(#"{"credsStore": "nowhere"}"#) }
    #expect(absent?.message == "docker-credential-nowhere, which \(file) names: cannot be started: No such file or directory")
  }

  @Test("a file that is none is said with its place")
  func damaged() throws {
    let file = directory.appendingPathComponent("config.json").path
    let error = #expect(throws: RemoteError.self) { try find("{,}") }
    #expect(error?.message.hasPrefix("\(file): line 1, column 2:") == true)
    let entry = #expect(throws: RemoteError.self) { try find(#"{"auths": {"registry.example:5000": {"auth": "!"}}}"#) }
    #expect(entry?.message == "\(file): the entry for registry.example:5000 is not NAME:PASSWORD in base64; log in again")
  }

  @Test("base64 is what it is elsewhere", arguments: ["", "a", "ab", "abc", "abcd", "\u{0}ÿ¿"])
  func base64(text: String) {
    let bytes = Array(text.utf8)
    #expect(Base64.encoded(bytes) == Data(bytes).base64EncodedString())
    #expect(Base64.decoded(Base64.encoded(bytes)) == bytes)
  }

  @Test(
    "a challenge is read as servers write it",
    arguments: [
      (
        #"Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull,push""#,
        [
          AuthChallenge(
            scheme: "bearer",
            parameters: ["realm": "https://auth.example/token", "service": "registry.example", "scope": "repository:a/b:pull,push"])
        ]
      ),
      (#"BASIC realm=tests"#, [AuthChallenge(scheme: "basic", parameters: ["realm": "tests"])]),
      (
        #"Negotiate, Basic realm="a \"b\", c" , Bearer realm = "x""#,
        [
          AuthChallenge(scheme: "negotiate", parameters: [:]), AuthChallenge(scheme: "basic", parameters: ["realm": #"a "b", c"#]),
          AuthChallenge(scheme: "bearer", parameters: ["realm": "x"]),
        ]
      ),
      (#"Bearer realm="open"#, [AuthChallenge(scheme: "bearer", parameters: [:])]), ("", []), (",,,", []), ("=", []),
    ])
  func challenges(header: String, challenges: [AuthChallenge]) { #expect(AuthChallenge.parse([header]) == challenges) }
}
