import Foundation
import Modeling
import Testing

@Suite("damaged safetensors") struct WeightFilesHostileSafetensorsTests {
  static let good = #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1,2],"data_offsets":[8,16]}}"#

  @Test(
    "a header that lies is one error that says how",
    arguments: [
      (
        #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}"#,
        "the header is not valid JSON: line 1, column 54: expected ',' or '}' in an object"
      ),
      (#"[]"#, "the header does not begin with '{'"),
      (#" {}"#, "the header does not begin with '{'"),
      (#"{"a":1}"#, "tensor 'a' must be an object, not an integer"),
      (#"{"a":{"shape":[2],"data_offsets":[0,8]}}"#, "tensor 'a' has no dtype"),
      (#"{"a":{"dtype":"F32","shape":[2,-1],"data_offsets":[0,8]}}"#, "tensor 'a': shape must be a list of sizes"),
      (#"{"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}}"#, "tensor 'a': shape must be a list of sizes"),
      (#"{"a":{"dtype":"F32","data_offsets":[0,8]}}"#, "tensor 'a': shape must be a list of sizes"),
      (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#, "tensor 'a': data_offsets must be a start and an end"),
      (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}}"#, "tensor 'a': data_offsets must be a start and an end"),
      (
        #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,18446744073709551616]}}"#, "tensor 'a': data_offsets must be a start and an end"
      ),
      (
        #"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,16]}}"#,
        "tensor 'a' of shape [3] and dtype F32 takes 12 bytes; its data_offsets give 16"
      ),
      (
        #"{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,16]}}"#,
        "tensor 'a' of shape [4294967296, 4294967296] and dtype F32 has no size in bytes: it overflows or is no whole number"
      ),
      (
        #"{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,2]}}"#,
        "tensor 'a' of shape [3] and dtype F4 has no size in bytes: it overflows or is no whole number"
      ),
      (
        #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}"#,
        #"the header is not valid JSON: line 1, column 55: duplicate key "a""#
      ),
      (
        #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[3],"data_offsets":[4,16]}}"#,
        "tensors 'a' and 'b' overlap: one ends at byte 8, the other starts at 4"
      ),
      (
        #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[12,16]}}"#,
        "tensor 'b' leaves a hole: it starts at byte 12, the data before it ends at 8"
      ),
      (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, "the tensors take 8 bytes, but 16 follow the header"),
      (#"{"a":{"dtype":"F32","shape":[5],"data_offsets":[0,20]}}"#, "the tensors take 20 bytes, but only 16 follow the header: truncated"),
      (
        #"{"__metadata__":{"format":1},"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}"#,
        "__metadata__ 'format' must be a string, not an integer"
      ),
      (#"{"__metadata__":3,"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}"#, "__metadata__ must be an object, not an integer"),
      (#"{"a":[[[[[[[[[[[]]]]]]]]]]]}"#, "the header is not valid JSON: line 1, column 13: nested more than 8 deep"),
    ]) func lies(header: String, message: String) throws
  {
    let directory = try TemporaryDirectory()
    let path = try directory.write(safetensors(header, data: [UInt8](repeating: 0, count: 16)), "m")
    #expect(failure(in: directory) { _ = try SafetensorsFile(path: path) } == "m: " + message)
  }

  @Test("an unknown dtype is named, with those that are known") func unknownType() throws {
    let directory = try TemporaryDirectory()
    let path = try directory.write(safetensors(#"{"a":{"dtype":"F7","shape":[2],"data_offsets":[0,8]}}"#, data: []), "m")
    let message = failure(in: directory) { _ = try SafetensorsFile(path: path) }
    #expect(message?.hasPrefix("m: tensor 'a' has the unknown dtype 'F7'; known: BOOL, F4, F6_E2M3,") == true)
  }

  @Test("every prefix of a good file is refused") func truncated() throws {
    let directory = try TemporaryDirectory()
    let whole = safetensors(Self.good, data: littleEndian([1, 2, 3, 4] as [Float]))
    #expect(failure { _ = try SafetensorsFile(path: try directory.write(whole, "m")) } == nil)
    for count in 0..<whole.count {
      let path = try directory.write(Array(whole[..<count]), "m")
      #expect(failure { _ = try SafetensorsFile(path: path) } != nil, "\(count) bytes")
    }
  }

  @Test(
    "lengths that lie are refused before anything is read",
    arguments: [
      ([1, 2, 3], "m: is 3 bytes long; a safetensors file begins with an 8-byte header length"),
      (
        littleEndian(UInt64.max),
        "m: gives its header 18446744073709551615 bytes, more than the format's limit of 100000000: not a safetensors file"
      ),
      (
        littleEndian(UInt64(100_000_001)),
        "m: gives its header 100000001 bytes, more than the format's limit of 100000000: not a safetensors file"
      ),
      (littleEndian(UInt64(99_000_000)), "m: gives its header 99000000 bytes, but ends 0 bytes after the length: truncated"),
    ] as [([UInt8], String)]) func lengths(bytes: [UInt8], message: String) throws
  {
    let directory = try TemporaryDirectory()
    let path = try directory.write(bytes, "m")
    #expect(failure(in: directory) { _ = try SafetensorsFile(path: path) } == message)
  }

  @Test("what is no file is said so") func noFile() throws {
    let directory = try TemporaryDirectory()
    #expect(
      failure(in: directory) { _ = try SafetensorsFile(path: directory.path + "/none") }
        == "none: cannot be opened: No such file or directory")
    #expect(failure(in: directory) { _ = try SafetensorsFile(path: directory.path) } == "DIR: is not a regular file")
  }

  @Test("names that are canonically equal are different tensors") func canonicalEquivalence() throws {
    let directory = try TemporaryDirectory()
    let header =
      #"{"é":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"e"# + "\u{301}" + #"":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}"#
    let file = try SafetensorsFile(path: try directory.write(safetensors(header, data: [7, 8]), "m"))
    #expect(try file.bytes(of: #require(file["é"])) == [7])
    #expect(try file.bytes(of: #require(file["e\u{301}"])) == [8])
  }

  @Test("a file that shrinks while it is open is an error") func shrinks() throws {
    let directory = try TemporaryDirectory()
    let path = try directory.write(safetensors(Self.good, data: littleEndian([1, 2, 3, 4] as [Float])), "m")
    let file = try SafetensorsFile(path: path)
    #expect(truncate(path, 100) == 0)
    #expect(failure { _ = try file.floats(of: file.tensors[1]) } != nil)
  }

  @Test("weights that are no floats are refused as weights") func integers() throws {
    let directory = try TemporaryDirectory()
    let file = try SafetensorsFile(
      path: try directory.write(safetensors(#"{"a":{"dtype":"I8","shape":[1],"data_offsets":[0,1]}}"#, data: [1]), "m"))
    #expect(
      failure(in: directory) { _ = try file.floats(of: file.tensors[0]) }
        == "m: tensor 'a' has dtype I8; weights must be one of F16, BF16, F32, F64")
  }

  @Test("damaged bytes never crash the reader") func fuzzed() throws {
    let directory = try TemporaryDirectory()
    let whole = safetensors(Self.good, data: littleEndian([1, 2, 3, 4] as [Float]))
    var random = SplitMix(state: 3)
    for _ in 0..<3000 {
      var damaged = whole
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        damaged[Int.random(in: 0..<damaged.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      guard let file = try? SafetensorsFile(path: try directory.write(damaged, "m")) else { continue }
      for tensor in file.tensors { _ = try? file.floats(of: tensor) }
    }
  }
}

@Suite("sharded weights") struct WeightFilesShardTests {
  private func sharded(_ weightMap: String, shards: [String: String]) throws -> TemporaryDirectory {
    let directory = try TemporaryDirectory()
    try directory.write(#"{"metadata":{"total_size":1},"weight_map":\#(weightMap)}"#, WeightSource.indexName)
    for (name, tensor) in shards {
      let header = #"{"\#(tensor)":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#
      try directory.write(safetensors(header, data: littleEndian([Float(name.utf8.count)])), name)
    }
    return directory
  }

  @Test("tensors are found wherever they lie") func found() throws {
    let directory = try sharded(#"{"y":"2","x":"11"}"#, shards: ["11": "x", "2": "y"])
    let source = try WeightSource.directory(directory.path)
    #expect(source.tensors.map(\.name) == ["x", "y"])
    let place = try #require(source.location(of: "x"))
    #expect(try place.file.floats(of: place.tensor) == [2])
  }

  @Test(
    "an index that lies is one error that says how",
    arguments: [
      (#"{"x":"1","y":"2"}"#, ["1": "x"], "names the shard '2' for 1 tensor, but there is no such file"),
      (#"{"x":"1","y":"1"}"#, ["1": "x"], "maps tensor 'y' to '1', but no shard holds it"),
      (#"{"x":"1","y":"1","z":"2"}"#, ["1": "x", "2": "y"], "maps tensor 'y' to '1', but it stands in 'DIR/2'"),
      (#"{"y":"2"}"#, ["1": "x", "2": "x"], "maps tensor 'y' to '2', but no shard holds it"),
      (#"{"x":"../1"}"#, ["1": "x"], "tensor 'x' is mapped to '../1', which is not the name of a file beside the index"),
      (#"{"x":"/etc/passwd"}"#, [:], "tensor 'x' is mapped to '/etc/passwd', which is not the name of a file beside the index"),
      (#"{"x":".."}"#, [:], "tensor 'x' is mapped to '..', which is not the name of a file beside the index"),
      (#"{"x":"a\u0000b"}"#, [:], "tensor 'x' is mapped to 'a\0b', which is not the name of a file beside the index"),
      (#"{"x":""}"#, [:], "tensor 'x' is mapped to '', which is not the name of a file beside the index"),
      (#"{"x":1}"#, [:], "tensor 'x' must be mapped to a file name, not an integer"),
      (#"{}"#, [:], "'weight_map' names no tensors"),
      (#"[]"#, [:], "has no object 'weight_map'"),
    ] as [(String, [String: String], String)]) func lies(map: String, shards: [String: String], message: String) throws
  {
    let directory = try sharded(map, shards: shards)
    let found = failure { _ = try WeightSource.directory(directory.path) }?.replacingOccurrences(of: directory.path, with: "DIR")
    #expect(found == "DIR/\(WeightSource.indexName): \(message)")
  }

  @Test("a tensor in two shards, and one that the index does not name, are refused") func strays() throws {
    let twice = try sharded(#"{"x":"1","y":"2"}"#, shards: ["1": "x", "2": "x"])
    #expect(failure(in: twice) { _ = try WeightSource.directory(twice.path) } == "2: tensor 'x' also stands in '1'")
    let stray = try sharded(#"{"x":"1"}"#, shards: ["1": "x"])
    let header = #"{"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"w":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}"#
    try stray.write(safetensors(header, data: [0, 0]), "1")
    #expect(
      failure(in: stray) { _ = try WeightSource.directory(stray.path) }
        == "\(WeightSource.indexName): does not name tensor 'w', which stands in one of its shards")
  }

  @Test("a directory without weights says what was looked for") func none() throws {
    let directory = try TemporaryDirectory()
    #expect(
      failure(in: directory) { _ = try WeightSource.directory(directory.path) }
        == "DIR: holds neither model.safetensors nor model.safetensors.index.json")
    try directory.write("x", "pytorch_model.bin")
    #expect(
      failure(in: directory) { _ = try WeightSource.directory(directory.path) }
        == "DIR: holds pickled weights (pytorch_model.bin), which are not read; save the model as safetensors")
  }
}
