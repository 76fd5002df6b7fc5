import Foundation
import Hashing
import JSONValues
import NIOHTTP1
import Remotes
import Testing

@Suite("What is signed for S3, and as whom")
struct RequestSignatureTests {
  @Test("signatures are those of AWS's documentation and of botocore")
  func goldens() throws {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures/signatures.json")
    let document = try JSONValue(parsing: [UInt8](Data(contentsOf: file)))
    let id = try #require(document["key"]?.stringValue)
    let secret = try #require(document["secret"]?.stringValue)
    let rows = try #require(document["requests"]?.arrayValue)
    #expect(rows.count >= 6)
    for row in rows {
      let url = try #require(WebURL(row["url"]?.stringValue ?? ""))
      var request = WebRequest(HTTPMethod(rawValue: row["method"]?.stringValue ?? ""), url)
      for (name, value) in row["headers"]?.objectValue?.members ?? [] { request.headers.add(name: name, value: value.stringValue ?? "") }
      let keys = RequestSignature.Keys(id: id, secret: secret, session: row["session"]?.stringValue)
      let payload = Digest(row["payload"]?.stringValue ?? "").map { RequestSignature.Payload.digest($0) } ?? .unsigned
      RequestSignature(keys: keys, region: row["region"]?.stringValue ?? "").sign(
        &request, payload, at: document["seconds"]?.integerValue ?? 0)
      #expect(request.headers.first(name: "authorization") == row["authorization"]?.stringValue, "\(row["name"]?.stringValue ?? "")")
    }
  }

  // MARK: - Settings

  private func settings(_ address: String, _ environment: [String: String], configuration: String = "", credentials: String = "") throws
    -> S3Settings
  {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("heirloom-aws-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    try Data(configuration.utf8).write(to: directory.appendingPathComponent("config"))
    try Data(credentials.utf8).write(to: directory.appendingPathComponent("credentials"))
    let files = [
      "AWS_CONFIG_FILE": directory.path + "/config", "AWS_SHARED_CREDENTIALS_FILE": directory.path + "/credentials",
      "PATH": "/usr/bin:/bin",
    ]
    return try S3Settings(S3Address(address), environment: files.merging(environment) { $1 })
  }

  private static let keys = ["AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret"]

  @Test(
    "a bucket is where address, environment and files say, in that order",
    arguments: [
      ("s3://bucket/p", [:], "https://bucket.s3.us-east-1.amazonaws.com/"),
      ("s3://bucket/p", ["AWS_REGION": "eu-central-1"], "https://bucket.s3.eu-central-1.amazonaws.com/"),
      ("s3://bucket/p?region=cn-north-1", ["AWS_REGION": "x"], "https://bucket.s3.cn-north-1.amazonaws.com.cn/"),
      ("s3://my.bucket/p", [:], "https://s3.us-east-1.amazonaws.com/my.bucket"),
      ("s3://bucket/p", ["AWS_ENDPOINT_URL": "http://127.0.0.1:1"], "http://127.0.0.1:1/bucket"),
      (
        "s3://bucket/p", ["AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ENDPOINT_URL_S3": "https://s3.example/base/"],
        "https://s3.example/base/bucket"
      ),
      ("s3://bucket/p?endpoint=s3.example", ["AWS_ENDPOINT_URL": "http://127.0.0.1:1"], "https://s3.example/bucket"),
      ("s3://bucket/p?endpoint=s3.example&path-style=0", [:], "https://bucket.s3.example/"),
      (
        "s3://bucket/p", ["AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"],
        "https://bucket.s3.us-east-1.amazonaws.com/"
      ),
    ] as [(String, [String: String], String)])
  func places(address: String, environment: [String: String], base: String) throws {
    let found = try settings(address, environment.merging(Self.keys) { own, _ in own }).base
    #expect(found.description == base || found.description == base.dropLast(base.hasSuffix("/") ? 1 : 0))
  }

  @Test("keys come from the environment, a profile, or a program")
  func who() throws {
    let configuration = """
      [default]
      region = eu-west-1 # here
      [profile  work]
      aws_access_key_id=w
      aws_secret_access_key=ws
      services = own
      [services own]
      s3 =
        endpoint_url = http://127.0.0.1:9
      [profile asks]
      credential_process = sh -c 'printf "{\\"AccessKeyId\\":\\"p\\",\\"SecretAccessKey\\":\\"ps\\",\\"SessionToken\\":\\"pt\\"}"'
      [profile sso]
      sso_session = x
      """
    let credentials = "[default]\naws_access_key_id = d\naws_secret_access_key = ds\naws_session_token = dt\n"
    func found(_ address: String, _ environment: [String: String]) throws -> S3Settings {
      try settings(address, environment, configuration: configuration, credentials: credentials)
    }
    #expect(try found("s3://bucket", [:]).keys == .init(id: "d", secret: "ds", session: "dt"))
    #expect(try found("s3://bucket", [:]).region == "eu-west-1")
    #expect(try found("s3://bucket", Self.keys).keys == .init(id: "id", secret: "secret", session: nil))
    #expect(
      try found("s3://bucket", Self.keys.merging(["AWS_PROFILE": "work"]) { $1 }).keys == .init(id: "id", secret: "secret", session: nil))
    #expect(try found("s3://bucket?profile=work", Self.keys).keys == .init(id: "w", secret: "ws", session: nil))
    #expect(try found("s3://bucket", ["AWS_PROFILE": "work"]).base.description == "http://127.0.0.1:9/bucket")
    #expect(try found("s3://bucket?profile=asks", [:]).keys == .init(id: "p", secret: "ps", session: "pt"))
    #expect(try found("s3://bucket?anonymous=1&profile=sso", [:]).keys == nil)
    let sso = #expect(throws: RemoteError.self) { try found("s3://bucket?profile=sso", [:]) }
    #expect(sso?.message.contains("gets its keys by sso_session, which is not known here") == true)
    let absent = #expect(throws: RemoteError.self) { try found("s3://bucket?profile=nobody", [:]) }
    #expect(absent == RemoteError(.lasting, "s3://bucket: there is no AWS profile 'nobody'"))
  }

  @Test("no keys at all is said with what helps")
  func noKeys() throws {
    let error = #expect(throws: RemoteError.self) { try settings("s3://bucket", [:]) }
    #expect(error?.message == "s3://bucket: no AWS keys in the environment or in the profile 'default'; anonymous=1 asks without any")
  }

  // MARK: - XML

  @Test("an answer of an S3 server is read without its namespaces")
  func xml() throws {
    let text = """
      <?xml version="1.0" encoding="UTF-8"?>
      <!-- hello --><ns:List xmlns:ns="http://s3/"><Key>a&amp;b&#x2F;&quot;</Key><Key><![CDATA[<raw>]]></Key><Empty/><A><B>x</B></A></ns:List>
      """
    let list = try #require(SmallXML(parsing: Array(text.utf8)))
    #expect(list.name == "List")
    #expect(list.all("Key").map(\.text) == ["a&b/\"", "<raw>"])
    #expect(list["Empty"]?.text == "")
    #expect(list["A"]?.text("B") == "x")
  }

  @Test(
    "XML that is broken, nested without end or brings its own entities is none",
    arguments: [
      "", "text", "<a>", "<a></b>", "<a", "</a>", "<a>&unknown;</a>", "<a>&#xD800;</a>", "<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>", "<>",
      String(repeating: "<a>", count: 40) + String(repeating: "</a>", count: 40),
      "<a>" + String(repeating: "<b/>", count: 100_001) + "</a>",
    ])
  func noXML(text: String) { #expect(SmallXML(parsing: Array(text.utf8)) == nil) }
}
