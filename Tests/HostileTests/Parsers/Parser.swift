/// Something that reads bytes others wrote. Whatever the bytes are, `feed` has to come back: with an error or without, but without a crash, a
/// hang, or memory out of proportion. The fuzzers and the tests of damaged files feed the same parsers.
struct Parser: Sendable {
  /// Names the directory of its corpus, too.
  let name: String
  /// The longest input worth trying, in bytes.
  let longest: Int
  let feed: @Sendable ([UInt8]) -> Void

  init(_ name: String, longest: Int = 8192, _ feed: @escaping @Sendable ([UInt8]) throws -> Void) {
    self.name = name
    self.longest = longest
    self.feed = { bytes in
      do { try feed(bytes) } catch { withExtendedLifetime("\(error)") {} }  // what is said of an error is made of the input, too
    }
  }

  static let all = text + planning + store + weights + tokenizers + data + checkpoints
}
