import Hashing
import JSONValues
import Planning
import Testing

/// Inputs that a parameter may stand for, and parameters that are in a key only where they are set.
@Suite("A parameter in the place of an input") struct SubstituteTests {
  static let contract = """
    stage: ask
    version: 1
    inputs: {model: {type: model, unless: server}}
    outputs: {scores: {type: scores}}
    params:
      seed: {type: integer, default: 0}
      server:
        type: record
        default: null
        affects: bytes_when_set
        fields:
          name: {type: string}
          url: {type: string, affects: speed}
          key: {type: string, default: null, affects: speed, names: variable}
    run: {native: ask}
    """

  static let older = """
    stage: ask
    version: 1
    inputs: {model: {type: model}}
    outputs: {scores: {type: scores}}
    params: {seed: {type: integer, default: 0}}
    run: {native: ask}
    """

  private static func project(_ entry: String, contract: String = contract) -> Project {
    Project("heirloom: 1\nstages:\n  a: \(entry)\n", contracts: ["ask": contract], sources: ["base/config.json"])
  }

  private static func key(_ entry: String, contract: String = contract) throws -> StageKey {
    let graph = try project(entry, contract: contract).load(RecipeOptions()).graph
    return try #require(Project.keys(graph).first)
  }

  @Test("where neither is given, that is said at the entry; a value that comes from a matrix counts")
  func missing() throws {
    let found = Self.project("{uses: ask}").diagnostics().map(\.message)
    #expect(found == ["ask needs the input 'model' (model) or the parameter 'server'"])
    #expect(Self.project("{uses: ask, matrix: {s: [null, {name: a, url: b}]}, with: {server: \"${s}\"}}").diagnostics().count == 1)
    #expect(Self.project("{uses: ask, with: {server: {name: a, url: b}}}").diagnostics().isEmpty)
    #expect(Self.project("{uses: ask, inputs: {model: ./base}}").diagnostics().isEmpty)
  }

  @Test("a contract that is given such a parameter keeps the keys of all who do not use it")
  func unchanged() throws {
    let entry = "{uses: ask, inputs: {model: ./base}, with: {seed: 3}}"
    #expect(try Self.key(entry) == Self.key(entry, contract: Self.older))
  }

  @Test("of a record, fields that affect speed are in no key, and the others are")
  func fields() throws {
    func key(_ server: String) throws -> StageKey { try Self.key("{uses: ask, with: {server: \(server)}}") }
    let first = try key("{name: a, url: http://one}")
    #expect(try key("{name: a, url: http://two, key: TOKEN}") == first)
    #expect(try key("{name: b, url: http://one}") != first)
    #expect(first.parts["parameters"]?["server"] == ["name": "a"])
  }

  @Test("the variables that parameters name are known, inside records too")
  func variables() throws {
    let graph = try Self.project("{uses: ask, with: {server: {name: a, url: b, key: MY_KEY}}}").load(RecipeOptions()).graph
    let instance = try #require(graph.instances.first)
    #expect(instance.contract.namedVariables(instance.parameters) == ["MY_KEY"])
  }
}
