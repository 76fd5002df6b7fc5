import JSONValues
import Modeling
import Testing

@Suite("safetensors") struct WeightFilesSafetensorsTests {
  @Test("a file of the reference library is read: types, shapes, order, values") func reference() throws {
    let file = try SafetensorsFile(path: fixture("reference.safetensors"))
    #expect(
      file.tensors.map(\.name) == ["quote\"and\\slash/\n", "scalar", "b", "empty", "ints", "a", "a.é", "shorts", "small", "bytes", "B"])
    #expect(file.header.metadata.map { "\($0.key)=\($0.value)" } == ["format=pt"])
    let b = try #require(file["b"])
    #expect(b.shape == [2, 3])
    let subnormal = Float(bitPattern: 71362)
    #expect(try file.floats(of: b) == [1, -2.5, 3.25, 0, 0, subnormal])
    #expect(try file.floats(of: b)[4].sign == .minus)
    #expect(try file.floats(of: #require(file["a"])) == [1, 2])
    #expect(try file.floats(of: #require(file["a.é"])) == [0.5, -65504, 5.9604645e-8])
    #expect(try file.floats(of: #require(file["scalar"])) == [2.5])
    #expect(try file.floats(of: #require(file["empty"])) == [])
    #expect(try file.bytes(of: #require(file["small"])) == [0x80])
    #expect(file["a.e\u{301}"] == nil)
  }

  @Test("what is written has the bytes of the reference library") func writing() throws {
    let directory = try TemporaryDirectory()
    let source = try SafetensorsFile(path: fixture("reference.safetensors"))
    let declarations = source.tensors.reversed().map { TensorDeclaration(name: $0.name, type: $0.type, shape: $0.shape) }
    let writer = try SafetensorsWriter(path: directory.path + "/copy", declaring: declarations)
    for tensor in writer.tensors.reversed() {
      let data = try source.bytes(of: #require(source[tensor.name]))
      try data.withUnsafeBytes { try writer.write($0, to: tensor) }
    }
    #expect(failure { _ = try SafetensorsFile(path: directory.path + "/copy") } != nil, "nothing appears before it is whole")
    try writer.finish()
    #expect(try bytes(of: directory.path + "/copy") == bytes(of: fixture("reference.safetensors")))
  }

  @Test("an unfinished file leaves nothing behind") func abandoned() throws {
    let directory = try TemporaryDirectory()
    do {
      let writer = try SafetensorsWriter(path: directory.path + "/x", declaring: [TensorDeclaration(name: "a", type: .f32, shape: [4])])
      #expect(writer.tensors.count == 1)
    }
    #expect(try filesIn(directory.path).isEmpty)
  }

  @Test("float32 rounds to bfloat16 and float16 as torch does", arguments: [("bfloat16", ElementType.bf16), ("float16", .f16)])
  func rounding(name: String, type: ElementType) throws {
    let golden = try JSONValue(contentsOf: fixture("rounding.json"))
    let inputs = try #require(golden["float32"]?.arrayValue).compactMap { $0.integerValue.map { Float(bitPattern: UInt32($0)) } }
    let expected = try #require(golden[name]?.arrayValue).compactMap { $0.integerValue.map { UInt16($0) } }
    var stored = [UInt16](repeating: 0, count: inputs.count)
    stored.withUnsafeMutableBytes { FloatConversion.store(inputs, type, count: inputs.count, to: $0.baseAddress!) }
    #expect(stored == expected)
  }

  @Test("a NaN stays a NaN in every type", arguments: ElementType.floats) func nan(type: ElementType) {
    let inputs: [Float] = [Float(bitPattern: 0x7FFF_FFFF), Float(bitPattern: 0x7F80_0001), Float(bitPattern: 0xFFFF_FFFF)]
    var stored = [UInt64](repeating: 0, count: inputs.count)
    var back = [Float](repeating: 0, count: inputs.count)
    stored.withUnsafeMutableBytes {
      FloatConversion.store(inputs, type, count: inputs.count, to: $0.baseAddress!)
      FloatConversion.load($0.baseAddress!, type, count: inputs.count, to: &back)
    }
    #expect(back.allSatisfy { $0.isNaN })
    #expect(FloatConversion.firstNonFinite([0, 1, .infinity, .nan], count: 4) == 2)
    #expect(FloatConversion.firstNonFinite([0, 1, .greatestFiniteMagnitude], count: 3) == nil)
  }

  @Test("all bfloat16 and float16 values survive a round trip", arguments: [ElementType.bf16, .f16]) func roundTrip(type: ElementType) {
    let all = (0...UInt16.max).map { $0 }
    var floats = [Float](repeating: 0, count: all.count)
    var back = [UInt16](repeating: 0, count: all.count)
    all.withUnsafeBytes { FloatConversion.load($0.baseAddress!, type, count: all.count, to: &floats) }
    back.withUnsafeMutableBytes { FloatConversion.store(floats, type, count: all.count, to: $0.baseAddress!) }
    #expect(zip(all, back).allSatisfy { floats[Int($0)].isNaN || $0 == $1 })
  }

  @Test("any part of a long tensor is read, in every float type", arguments: ElementType.floats) func parts(type: ElementType) throws {
    let directory = try TemporaryDirectory()
    let values = (0..<100_000).map { Float($0 % 251) - 125 }
    let writer = try SafetensorsWriter(
      path: directory.path + "/x", declaring: [TensorDeclaration(name: "t", type: type, shape: [100, 1000])], metadata: [])
    try writer.write(values, count: values.count, to: writer.tensors[0])
    try writer.finish()
    let file = try SafetensorsFile(path: directory.path + "/x")
    let tensor = try #require(file["t"])
    #expect(try file.floats(of: tensor) == values)
    var part = [Float](repeating: 0, count: 70_001)
    try file.readFloats(tensor, 12_345..<12_345 + part.count, into: &part)
    #expect(part == Array(values[12_345..<12_345 + part.count]))
  }
}
