import Hashing
import JSONValues
import Remotes
import ScriptedServers
import Synchronization

/// A registry in memory behind a `ScriptedServer`, as small as the specification lets it be, and with the habits that a test gives it.
final class RegistryDouble: Sendable {
  struct Habits: Sendable {
    /// Requests of more bytes are answered with 413.
    var mostBytes = Int.max
    /// Cuts the connection of the first streams after so many bytes.
    var cuts: [Int] = []
    /// Says `bytes=0-9` and gives absolute places, with a query that has to come back.
    var isOdd = false
    var knowsChunks = true
    var listsReferrers = false
    /// The `OCI-Chunk-Min-Length` that it asks for.
    var minimum: Int?
    /// Forgets all uploads once.
    var forgetsOnce = false
    var tagsAPage = Int.max
  }

  private struct State {
    var habits: Habits
    var blobs: [String: [UInt8]] = [:]
    var uploads: [String: [UInt8]] = [:]
    var manifests: [String: (type: String, bytes: [UInt8])] = [:]
    var next = 0
  }

  private let state: Mutex<State>
  private let place = Mutex<ScriptedServer?>(nil)

  init(_ habits: Habits = Habits()) throws {
    state = Mutex(State(habits: habits))
    let server = try ScriptedServer(cut: { [weak self] in self?.cut($0) }, { [weak self] in self?.answer($0) ?? .plain(500, [:], []) })
    place.withLock { $0 = server }
  }

  var server: ScriptedServer { place.withLock { $0! } }
  var address: String { "oci://\(server.address)/recipes/test" }
  var blobs: [String: [UInt8]] { state.withLock { $0.blobs } }
  var tags: [String] { state.withLock { $0.manifests.keys.filter { !$0.hasPrefix("sha256:") }.sorted() } }
  func manifest(_ tag: String) -> [UInt8]? { state.withLock { $0.manifests[tag]?.bytes } }
  func set(_ tag: String, _ bytes: [UInt8], type: String = OCIManifest.imageType) {
    state.withLock {
      $0.manifests[tag] = (type, bytes)
      $0.manifests[Digest(hashing: bytes).text] = (type, bytes)
    }
  }
  func set(blob digest: Digest, _ bytes: [UInt8]) { state.withLock { $0.blobs[digest.text] = bytes } }

  private func cut(_ request: ScriptedServer.Request) -> Int? {
    guard request.method == "PATCH" else { return nil }
    return state.withLock { $0.habits.cuts.first }
  }

  private func answer(_ request: ScriptedServer.Request) -> ScriptedServer.Answer {
    let path = request.path.dropFirst("/v2/recipes/test/".count)
    return state.withLock { state in
      if path == "blobs/uploads/" || path.hasPrefix("blobs/uploads/") {
        return Self.upload(&state, request, String(path.dropFirst(14)), server)
      }
      if path.hasPrefix("blobs/") { return Self.blob(state, request, String(path.dropFirst(6))) }
      if path.hasPrefix("manifests/") { return Self.manifest(&state, request, String(path.dropFirst(10))) }
      if path == "tags/list" { return Self.list(state, request) }
      return .json(404, #"{"errors":[{"code":"UNSUPPORTED"}]}"#)
    }
  }

  private static func blob(_ state: State, _ request: ScriptedServer.Request, _ digest: String) -> ScriptedServer.Answer {
    guard let bytes = state.blobs[digest] else { return .json(404, #"{"errors":[{"code":"BLOB_UNKNOWN","message":"not here"}]}"#) }
    guard let range = request.headers["range"], let start = Int(range.dropFirst(6).prefix { $0 != "-" }) else {
      return .plain(200, [:], bytes)
    }
    guard start < bytes.count else { return .plain(416, [:], []) }
    return .plain(206, ["content-range": "bytes \(start)-\(bytes.count - 1)/\(bytes.count)"], Array(bytes[start...]))
  }

  private static func upload(
    _ state: inout State, _ request: ScriptedServer.Request, _ id: String, _ server: ScriptedServer
  ) -> ScriptedServer.Answer {
    if request.method == "POST" {
      state.next += 1
      state.uploads["u\(state.next)"] = []
      var headers = whereabouts(state, "u\(state.next)", server)
      headers["oci-chunk-min-length"] = state.habits.minimum.map { String($0) }
      return .plain(202, headers, [])
    }
    if state.habits.forgetsOnce {
      state.habits.forgetsOnce = false
      state.uploads = [:]
    }
    if request.method == "PATCH", !state.habits.cuts.isEmpty {
      // The connection is cut here, and what came stays.
      state.habits.cuts.removeFirst()
      state.uploads[id, default: []] += request.body
      return .silence
    }
    guard var bytes = state.uploads[id] else { return .json(404, #"{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}"#) }
    if state.habits.isOdd, request.parameter("state") != "s/1=" { return .plain(400, [:], []) }
    if request.body.count > state.habits.mostBytes { return .plain(413, [:], []) }
    switch request.method {
    case "GET": return .plain(204, whereabouts(state, id, server), [])
    case "PATCH":
      guard state.habits.knowsChunks else { return .plain(405, [:], []) }
      guard request.headers["content-range"]?.hasPrefix("\(bytes.count)-") == true else {
        return .plain(416, whereabouts(state, id, server), [])
      }
      bytes += request.body
      state.uploads[id] = bytes
      return .plain(202, whereabouts(state, id, server), [])
    default:
      bytes += request.body
      state.uploads[id] = nil
      guard let digest = request.parameter("digest"), Digest(hashing: bytes).text == digest else {
        return .json(400, #"{"errors":[{"code":"DIGEST_INVALID","message":"no"}]}"#)
      }
      state.blobs[digest] = bytes
      return .plain(201, ["docker-content-digest": digest], [])
    }
  }

  private static func whereabouts(_ state: State, _ id: String, _ server: ScriptedServer) -> [String: String] {
    let count = state.uploads[id]?.count ?? 0
    let path = "/v2/recipes/test/blobs/uploads/\(id)"
    return [
      "location": state.habits.isOdd ? "http://\(server.address)\(path)?state=s%2F1%3D" : path,
      "range": (state.habits.isOdd ? "bytes=" : "") + "0-\(max(0, count - 1))",
    ]
  }

  private static func manifest(_ state: inout State, _ request: ScriptedServer.Request, _ reference: String) -> ScriptedServer.Answer {
    guard request.method == "PUT" else {
      guard let (type, bytes) = state.manifests[reference] else { return .json(404, #"{"errors":[{"code":"MANIFEST_UNKNOWN"}]}"#) }
      return .plain(200, ["content-type": type, "docker-content-digest": Digest(hashing: bytes).text], bytes)
    }
    let digest = Digest(hashing: request.body).text
    state.manifests[reference] = (request.headers["content-type"] ?? "", request.body)
    state.manifests[digest] = state.manifests[reference]
    var headers = ["docker-content-digest": digest]
    if state.habits.listsReferrers, String(decoding: request.body, as: UTF8.self).contains(#""subject""#) {
      headers["oci-subject"] = digest
    }
    return .plain(201, headers, [])
  }

  private static func list(_ state: State, _ request: ScriptedServer.Request) -> ScriptedServer.Answer {
    let all = state.manifests.keys.filter { !$0.hasPrefix("sha256:") }.sorted()
    let rest = all.filter { $0 > request.parameter("last") ?? "" }
    let page = rest.prefix(state.habits.tagsAPage)
    var headers: [String: String] = [:]
    if page.count < rest.count, let last = page.last { headers["link"] = "</v2/recipes/test/tags/list?last=\(last)>; rel=\"next\"" }
    return .json(200, #"{"name":"recipes/test","tags":[\#(page.map { "\"\($0)\"" }.joined(separator: ","))]}"#, headers)
  }
}
