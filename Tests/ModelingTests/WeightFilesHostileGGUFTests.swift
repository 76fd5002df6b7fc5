import Foundation
import Kernels
import Modeling
import Testing

@Suite("damaged GGUF") struct WeightFilesHostileGGUFTests {
  private static func good() -> GGUFBuilder {
    var builder = GGUFBuilder()
    builder.add("general.architecture", "llama")
    builder.add("tokens", ["a", "bc"])
    builder.tensors = [("x", [32, 2], 8, nil, [UInt8](repeating: 1, count: 68)), ("y", [3], 0, nil, littleEndian([1, 2, 3] as [Float]))]
    return builder
  }

  private func message(_ bytes: [UInt8]) throws -> String? {
    let directory = try TemporaryDirectory()
    let path = try directory.write(bytes, "m.gguf")
    return failure(in: directory) { _ = try GGUFFile(path: path) }
  }

  private func message(_ change: (inout GGUFBuilder) -> Void) throws -> String? {
    var builder = Self.good()
    change(&builder)
    return try message(builder.bytes)
  }

  @Test("every prefix of a good file is refused") func truncated() throws {
    let whole = Self.good().bytes
    #expect(try message(whole) == nil)
    for count in 0..<whole.count { #expect(try message(Array(whole[..<count])) != nil, "\(count) bytes") }
  }

  @Test("what is no GGUF file, or none that is read, is said so") func kinds() throws {
    #expect(try message(Array("GGMLxxxxxxxx".utf8)) == "m.gguf: does not begin with 'GGUF': not a GGUF file")
    #expect(try message { $0.version = 1 } == "m.gguf: has GGUF version 1; versions 2 and 3 are read")
    #expect(try message { $0.version = 0 } == "m.gguf: has GGUF version 0; versions 2 and 3 are read")
    #expect(try message { $0.version = 0x0300_0000 } == "m.gguf: is a big-endian GGUF file; only little-endian ones are read")
    #expect(
      try message { $0.tensors[0].type = 17 }
        == "m.gguf: tensor 'x' has type IQ2_XS, which is not read; readable: F32, F16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, BF16"
    )
    #expect(try message { $0.tensors[0].type = 999 }?.hasPrefix("m.gguf: tensor 'x' has type number 999, which is not read;") == true)
  }

  @Test("counts and lengths that lie are refused before memory is taken") func counts() throws {
    var many = Self.good().bytes
    many.replaceSubrange(8..<16, with: littleEndian(UInt64.max))
    #expect(
      try message(many)?.hasPrefix("m.gguf: the number of tensors is 18446744073709551615, but only") == true)
    many = Self.good().bytes
    many.replaceSubrange(16..<24, with: littleEndian(UInt64(1 << 40)))
    #expect(try message(many)?.contains("the number of metadata entries is 1099511627776, but only") == true)
    #expect(
      try message { $0.metadata.append(("s", 8, littleEndian(UInt64(1 << 50)))) }?.contains(
        "the length of metadata 's' is 1125899906842624, but only") == true)
    #expect(
      try message { $0.metadata.append(("l", 9, littleEndian(UInt32(4)) + littleEndian(UInt64(1 << 30)))) }?
        .contains("the length of metadata 'l' is 1073741824, but only") == true)
  }

  @Test("metadata that is malformed is named") func metadata() throws {
    #expect(try message { $0.add("tokens", "again") }?.contains("metadata 'tokens' is given twice") == true)
    #expect(try message { $0.metadata.append(("b", 7, [2])) }?.contains("metadata 'b' must be 0 or 1 to be a boolean, not 2") == true)
    #expect(try message { $0.metadata.append(("b", 13, [2])) }?.contains("metadata 'b' has the unknown value type 13") == true)
    #expect(
      try message { $0.metadata.append(("s", 8, littleEndian(UInt64(1)) + [0xFF])) }?.contains("metadata 's' is not valid UTF-8") == true)
    #expect(
      try message { $0.add("general.alignment", 24 as UInt32) } == "m.gguf: general.alignment must be a power of two up to 1048576, not 24")
    let nested = (0..<9).flatMap { _ in littleEndian(UInt32(9)) + littleEndian(UInt64(1)) }
    #expect(try message { $0.metadata.append(("n", 9, nested)) }?.contains("metadata 'n' is nested more than 4 deep") == true)
    #expect(
      try message { $0.metadata.append(("n", 9, littleEndian(UInt32(77)) + littleEndian(UInt64(1)))) }?
        .contains("metadata 'n' has elements of the unknown value type 77") == true)
  }

  @Test("tensors that lie are named") func tensors() throws {
    #expect(try message { $0.tensors[1].name = "x" }?.contains("tensor 'x' is given twice") == true)
    #expect(try message { $0.tensors[1].offset = 32 } == "m.gguf: tensors 'x' and 'y' overlap")
    #expect(try message { $0.tensors[1].offset = 97 }?.contains("no multiple of 32") == true)
    #expect(try message { $0.tensors[1].offset = UInt64.max - 31 }?.contains("lies outside of the file") == true)
    #expect(
      try message { $0.tensors[1].dimensions = [1, 1, 1, 1, 3] }?.contains("tensor 'y' has 5 dimensions; at most 4 are allowed") == true)
    #expect(try message { $0.tensors[1].dimensions = [1 << 60] }?.contains("tensor 'y' has a dimension of 1152921504606846976") == true)
    #expect(
      try message { $0.tensors[1].dimensions = [1 << 40, 1 << 40] }?.contains("it overflows or its rows are no whole blocks") == true)
    #expect(try message { $0.tensors[0].dimensions = [31, 2] }?.contains("it overflows or its rows are no whole blocks") == true)
    #expect(try message { $0.tensors[1].dimensions = [4] }?.contains("truncated") == true)
  }

  @Test("a weight that is not finite names its tensor") func nonFinite() throws {
    let directory = try TemporaryDirectory()
    var file = try bytes(of: fixture("tiny-llama.gguf"))
    let embedding = try #require(try GGUFFile(path: fixture("tiny-llama.gguf"))["token_embd.weight"])
    let place = embedding.offset + (2 * embedding.columns + 5) * 4
    file.replaceSubrange(place..<place + 4, with: littleEndian(Float.infinity.bitPattern))
    let path = try directory.write(file, "m.gguf")
    #expect(
      failure(in: directory) { _ = try LoadedModel.load(path, pool: ThreadPool(threads: 1)) }
        == "m.gguf: tensor 'token_embd.weight' holds inf at row 2, column 5")
  }

  @Test("damaged bytes never crash the reader") func fuzzed() throws {
    let directory = try TemporaryDirectory()
    let whole = Self.good().bytes
    var random = SplitMix(state: 4)
    for _ in 0..<3000 {
      var damaged = whole
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        damaged[Int.random(in: 0..<damaged.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      guard let file = try? GGUFFile(path: try directory.write(damaged, "m.gguf")) else { continue }
      for tensor in file.tensors { _ = try? file.floats(of: tensor) }
    }
  }
}
