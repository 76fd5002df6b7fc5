import Datasets
import JSONValues
import Planning
import Stages
import Testing

@Suite("Contracts of native stages") struct ContractTests {
  @Test("every native stage has a contract of its name, and every native contract its stage")
  func names() {
    #expect(Bench.catalogue.all().diagnostics.map(\.message) == [])
    #expect(Bench.contracts.map(\.name).sorted() == NativeStages.all.map(\.name).sorted())
    for contract in Bench.contracts {
      if case .native(let name) = contract.run { #expect(name == contract.name) }
    }
  }

  @Test("a stage decodes exactly the parameters of its contract", arguments: NativeStages.all.map(\.name))
  func parameters(stage: String) throws {
    let contract = try Bench.contract(stage)
    let runner = try #require(NativeStages.all.first { $0.name == stage })
    let values = JSONObject(contract.parameters.map { ($0.name, $0.initial.value ?? Self.sample($0.type)) })
    #expect(try runner.parameterNames(values) == Set(contract.parameters.map(\.name)))
  }

  @Test("null is accepted where the contract's default is null", arguments: NativeStages.all.map(\.name))
  func nullable(stage: String) throws {
    let contract = try Bench.contract(stage)
    let runner = try #require(NativeStages.all.first { $0.name == stage })
    for parameter in contract.parameters where !parameter.isNullable {
      var values = JSONObject(contract.parameters.map { ($0.name, $0.initial.value ?? Self.sample($0.type)) })
      values.set(parameter.name, .null)
      #expect(throws: (any Error).self, "\(stage) takes null for \(parameter.name)") { try runner.parameterNames(values) }
    }
  }

  @Test("data/tasks offers every family of the program, in the program's order")
  func families() throws {
    let task = try #require(try Bench.contract("data/tasks").parameter("task"))
    guard case .choice(let names) = task.type else {
      Issue.record("task is no choice")
      return
    }
    #expect(Set(names.compactMap(\.stringValue)) == Set(TaskFamily.all.map(\.name)))
    #expect(names.count == TaskFamily.all.count)
  }

  private static func sample(_ type: ParameterType) -> JSONValue {
    switch type {
    case .number: 0.5
    case .integer: 64
    case .string: "text"
    case .boolean: true
    case .choice(let values): values[0]
    case .list: []
    case .record: [:]
    }
  }
}
