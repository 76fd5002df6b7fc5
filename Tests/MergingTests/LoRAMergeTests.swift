import Foundation
import JSONValues
import Kernels
import Merging
import Modeling
import Testing

/// Against PEFT's merge_and_unload (`scripts/goldens/peft-merge.py`), and against the formula.
@Suite("merging adapters") struct LoRAMergeTests {
  static let base = MergekitGoldenTests.fixtures + "/base"
  static let peft = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/Fixtures/peft"
  let pool = ThreadPool(threads: 2)

  @Test(
    "compat peft gives PEFT's bytes in bfloat16", arguments: ["lora-bf16", "rslora-bf16", "two-bf16"], [false, true])
  func peftBytes(name: String, safe: Bool) throws {
    let cases = try JSONValue(contentsOf: Self.peft + "/cases.json")
    let names = try #require(cases[name]?["adapters"]?.arrayValue)
    let adapters = names.compactMap(\.stringValue)
    let merged = try merge(adapters, rounding: safe ? .peftSafe : .peft)
    let golden = try SafetensorsFile(path: "\(Self.peft)/\(name)\(safe ? "-safe" : "").safetensors")
    for tensor in golden.tensors {
      let found: [UInt8] = try merged.bytes(of: try #require(merged[tensor.name]))
      let wanted: [UInt8] = try golden.bytes(of: tensor)
      #expect(found == wanted, "\(tensor.name)")
    }
  }

  /// The norm is a float32 sum, whose last bit is that of torch's order of additions.
  @Test("DoRA gives PEFT's bytes but for a step of bfloat16 where the norm's last bit decides", arguments: [false, true])
  func decomposed(safe: Bool) throws {
    let merged = try merge(["dora"], rounding: safe ? .peftSafe : .peft)
    let golden = try SafetensorsFile(path: "\(Self.peft)/dora-bf16\(safe ? "-safe" : "").safetensors")
    var (count, different) = (0, 0)
    for tensor in golden.tensors {
      let (wanted, found) = (try golden.floats(of: tensor), try merged.floats(of: try #require(merged[tensor.name])))
      count += wanted.count
      for (a, b) in zip(wanted, found) where a != b {
        different += 1
        #expect(abs(a - b) <= abs(a) * 0x1p-7)
      }
    }
    #expect(different * 1000 <= count)
  }

  @Test("in float32 the weights are PEFT's within a rounding") func single() throws {
    let golden = try SafetensorsFile(path: Self.peft + "/lora-f32.safetensors")
    let merged = try merge(["lora"], type: .f32)
    for tensor in golden.tensors {
      let (wanted, found) = (try golden.floats(of: tensor), try merged.floats(of: try #require(merged[tensor.name])))
      #expect(zip(wanted, found).allSatisfy { abs($0 - $1) <= 2e-7 })
    }
  }

  @Test("every weight is W₀ + Σ f s B A rounded once", arguments: [1.0, 0.3]) func formula(factor: Double) throws {
    let configuration = try ModelDirectory.configuration(Self.base)
    let adapters = try ["lora", "rslora"].map { try AdapterDirectory.load("\(Self.peft)/\($0)", for: configuration) }
    let merged = try merge(["lora", "rslora"], factor: factor)
    let base = try SafetensorsFile(path: Self.base + "/model.safetensors")
    for tensor in base.tensors {
      var expected = try base.floats(of: tensor).map(Double.init)
      for adapter in adapters {
        guard let module = adapter.module(ofWeight: tensor.name) else { continue }
        let width = module.linear.inputs
        for i in expected.indices {
          let sum = (0..<module.rank).reduce(0.0) {
            $0 + Double(module.b[i / width * module.rank + $1]) * Double(module.a[$1 * width + i % width])
          }
          expected[i] += factor * Double(module.scale) * sum
        }
      }
      let found = try merged.floats(of: try #require(merged[tensor.name]))
      // Half a unit in the last place of bfloat16, and a little of float32.
      for (value, exact) in zip(found, expected) { #expect(abs(Double(value) - exact) <= abs(exact) * 0x1.01p-8 + 1e-9) }
    }
  }

  @Test("a factor of 0 gives the base's bytes") func zero() throws {
    let directory = try TemporaryDirectory()
    let configuration = try ModelDirectory.configuration(Self.base)
    let adapter = try AdapterDirectory.load(Self.peft + "/lora", for: configuration)
    let report = try LoRAMerge(base: Self.base, [.init(adapter, factor: 0)]).write(to: directory.path, pool: pool)
    #expect(try bytes(directory.path, "model.safetensors") == bytes(Self.base, "model.safetensors"))
    #expect(report == MergeReport())
  }

  @Test("the report says how far weights moved and what rounding took away") func report() throws {
    let directory = try TemporaryDirectory()
    let configuration = try ModelDirectory.configuration(Self.base)
    let adapter = try AdapterDirectory.load(Self.peft + "/lora", for: configuration)
    let merge = try LoRAMerge(base: Self.base, [.init(adapter)])
    let report = try merge.write(to: directory.path, pool: pool)
    let exact = try TemporaryDirectory()
    #expect(try merge.write(.init(type: .f32), to: exact.path, pool: pool).vanished == 0)
    let base = try SafetensorsFile(path: Self.base + "/model.safetensors")
    let (stored, full) = (
      try SafetensorsFile(path: directory.path + "/model.safetensors"), try SafetensorsFile(path: exact.path + "/model.safetensors")
    )
    var (change, rounding, weights, changed, vanished) = (Float(0), Float(0), 0, 0, 0)
    for tensor in base.tensors where adapter.module(ofWeight: tensor.name) != nil {
      let (a, b) = (try stored.floats(of: try #require(stored[tensor.name])), try full.floats(of: try #require(full[tensor.name])))
      for (i, before) in try base.floats(of: tensor).enumerated() {
        change = max(change, abs(b[i] - before))
        rounding = max(rounding, abs(a[i] - b[i]))
        weights += 1
        changed += b[i] != before ? 1 : 0
        vanished += b[i] != before && a[i] == before ? 1 : 0
      }
    }
    #expect(report.largestChange?.value == change)
    #expect(report.largestRounding?.value == rounding)
    #expect((report.weights, report.changed, report.vanished) == (weights, changed, vanished))
    #expect(vanished > 0)
  }

  @Test("an adapter of another base is refused with both shapes") func mismatch() throws {
    let models = try Models()
    let adapter = try AdapterDirectory.load(Self.peft + "/lora", for: try ModelDirectory.configuration(Self.base))
    #expect(
      models.failure { _ = try LoRAMerge(base: models.base, [.init(adapter)]) }
        == "base/model.safetensors: tensor 'model.layers.0.self_attn.q_proj.weight' is F32 [8, 8]; the adapter asks for [16, 16]")
  }

  private func merge(
    _ names: [String], rounding: LoRAMerge.Rounding = .once, factor: Double = 1, type: ElementType? = nil
  ) throws -> SafetensorsFile {
    let configuration = try ModelDirectory.configuration(Self.base)
    let terms = try names.map { LoRAMerge.Term(try AdapterDirectory.load("\(Self.peft)/\($0)", for: configuration), factor: factor) }
    let directory = try TemporaryDirectory()
    _ = try LoRAMerge(base: Self.base, terms, rounding: rounding).write(.init(type: type), to: directory.path, pool: pool)
    return try SafetensorsFile(path: directory.path + "/model.safetensors")
  }
}
