import Foundation
import Hashing
import JSONValues
import Reporting
import Testing

/// Event files: the golden bytes were read by TensorBoard 2.21's own reader (`scripts/check-tensorboard.py`), number for number.
@Suite("TensorBoard's event files") struct TensorBoardTests {
  @Test("checksums are those of RFC 3720")
  func checksums() {
    #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
    #expect(CRC32C.checksum((0..<32).map { UInt8($0) }) == 0x46DD_794E && CRC32C.checksum("123456789".utf8) == 0xE306_9283)
  }

  /// Reads the records back: what `loss` is at each step.
  private static func events(_ bytes: [UInt8]) throws -> [[UInt8]] {
    var rest = bytes[...]
    var messages: [[UInt8]] = []
    func word(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) } }
    while !rest.isEmpty {
      let length = rest.prefix(8)
      let count = Int(word(length))
      #expect(word(rest.dropFirst(8).prefix(4)) == UInt64(CRC32C.masked(length)))
      let message = rest.dropFirst(12).prefix(count)
      try #require(message.count == count)
      #expect(word(rest.dropFirst(12 + count).prefix(4)) == UInt64(CRC32C.masked(message)))
      messages.append(Array(message))
      rest = rest.dropFirst(16 + count)
    }
    return messages
  }

  @Test("a file a training, a record a step, the same bytes every time")
  func files() throws {
    let run = try ReportTests.whole()
    let files = try run.report().tensorBoardFiles
    #expect(files.map(\.path).count == 1 && files[0].path.hasPrefix("train/events.out.tfevents.") && files[0].path.hasSuffix(".heirloom"))
    #expect(try run.report().tensorBoardFiles[0].bytes == files[0].bytes)
    let messages = try Self.events(files[0].bytes)
    #expect(messages.count == 5 && String(decoding: messages[0].suffix(13), as: UTF8.self) == "brain.Event:2")
    // wall_time (9 bytes), step 1 (2), then a summary (2 and 13 + 22): loss 1 and learning_rate 0.00125 as float32; kl is null there.
    #expect(
      Array(messages[1].dropFirst(9)) == [
        0x10, 1, 0x2A, 35, 0x0A, 11, 0x0A, 4, 0x6C, 0x6F, 0x73, 0x73, 0x15, 0, 0, 0x80, 0x3F, 0x0A, 20, 0x0A, 13,
      ] + Array("learning_rate".utf8) + [0x15, 0x0A, 0xD7, 0xA3, 0x3A])
  }

  @Test("instances whose names are long or hold slashes have directories of their own")
  func names() throws {
    let run = try SyntheticRun()
    let long = String(repeating: "n", count: 300)
    for name in ["a/b", "..", long + "1", long + "2"] { try run.add(name, "train/sft", outputs: [.init("log", "json", Records.log(2))]) }
    try run.finish()
    let directories = try run.report().tensorBoardFiles.map { $0.path.split(separator: "/") }
    #expect(
      directories.allSatisfy { $0.count == 2 && $0[0].utf8.count <= 200 && $0[0] != ".." } && Set(directories.map { $0[0] }).count == 4)
  }
}
