import Diagnostics
import Hashing
import JSONValues
import Manifests

/// A stage's own words made ready once for all its instances: parameters, inputs and settings, constants checked already.
///
/// A class, because all its instances look at it while they are made.
final class StagePlan {
  let entry: ManifestEntry
  let stage: StageEntry
  let contract: StageContract
  /// The parameters with constants and defaults in place, in the contract's order.
  private let parameters: JSONObject
  /// What differs from instance to instance.
  private let changing: [(place: Int, expression: Expression, node: Node)]
  let bindings: [InputBinding]
  private let settings: Settings?
  /// So many of its instances had errors; after some, further ones would say the same.
  var faults = 0

  struct Settings {
    var resources: Resources
    var retries = 0
    var timeoutSeconds: Double?
    var expect: [(output: String, digest: Digest)] = []
  }

  init(_ entry: ManifestEntry, _ stage: StageEntry, _ contract: StageContract, _ findings: inout Findings) {
    self.entry = entry
    self.stage = stage
    self.contract = contract
    if let said = stage.hermetic, case .native = contract.run {
      findings.error(PlanningText.hermeticNative(contract.name), at: said.location)
    }
    (parameters, changing) = Self.parameters(entry, stage, contract, &findings)
    bindings = InputBinding.read(stage.inputs, contract.inputs, owner: contract.name, at: entry.location, &findings)
    settings = Self.isConstant(stage) ? Self.settings(stage, contract, Scope(params: JSONObject()), &findings) : nil
  }

  // MARK: - For one instance

  func parameters(_ scope: Scope, _ notes: [Diagnostic.Note]) throws(Diagnostic) -> JSONObject {
    guard !changing.isEmpty else { return parameters }
    var complete = parameters
    for (place, expression, node) in changing {
      let declaration = contract.parameters[place]
      let value = try expression.evaluate(scope)
      complete.set(declaration.name, try Self.check(value, declaration, node, contract, notes))
    }
    return complete
  }

  func settings(_ scope: Scope, _ findings: inout Findings) -> Settings { settings ?? Self.settings(stage, contract, scope, &findings) }

  // MARK: - Parameters

  private static func parameters(
    _ entry: ManifestEntry, _ stage: StageEntry, _ contract: StageContract, _ findings: inout Findings
  ) -> (JSONObject, [(place: Int, expression: Expression, node: Node)]) {
    var changing: [(place: Int, expression: Expression, node: Node)] = []
    var values = contract.defaults
    var given = Array(repeating: false, count: contract.parameters.count)
    for member in stage.with {
      guard let place = values.place(of: member.key) else {
        let near = NearestName.find(member.key, among: contract.parameters.map(\.name))
        findings.error(PlanningText.unknownParameter(member.key, contract.name), at: member.keyLocation, suggestion: near)
        continue
      }
      given[place] = true
      var own = Findings()
      let expression = Expression(member.value, &own)
      findings.add(contentsOf: own)
      guard !own.hasErrors else { continue }
      guard let constant = expression.constant else {
        changing.append((place, expression, member.value))
        continue
      }
      do {
        values.set(member.key, try check(constant, contract.parameters[place], member.value, contract, []))
      } catch {
        findings.add(error)
      }
    }
    for place in contract.requiredParameters where !given[place] {
      findings.error(PlanningText.missingParameter(contract.parameters[place].name, contract.name), at: entry.location)
    }
    return (values, changing)
  }

  private static func check(
    _ value: JSONValue, _ declaration: ParameterDeclaration, _ node: Node, _ contract: StageContract, _ notes: [Diagnostic.Note]
  ) throws(Diagnostic) -> JSONValue {
    var check = ParameterCheck("\(declaration.name) of \(contract.name)")
    do {
      return try check.complete(value, declaration)
    } catch {
      throw error.diagnostic(in: node, notes: notes)
    }
  }

  // MARK: - Settings

  private static func isConstant(_ stage: StageEntry) -> Bool {
    var ignored = Findings()
    return [stage.resources, stage.retries, stage.timeout, stage.expect].allSatisfy { node in
      node.map { Expression($0, &ignored).constant != nil } ?? true
    }
  }

  private static func settings(
    _ stage: StageEntry, _ contract: StageContract, _ scope: Scope, _ findings: inout Findings
  ) -> Settings {
    var settings = Settings(resources: contract.resources)
    if let node = stage.resources, let resources = ResourceReader.read(node, scope, over: contract.resources, &findings) {
      settings.resources = resources
    }
    if let node = stage.retries { settings.retries = SettingReader.count(node, "retries", atLeast: 0, scope, &findings) ?? 0 }
    if let node = stage.timeout { settings.timeoutSeconds = SettingReader.seconds(node, scope, &findings) }
    if let node = stage.expect { settings.expect = expect(node, contract, scope, &findings) }
    return settings
  }

  private static func expect(
    _ node: Node, _ contract: StageContract, _ scope: Scope, _ findings: inout Findings
  ) -> [(output: String, digest: Digest)] {
    guard let members = node.members else {
      findings.error(ManifestText.expected("a mapping", for: "'expect'", found: node), at: node.location)
      return []
    }
    return members.compactMap { member in
      guard let output = contract.output(member.key) else {
        let near = NearestName.find(member.key, among: contract.outputs.map(\.name))
        findings.error(PlanningText.unknownOutput(member.key, contract.name), at: member.keyLocation, suggestion: near)
        return nil
      }
      return SettingReader.digest(member.value, scope, &findings).map { (output.name, $0) }
    }
  }
}

extension JSONObject {
  fileprivate func place(of key: String) -> Int? { members.firstIndex { $0.key.hasSameBytes(as: key) } }
}
