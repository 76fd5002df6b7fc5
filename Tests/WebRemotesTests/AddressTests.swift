import Remotes
import Testing

@Suite("Addresses of web remotes")
struct AddressTests {
  @Test(
    "an oci address is a registry, a repository and perhaps a tag",
    arguments: [
      ("oci://registry.example/recipes/quickstart:v1", "https://registry.example/", "recipes/quickstart", "v1"),
      ("oci://Registry.example:5000/a", "https://registry.example:5000/", "a", nil),
      ("oci://127.0.0.1:5000/a/b", "http://127.0.0.1:5000/", "a/b", nil),
      ("oci://localhost/a", "http://localhost/", "a", nil),
      ("oci://[::1]:5000/a:x", "http://[::1]:5000/", "a", "x"),
      ("oci://127.0.0.1:5000/a?plain-http=0", "https://127.0.0.1:5000/", "a", nil),
      ("oci://registry.lan:5000/a:t?plain-http=1", "http://registry.lan:5000/", "a", "t"),
      ("oci://127.evil.example/a", "https://127.evil.example/", "a", nil),
      ("oci://docker.io/you/a", "https://registry-1.docker.io/", "you/a", nil),
    ] as [(String, String, String, String?)])
  func ociParts(text: String, server: String, repository: String, tag: String?) throws {
    let address = try OCIAddress(text)
    #expect(address.server.description == server)
    #expect(address.repository == repository)
    #expect(address.tag == tag)
    #expect(try RemoteAddress(text).open(environment: [:]).tag == tag)
  }

  @Test(
    "what is no oci address is told in one line",
    arguments: [
      ("oci://", "oci://: expected oci://REGISTRY/REPOSITORY[:TAG]"),
      ("oci://host", "oci://host: the repository is missing: oci://host/REPOSITORY[:TAG]"),
      ("oci://host/Upper", "oci://host/Upper: a repository has small letters, digits and single '.', '_', '-' in parts divided by '/'"),
      ("oci://host/a/../b", "oci://host/a/../b: a repository has small letters, digits and single '.', '_', '-' in parts divided by '/'"),
      ("oci://host:99999/a", "oci://host:99999/a: expected oci://REGISTRY/REPOSITORY[:TAG]"),
      ("oci://me@host/a", "oci://me@host/a: expected oci://REGISTRY/REPOSITORY[:TAG]"),
      (
        "oci://host/a:-x",
        "oci://host/a:-x: a tag has 1 to 128 letters, digits, '_', '.' and '-', and begins with none of the last two"
      ),
      ("oci://host/a?plain-htp=1", "oci://host/a?plain-htp=1: unknown option 'plain-htp'; did you mean 'plain-http'?"),
      ("oci://host/a?plain-http=maybe", "oci://host/a?plain-http=maybe: 'plain-http' is 1 or 0"),
      ("oci://host/a?plain-http=1&plain-http=1", "oci://host/a?plain-http=1&plain-http=1: 'plain-http' is there twice"),
      ("oci://host/a b", "oci://host/a b: an address has no spaces and no control characters"),
    ])
  func ociErrors(text: String, message: String) throws {
    let error = #expect(throws: RemoteError.self) { try OCIAddress(text) }
    #expect(error == RemoteError(.usage, message))
  }

  @Test("an s3 address is a bucket, a prefix and options")
  func s3Parts() throws {
    let address = try S3Address("s3://a-bucket/some/prefix/?endpoint=http://127.0.0.1:7480&region=eu-central-1&path-style=0&anonymous=1")
    #expect(address.bucket == "a-bucket")
    #expect(address.prefix == "some/prefix")
    #expect(address.endpoint?.description == "http://127.0.0.1:7480/")
    #expect(address.region == "eu-central-1")
    #expect(address.isPathStyle == false)
    #expect(address.isAnonymous)
    #expect(address.text == "s3://a-bucket/some/prefix")
  }

  @Test(
    "what is no s3 address is told in one line",
    arguments: [
      ("s3://A", "s3://A: expected s3://BUCKET/PREFIX; a bucket has 3 to 63 small letters, digits, '-' and '.'"),
      ("s3://bucket/a/../b", "s3://bucket/a/../b: a prefix has no '.' and '..'"),
      ("s3://bucket?region=x/y", "s3://bucket?region=x/y: 'x/y' is no region"),
      ("s3://bucket?endpoint=ftp://x", "s3://bucket: 'ftp://x' is no endpoint; one is http://HOST:PORT or https://HOST"),
    ])
  func s3Errors(text: String, message: String) throws {
    let error = #expect(throws: RemoteError.self) { try S3Address(text) }
    #expect(error == RemoteError(.usage, message))
  }

  @Test("addresses of other kinds are nobody's here")
  func others() throws {
    #expect(try RemoteAddress("dir:/mnt/share").tag == nil)
    #expect(try RemoteAddress("ssh://host/path").tag == nil)
    #expect(try RemoteAddress("s3://bucket/a:b?anonymous=1").open(environment: [:]).tag == nil)
  }

  @Test(
    "a location leads where the standard says",
    arguments: [
      ("https://other.example/x?y=1#z", "https://other.example/x?y=1"),
      ("//other.example/x", "http://other.example/x"),
      ("/v2/a/blobs/uploads/1?_state=a%3D%3D", "http://host:5000/v2/a/blobs/uploads/1?_state=a%3D%3D"),
      ("2?x", "http://host:5000/v2/a/blobs/uploads/2?x"),
      ("?x=2", "http://host:5000/v2/a/blobs/uploads/1?x=2"),
    ])
  func locations(text: String, result: String) throws {
    let base = try #require(WebURL("http://host:5000/v2/a/blobs/uploads/1?_state=b"))
    #expect(base.resolving(text)?.description == result)
  }

  @Test(
    "a location that is none leads nowhere",
    arguments: [
      "", "ftp://x/", "http://", "http://user:password@x/", "http://x\r\nset-cookie: a/", "http://x:0/", "http://[::1/",
      "file:///etc/passwd",
    ])
  func noLocations(text: String) throws {
    let base = try #require(WebURL("http://host/a"))
    #expect(base.resolving(text) == nil)
  }

  @Test("documents are called so that no recipe's name meets another's")
  func tags() throws {
    let names = [
      "quickstart", "result-abc", "tag-x", "sha256-" + String(repeating: "a", count: 64), "recipe-quickstart", "run-quickstart",
      "statement-1",
    ]
    let documents = try RemoteDocument.Kind.allCases.flatMap { kind in try names.map { try #require(RemoteDocument(kind, $0)) } }
    let tags = documents.map(OCITag.of)
    #expect(Set(tags).count == tags.count)
    for document in documents { #expect(OCITag.document(OCITag.of(document), document.kind) == document) }
    let long = try #require(RemoteDocument(.statements, String(repeating: "a", count: 128)))
    #expect(OCITag.of(long).utf8.count <= 128)
    #expect(OCITag.document(OCITag.of(long), .statements) == nil)
    #expect(OCITag.document("latest", .results) == nil)
    #expect(OCITag.document("latest", .tags)?.name == "latest")
  }

  @Test(
    "proxies are taken from the environment, and left out for what NO_PROXY names",
    arguments: [
      ("https://registry.example/", "proxy.example"), ("https://inside.lan/", nil), ("https://a.inside.lan/", nil),
      ("https://notinside.lan/", "proxy.example"),
      ("https://127.0.0.1:5000/", nil), ("http://registry.example/", "plain.example"), ("https://port.example:8443/", nil),
      ("https://port.example/", "proxy.example"),
    ] as [(String, String?)])
  func proxies(url: String, host: String?) throws {
    let proxies = Proxies([
      "HTTPS_PROXY": "http://me:pass%20word@proxy.example:3128", "http_proxy": "plain.example:3128", "HTTP_PROXY": "ignored.example",
      "no_proxy": ".inside.lan, port.example:8443",
    ])
    #expect(proxies.proxy(for: try #require(WebURL(url)))?.host == host)
  }
}
