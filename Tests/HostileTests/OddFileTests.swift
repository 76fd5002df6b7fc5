import Artifacts
import Datasets
import Foundation
import Hashing
import JSONValues
import Modeling
import Testing
import Tokenization

/// What stands in the place of a file: pipes that nobody writes to, devices without an end, links in circles, names that are none.
@Suite("Odd files") final class OddFileTests {
  private let root = FileManager.default.temporaryDirectory.path + "/heirloom-odd-" + UUID().uuidString

  init() throws { try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true) }

  deinit { try? FileManager.default.removeItem(atPath: root) }

  private func pipe(_ name: String) throws -> String {
    let path = root + "/" + name
    try FileManager.default.createDirectory(atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try #require(mkfifo(path, 0o600) == 0)
    return path
  }

  private func write(_ name: String, _ text: String = "x") throws {
    let path = root + "/" + name
    try FileManager.default.createDirectory(atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
  }

  private func link(_ name: String, to target: String) throws {
    try FileManager.default.createSymbolicLink(atPath: root + "/" + name, withDestinationPath: target)
  }

  private func failure(_ body: () throws -> Void) -> String? {
    do {
      try body()
      return nil
    } catch { return "\((error as? SourceProblem)?.message ?? (error as? OutputSurvey.Refusal)?.message ?? "\(error)")" }
  }

  @Test("a pipe is an error at once, whoever reads it") func pipes() throws {
    let path = try pipe("tree/pipe")
    #expect(failure { _ = try SafetensorsFile(path: path) }?.hasSuffix("is not a regular file") == true)
    #expect(failure { _ = try GGUFFile(path: path) }?.hasSuffix("is not a regular file") == true)
    #expect(failure { _ = try RecordFile(path).records() }?.hasSuffix("is not a regular file") == true)
    #expect(failure { _ = try Tokenizer.load(file: path) }?.hasSuffix("is not a regular file") == true)
    #expect(failure { _ = try FileSystem.posix.read(path) }?.hasSuffix("is not a regular file") == true)
    #expect(try FileSystem.posix.readEnd(path, count: 9) == [])
    #expect(failure { _ = try SourceHasher(path: root + "/remembered").content(of: path) } == "is neither a file nor a directory")
    #expect(
      failure { _ = try SourceHasher(path: root + "/remembered").content(of: root + "/tree") }
        == "holds what is neither a file nor a directory: pipe")
  }

  @Test("a device is no source, nor is a link to one") func devices() throws {
    try write("tree/a")
    try link("tree/zero", to: "/dev/zero")
    #expect(
      failure { _ = try SourceHasher(path: root + "/remembered").content(of: root + "/tree") }
        == "holds what is neither a file nor a directory: zero")
  }

  @Test("links of a source that lead back are said so") func circles() throws {
    try write("tree/a/b")
    try link("tree/a/up", to: "..")
    #expect(
      failure { _ = try SourceHasher(path: root + "/remembered").content(of: root + "/tree") }
        == "holds a link to a directory that it is in: a/up")
  }

  @Test("names with control characters are refused, and shown without them") func names() throws {
    try write("tree/a\nb\u{1B}[2J")
    let hasher = SourceHasher(path: root + "/remembered")
    #expect(failure { _ = try hasher.content(of: root + "/tree") } == "holds a name with a control character: a%0Ab%1B[2J")
    #expect(
      failure { _ = try OutputSurvey(root + "/tree", expecting: .directory, files: .posix) }
        == "holds a name with a control character: a%0Ab%1B[2J")
  }

  @Test("outputs nested too deep are refused") func depth() throws {
    try write("tree/" + String(repeating: "d/", count: 70) + "x")
    #expect(
      failure { _ = try OutputSurvey(root + "/tree", expecting: .directory, files: .posix) } == "is nested deeper than 64 directories")
    #expect(failure { _ = try SourceHasher(path: root + "/r").content(of: root + "/tree") } == "is nested deeper than 64 directories")
  }

  @Test("a short text of a great many values is an error before it is a great deal of memory") func values() throws {
    var many: [UInt8] = [UInt8(ascii: "[")]
    for _ in 0..<1 << 24 { many += [UInt8(ascii: "0"), UInt8(ascii: ",")] }
    #expect(failure { _ = try JSONValue(parsing: many) }?.contains("more values than are read into memory") == true)
    var keys: [UInt8] = [UInt8(ascii: "{")]
    for number in 0..<4_000_000 { keys += Array("\"\(number)\":0,".utf8) }
    #expect(failure { _ = try JSONValue(parsing: keys) }?.contains("more values than are read into memory") == true)
  }

  @Test("a text of a GGUF file that claims more than anybody writes is an error, not its length in memory") func text() throws {
    let header = [UInt8]("GGUF".utf8) + [3, 0, 0, 0] + [UInt8](repeating: 0, count: 8) + [1, 0, 0, 0, 0, 0, 0, 0]
    let value = [1, 0, 0, 0, 0, 0, 0, 0] + [UInt8]("a".utf8) + [8, 0, 0, 0] + [1, 0, 0, 4, 0, 0, 0, 0]
    try Data(header + value).write(to: URL(fileURLWithPath: root + "/text.gguf"))
    let handle = try #require(FileHandle(forWritingAtPath: root + "/text.gguf"))
    try handle.truncate(atOffset: 1 << 27)
    #expect(failure { _ = try GGUFFile(path: root + "/text.gguf") }?.contains("has 67108865 bytes; at most 67108864 are read") == true)
  }

  @Test("a line without an end is an error, not all the memory there is") func lines() throws {
    try Data().write(to: URL(fileURLWithPath: root + "/long.jsonl"))
    let handle = try #require(FileHandle(forWritingAtPath: root + "/long.jsonl"))
    try handle.truncate(atOffset: 1 << 27)
    let file = RecordFile(root + "/long.jsonl", name: "long.jsonl")
    #expect(failure { _ = try file.records() } == "long.jsonl:1: has more than 67108864 bytes")
  }
}
