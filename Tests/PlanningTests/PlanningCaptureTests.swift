import JSONValues
import Planning
import Synchronization
import Testing

struct PlanningCaptureTests {
  /// One file whose content anybody may change.
  private final class Shelf: Sendable {
    let text = Mutex("first")

    var files: ProjectFiles {
      ProjectFiles(
        read: { path, _ in path == "/p/a" ? .success(self.text.withLock { Array($0.utf8) }) : .failure(.init("No such file or directory"))
        },
        kind: { path in path == "/p/a" ? .file : path == "/p" ? .directory : nil }, list: { path in path == "/p" ? ["a"] : [] })
    }
  }

  private static func text(_ files: ProjectFiles, _ path: String) -> String? {
    (try? files.read(path, 100).get()).map { String(decoding: $0, as: UTF8.self) }
  }

  @Test("answers stay what they were first, while the plan is made and ever after")
  func firstAnswerStays() throws {
    let shelf = Shelf()
    let camera = PlanningCamera()
    let watched = camera.watching(shelf.files)
    #expect(Self.text(watched, "/p/a") == "first")
    shelf.text.withLock { $0 = "second" }
    #expect(Self.text(watched, "/p/a") == "first")
    #expect(Self.text(camera.capture.files, "/p/a") == "first")
  }

  @Test("what was not asked then is not there")
  func unasked() {
    let camera = PlanningCamera()
    let watched = camera.watching(Shelf().files)
    #expect(watched.kind("/p/a") == .file)
    let again = camera.capture.files
    #expect(again.kind("/p/a") == .file && again.kind("/p") == nil && Self.text(again, "/p/a") == nil && again.list("/p") == [])
  }

  @Test("every kind of answer survives being written down, bytes that are no text among them")
  func json() throws {
    let camera = PlanningCamera()
    let bytes: [UInt8] = [0xFF, 0x00, 0x0A]
    let watched = camera.watching(
      ProjectFiles(
        read: { path, _ in
          switch path {
          case "/bytes": .success(bytes)
          case "/text": .success(Array("é\r\n\"".utf8))
          default: .failure(.init("Permission denied"))
          }
        }, kind: { ["/bytes": .file, "/d": .directory, "/pipe": .other][$0] }, list: { _ in ["a b", "\u{1}"] }))
    for path in ["/bytes", "/text", "/closed"] { _ = watched.read(path, 7) }
    for path in ["/bytes", "/d", "/pipe", "/nothing"] { _ = watched.kind(path) }
    _ = watched.list("/d")
    let capture = camera.capture
    #expect(capture.answers.count == 8)
    let text = String(decoding: capture.json.encodedBytes(), as: UTF8.self)
    let again = try #require(PlanningCapture(json: try JSONValue(parsing: Array(text.utf8))))
    #expect(again == capture)
    #expect(try again.files.read("/bytes", 7).get() == bytes)
    #expect(again.contents.map(\.path) == ["/bytes", "/text"])
  }

  @Test(
    "what is no capture is refused",
    arguments: [
      "{}", "[1]", #"[["read", "/a", 5, "hex", "0"]]"#, #"[["read", "/a", 5, "hex", "zz"]]"#, #"[["read", "/a"]]"#,
      #"[["kind", "/a", "socket"]]"#, #"[["kind", "/a"]]"#, #"[["list", "/a", 3]]"#, #"[["list", "/a", ["b", 3]]]"#,
      #"[["write", "/a", 3]]"#,
      #"[["unreadable", "/a", "x", "y"]]"#, #"[["read", "/a", 5, "base64", ""]]"#,
    ])
  func malformed(_ text: String) throws { #expect(PlanningCapture(json: try JSONValue(parsing: Array(text.utf8))) == nil) }

  @Test("a recipe is planned the same from its capture, when its files are gone")
  func recipe() throws {
    let project = Project(ExpansionTests.sweep, sources: ["base/config.json"])
    let camera = PlanningCamera()
    let plan = { (files: ProjectFiles) in
      try Recipe.load("pipelines/x.yaml", RecipeOptions(), PlanningEnvironment(workingDirectory: "/project", files: files)).graph
    }
    let graph = try plan(camera.watching(.inMemory(project.texts)))
    let again = try plan(camera.capture.files)
    #expect(again.instances.map(\.name) == graph.instances.map(\.name) && !graph.instances.isEmpty)
    #expect(again.instances.map(\.parameters) == graph.instances.map(\.parameters))
  }
}
