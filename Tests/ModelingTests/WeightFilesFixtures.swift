import Foundation
import JSONValues
import Kernels
import Modeling

/// A directory that lasts as long as the value.
final class TemporaryDirectory {
  let path = FileManager.default.temporaryDirectory.appendingPathComponent("heirloom-\(UUID().uuidString)").path

  init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// A file that is there already is removed first: file systems write a truncated one back at once, which takes milliseconds.
  @discardableResult func write(_ bytes: [UInt8], _ name: String) throws -> String {
    try? FileManager.default.removeItem(atPath: path + "/" + name)
    try Data(bytes).write(to: URL(fileURLWithPath: path + "/" + name))
    return path + "/" + name
  }

  @discardableResult func write(_ text: String, _ name: String) throws -> String { try write(Array(text.utf8), name) }
}

func fixture(_ name: String) -> String {
  URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures/\(name)").path
}

func bytes(of path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path))) }

func littleEndian<T: FixedWidthInteger>(_ value: T) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }

func littleEndian(_ values: [Float]) -> [UInt8] { values.flatMap { littleEndian($0.bitPattern) } }

/// A safetensors file from a header text and data, right or wrong.
func safetensors(_ header: String, data: [UInt8]) -> [UInt8] { littleEndian(UInt64(header.utf8.count)) + Array(header.utf8) + data }

/// What goes wrong, with the directory taken out of the text; nil when nothing does.
func failure(in directory: TemporaryDirectory? = nil, _ body: () throws -> Void) -> String? {
  do {
    try body()
    return nil
  } catch {
    let text = "\(error)"
    return directory.map { text.replacingOccurrences(of: $0.path + "/", with: "").replacingOccurrences(of: $0.path, with: "DIR") } ?? text
  }
}

/// A small model whose parameters all differ.
func smallModel(_ family: ModelConfiguration.Family = .llama, tied: Bool = true) -> (ModelConfiguration, ParameterArena) {
  let configuration = ModelConfiguration(
    family: family, vocabularySize: 11, hiddenSize: 8, intermediateSize: 12, layers: 2, heads: 2, keyValueHeads: 1, headDimension: 4,
    tieEmbeddings: tied, bosToken: 1, eosTokens: [2])
  let arena = ParameterArena(configuration)
  for entry in arena.layout.entries {
    for index in 0..<entry.count { arena.pointer[entry.offset + index] = Float(entry.offset + index) / 512 - 1.3 }
  }
  return (configuration, arena)
}

func values(_ arena: ParameterArena, _ name: String) -> [Float] {
  Array(UnsafeBufferPointer(start: arena.view(name), count: arena.layout[name]?.count ?? 0))
}

/// A GGUF file, right or wrong.
struct GGUFBuilder {
  var version: UInt32 = 3
  var metadata: [(key: String, type: UInt32, value: [UInt8])] = []
  /// Dimensions fastest first, as in the file; offset nil: after the tensor before.
  var tensors: [(name: String, dimensions: [UInt64], type: UInt32, offset: UInt64?, data: [UInt8])] = []

  static func string(_ text: String) -> [UInt8] { littleEndian(UInt64(text.utf8.count)) + Array(text.utf8) }

  mutating func add(_ key: String, _ value: String) { metadata.append((key, 8, Self.string(value))) }
  mutating func add(_ key: String, _ value: UInt32) { metadata.append((key, 4, littleEndian(value))) }
  mutating func add(_ key: String, _ value: Float) { metadata.append((key, 6, littleEndian(value.bitPattern))) }
  mutating func add(_ key: String, _ values: [String]) {
    metadata.append((key, 9, littleEndian(UInt32(8)) + littleEndian(UInt64(values.count)) + values.flatMap(Self.string)))
  }

  var bytes: [UInt8] {
    var head = Array("GGUF".utf8) + littleEndian(version) + littleEndian(UInt64(tensors.count)) + littleEndian(UInt64(metadata.count))
    for entry in metadata { head += Self.string(entry.key) + littleEndian(entry.type) + entry.value }
    var data: [UInt8] = []
    for tensor in tensors {
      data += [UInt8](repeating: 0, count: (32 - data.count % 32) % 32)
      head += Self.string(tensor.name) + littleEndian(UInt32(tensor.dimensions.count)) + tensor.dimensions.flatMap { littleEndian($0) }
      head += littleEndian(tensor.type) + littleEndian(tensor.offset ?? UInt64(data.count))
      data += tensor.data
    }
    return head + [UInt8](repeating: 0, count: (32 - head.count % 32) % 32) + data
  }
}

/// A generator of bits for tests; the same every time.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z &>> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z &>> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z &>> 31)
  }
}
