import Kernels
import Modeling
import Reinforcement
import Testing
import Training

/// Reinforcement fine-tuning of an adapter: the base is packed once and stays.
@Suite("Reinforcement of adapters") struct AdapterReinforcementTests {
  private static func tiny(
    dora: Bool = false, threads: Int = 2, _ change: (inout ReinforcementSettings) -> Void = { _ in }
  ) throws -> TinyReinforcement {
    var tiny = TinyReinforcement(threads: threads) {
      $0.optimizer.learningRate = 2e-2
      change(&$0)
    }
    var settings = LoRASettings()
    settings.rank = 4
    settings.isWeightDecomposed = dora
    tiny.adapter = try Adapter.fresh(settings, on: tiny.arena, TinyReinforcement.configuration, seed: 1, tiny.pool)
    return tiny
  }

  private static func numbers(_ tiny: TinyReinforcement) -> [Float] { tiny.adapter.map { Array($0.arena.buffer.elements) } ?? [] }

  @Test("the policy that samples is the one that trains, to the bit, and the base keeps its bytes", arguments: [false, true])
  func ratios(dora: Bool) throws {
    let tiny = try Self.tiny(dora: dora)
    let (base, before) = (tiny.parameters, Self.numbers(tiny))
    let (records, _) = try tiny.run()
    #expect(records.allSatisfy { $0["ratio/max"] == 1 && $0["clip_ratio/region_mean"] == 0 })
    #expect(tiny.parameters == base)
    #expect(Self.numbers(tiny) != before)
  }

  @Test("an adapter learns what is rewarded") func learns() throws {
    let tiny = try Self.tiny {
      $0.optimizer.maxSteps = 60
      $0.optimizer.schedule = .constant
    }
    let (records, _) = try tiny.run()
    let first: Double = records.prefix(10).reduce(0) { $0 + $1["reward"] }
    let last: Double = records.suffix(10).reduce(0) { $0 + $1["reward"] }
    #expect(last > first + 0.8)
  }

  @Test("threads move no bit", arguments: [false, true]) func threads(dora: Bool) throws {
    let numbers = try [1, 3].map { threads in
      let tiny = try Self.tiny(dora: dora, threads: threads) { $0.loss.beta = 0.1 }
      _ = try tiny.run()
      return Self.numbers(tiny)
    }
    #expect(numbers[0] == numbers[1])
  }

  @Test(
    "stopped and resumed: the adapter and the metrics of an uninterrupted run", arguments: [3, 8, 11, 20],
    ReinforcementSettings.Reference.allCases)
  func resume(questions: Int, reference: ReinforcementSettings.Reference) throws {
    func make() throws -> TinyReinforcement {
      var tiny = try Self.tiny(dora: reference == .movingAverage) {
        $0.loss.beta = 0.1
        $0.reference = reference
        $0.referenceSyncSteps = 2
        $0.iterations = 2
      }
      tiny.base = tiny.arena
      return tiny
    }
    let whole = try make()
    let expected = try whole.run().records.map(\.text)
    let directory = try TemporaryDirectory()
    var control = ReinforcementControl()
    control.checkpointDirectory = directory.path
    control.saveSteps = 2
    var asked = 0
    control.shouldStop = {
      asked += 1
      return asked > questions
    }
    let first = try make().run(control)
    control.shouldStop = { false }
    let resumed = try make()
    let second = try resumed.run(control)
    #expect(first.records.map(\.text) + second.records.map(\.text) == expected)
    #expect(Self.numbers(resumed) == Self.numbers(whole))
  }
}
