import Artifacts
import Glibc
import JSONValues

/// Pins by the names people use. What is pinned is looked at inside the gate, so that it is there from then on.
extension StoreQueries {
  /// Pins the outputs of an instance, or one of them. Without a name it is called what it was asked for.
  package func pin(_ text: String, in choice: RunChoice, name: String?) throws -> Pin {
    let (instance, outputName) = try parse(text, in: choice)
    let finding = try find(instance, in: choice)
    guard let key = finding.instance.key, let answer = finding.result?.answer else {
      throw QueryError("\(finding.instance.name) has no result yet: \(finding.instance.state)")
    }
    let outputs = try outputName.map { [try output($0, of: finding)] } ?? answer.outputs
    let subject = Pin.Subject.outputs(outputs, recipe: finding.run.recipe, instance: finding.instance.name, key: key)
    return try keep(Pin(name: try checked(name ?? text), subject: subject, created: now)) {
      for output in outputs where try !store.holds(output) {
        throw QueryError("the bytes of output \(output.name) are gone from the store; run the recipe to have them again")
      }
    }
  }

  /// Names a run: everything it answers with stays.
  package func pin(run choice: RunChoice, name: String) throws -> Pin {
    let run = try run(choice)
    return try keep(Pin(name: try checked(name), subject: .run(run.id), created: now)) {
      guard try RecordedRun(id: run.id, store: store) != nil else { throw QueryError("run \(run.id) has just been removed") }
    }
  }

  package func unpin(_ name: String) throws {
    if try store.removePin(named: name) { return }
    throw QueryError("no pin '\(name)' in this store")
  }

  /// Names of runs, by id.
  package func runNames() throws -> [String: String] {
    var names: [String: String] = [:]
    for pin in try store.pins() {
      if case .run(let id) = pin.subject { names[id] = names[id].map { "\($0), \(pin.name)" } ?? pin.name }
    }
    return names
  }

  // MARK: - Keeping

  private var now: Double { Double(wallClock() / 1_000_000) / 1000 }

  private func keep(_ pin: Pin, _ check: () throws -> Void) throws -> Pin {
    if let known = try store.pin(named: pin.name), known.subject != pin.subject {
      throw QueryError("'\(pin.name)' is a pin already, of \(known.what); unpin it first, or choose another --name")
    }
    try store.gate.enter()
    defer { store.gate.leave() }
    try check()
    try store.keep(pin)
    return pin
  }

  /// A name must not be taken for something else where runs are asked for.
  private func checked(_ name: String) throws -> String {
    let isPlain = name.unicodeScalars.allSatisfy { $0.value >= 0x20 }
    guard !name.isEmpty, name.utf8.count <= 150, Self.stepsBack(name) == nil, isPlain else {
      throw QueryError("'\(name)' cannot be the name of a pin")
    }
    return name
  }
}

extension Pin {
  /// What it keeps, in words.
  package var what: String {
    switch subject {
    case .run(let id): "run \(id)"
    case .outputs(let outputs, let recipe, let instance, _):
      "\(instance).\(outputs.map(\.name).joined(separator: ",")) of \(recipe)"
    }
  }

  package var size: Int {
    if case .outputs(let outputs, _, _, _) = subject { outputs.reduce(0) { $0 + $1.size } } else { 0 }
  }

  /// As `pin --list` prints it.
  package var line: String { "\(name)  \(what)" + (size > 0 ? "  \(ByteCount.text(size))" : "") }
}
