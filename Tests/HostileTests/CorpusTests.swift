import Foundation
import Testing

/// Every parser on every input that was written against it or found by a fuzzer, and on a few hundred changes of each. `scripts/fuzz` tries
/// hundreds of thousands.
@Suite("Damaged input") struct CorpusTests {
  private static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures").path

  /// No parser takes longer for an input of these sizes, on a machine that does something else at the time.
  fileprivate static let most = Duration.seconds(10)

  fileprivate static func corpus(_ name: String) -> [(name: String, bytes: [UInt8])] {
    let directory = fixtures + "/" + name
    return ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []).sorted().map { file in
      (file, FileManager.default.contents(atPath: directory + "/" + file).map { [UInt8]($0) } ?? [])
    }
  }

  fileprivate static func parser(_ name: String) throws -> Parser { try #require(Parser.all.first { $0.name == name }) }

  @Test("every parser has a corpus, and every corpus a parser") func complete() throws {
    let directories = try FileManager.default.contentsOfDirectory(atPath: Self.fixtures)
    #expect(Set(directories) == Set(Parser.all.map(\.name)))
    #expect(Set(Parser.all.map(\.name)).count == Parser.all.count)
  }

  /// One test after the other: they share files.
  @Suite("each comes back in time", .serialized) struct EachParser {
    @Test("from every input of its corpus", arguments: Parser.all.map(\.name)) func inputs(name: String) throws {
      let parser = try CorpusTests.parser(name)
      for (file, bytes) in CorpusTests.corpus(name) {
        let time = ContinuousClock().measure { parser.feed(bytes) }
        #expect(time < CorpusTests.most, "\(name)/\(file) took \(time)")
      }
      parser.feed([])
    }

    @Test("from changed ones", arguments: Parser.all.map(\.name)) func mutations(name: String) throws {
      let parser = try CorpusTests.parser(name)
      for (place, (file, bytes)) in CorpusTests.corpus(name).enumerated() where bytes.count <= 1 << 16 {
        var mutation = Mutation(seed: UInt64(place))
        // What a fuzzer found has been changed by it many times.
        for count in 0..<(file.hasPrefix("found-") ? 30 : 150) {
          let changed = mutation.change(bytes)
          let time = ContinuousClock().measure { parser.feed(changed) }
          #expect(time < CorpusTests.most, "change \(count) of \(name)/\(file) took \(time)")
        }
      }
    }
  }
}
