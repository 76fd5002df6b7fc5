import Artifacts
import Execution
import Hashing
import JSONValues

/// Builds the graph of a crate, instance by instance. It looks at nothing but what it is given.
struct CrateWriter {
  private let run: RecordedRun
  private let options: RunCrate.Options
  private let manifests: CrateManifests

  private var data: [Digest: CrateEntity] = [:]
  private var dataOrder: [Digest] = []
  /// Digests that some instance gave, and that some took.
  private var given: [Digest] = []
  private var taken: Set<Digest> = []
  private var sources: [Digest] = []
  private var tools: [String] = []
  private var steps: [(entry: String, tool: String)] = []
  private var actions: [CrateEntity] = []
  private var controls: [CrateEntity] = []

  init(run: RecordedRun, options: RunCrate.Options, manifests: CrateManifests) {
    self.run = run
    self.options = options
    self.manifests = manifests
  }

  // MARK: - Instances

  mutating func add(_ instance: RecordedRun.Instance, _ record: ResultRecord?) {
    let tool = "#stage/" + CrateEntity.escaped(instance.stage)
    if !tools.contains(instance.stage) { tools.append(instance.stage) }
    let entry = instance.path.entry
    if !steps.contains(where: { $0.entry == entry }) { steps.append((entry, tool)) }
    guard record != nil || instance.state == "failed" else { return }
    var action = CrateEntity("#run/" + CrateEntity.escaped(instance.name), "CreateAction", name: instance.name)
    action["instrument"] = CrateEntity.reference(tool)
    action["description"] = .string("\(instance.stage) computes \(instance.name).")
    if let record {
      // What a thing is called is known when all of them have been noted.
      let (taken, given) = (inputs(instance, record), record.answer.outputs.map { output($0, instance.name) })
      action["object"] = CrateEntity.references(taken.map(identifier) + parameters(instance, record))
      action["result"] = CrateEntity.references(given.map(identifier))
      action["startTime"] = .string(RunTime.offset(record.answer.finished - record.answer.seconds))
      action["endTime"] = .string(RunTime.offset(record.answer.finished))
      action["actionStatus"] = "http://schema.org/CompletedActionStatus"
    } else {
      action["endTime"] = instance.ended.map { .string(RunTime.offset($0)) }
      action["actionStatus"] = "http://schema.org/FailedActionStatus"
      action["error"] = .string(instance.error ?? "failed")
    }
    if let agent { action["agent"] = CrateEntity.reference(agent.id) }
    actions.append(action)
    var control = CrateEntity("#control/" + CrateEntity.escaped(instance.name), "ControlAction", name: "step \(instance.name)")
    control["instrument"] = CrateEntity.reference("#step/" + CrateEntity.escaped(entry))
    control["object"] = CrateEntity.reference(action.id)
    controls.append(control)
  }

  private mutating func inputs(_ instance: RecordedRun.Instance, _ record: ResultRecord) -> [Digest] {
    var digests: [Digest] = []
    for (name, value) in record.parts["inputs"]?.objectValue?.members ?? [] {
      var written = (instance.sources[name] ?? [])[...]
      for element in value.arrayValue ?? [value] {
        guard let digest = (element["digest"] ?? element).stringValue.flatMap(Digest.init) else { continue }
        if data[digest] == nil {
          note(digest, name: written.popFirst() ?? name, isDirectory: false, size: nil, type: nil)
          sources.append(digest)
        }
        taken.insert(digest)
        if !digests.contains(digest) { digests.append(digest) }
      }
    }
    return digests
  }

  private mutating func output(_ output: StoredOutput, _ instance: String) -> Digest {
    note(output.digest, name: "\(instance).\(output.name)", isDirectory: output.isDirectory, size: output.size, type: output.type)
    given.append(output.digest)
    return output.digest
  }

  private mutating func note(_ digest: Digest, name: String, isDirectory: Bool, size: Int?, type: String?) {
    guard data[digest] == nil else { return }
    var entity = CrateEntity(Self.identifier(digest, isDirectory: isDirectory), isDirectory ? "Dataset" : "File", name: name)
    entity["sha256"] = .string(digest.hex)
    entity["contentSize"] = size.map { .string(String($0)) }
    entity["encodingFormat"] = .string(Self.format(type))
    entity["description"] = .string((type ?? "source") + (isDirectory ? ", a directory known by the digest of its listing" : ""))
    data[digest] = entity
    dataOrder.append(digest)
  }

  private static func format(_ type: String?) -> String {
    switch type {
    case "scores", "json": "application/json"
    case "dataset", "rollouts": "application/jsonl"
    default: "application/octet-stream"
    }
  }

  /// What nobody has to look up anywhere: the bytes themselves are named. Directories end in a slash, as the specification has them.
  private static func identifier(_ digest: Digest, isDirectory: Bool) -> String { "urn:sha256:\(digest.hex)" + (isDirectory ? "/" : "") }

  private func identifier(_ digest: Digest) -> String { data[digest]?.id ?? Self.identifier(digest, isDirectory: false) }

  // MARK: - Parameters

  private var values: [CrateEntity] = []

  private mutating func parameters(_ instance: RecordedRun.Instance, _ record: ResultRecord) -> [String] {
    let members = record.parts["parameters"]?.objectValue?.members ?? []
    return members.map { name, value in
      var entity = CrateEntity(
        "#parameter/\(CrateEntity.escaped(instance.name))/\(CrateEntity.escaped(name))", "PropertyValue", name: name)
      entity["value"] = .string(value.stringValue ?? value.encoded())
      values.append(entity)
      return entity.id
    }
  }

  private static func type(_ value: JSONValue) -> String {
    switch value {
    case .bool: "Boolean"
    case .integer: "Integer"
    case .number: "Float"
    default: "Text"
    }
  }

  private var recipeParameters: [(formal: CrateEntity, value: CrateEntity)] {
    run.parameters.members.map { name, value in
      let escaped = CrateEntity.escaped(name)
      var formal = CrateEntity("#formal/\(escaped)", "FormalParameter", name: name)
      formal["additionalType"] = .string(Self.type(value))
      formal["conformsTo"] = CrateEntity.reference("https://bioschemas.org/profiles/FormalParameter/1.0-RELEASE")
      formal["workExample"] = CrateEntity.reference("#value/\(escaped)")
      formal["description"] = .string("param \(name) of the recipe")
      var entity = CrateEntity("#value/\(escaped)", "PropertyValue", name: name)
      entity["value"] = .string(value.stringValue ?? value.encoded())
      entity["exampleOfWork"] = CrateEntity.reference(formal.id)
      return (formal, entity)
    }
  }

  // MARK: - The document

  var document: JSONValue {
    let graph =
      [descriptor, root] + CrateProfiles.entities + [workflow, language, engine] + toolEntities + stepEntities + [workflowRun]
      + [organization] + controls + actions + recipeParameters.flatMap { [$0.formal, $0.value] } + values
      + dataOrder.compactMap { data[$0] }
      + manifestEntities + [licenseEntity, agent].compactMap { $0 }
    return [
      "@context": ["https://w3id.org/ro/crate/1.1/context", "https://w3id.org/ro/terms/workflow-run/context"],
      "@graph": .array(graph.map { .object($0.object) }),
    ]
  }

  private var descriptor: CrateEntity {
    var entity = CrateEntity(RunCrate.metadataName, "CreativeWork")
    entity["conformsTo"] = CrateEntity.references(["https://w3id.org/ro/crate/1.1", CrateProfiles.workflowCrate])
    entity["about"] = CrateEntity.reference("./")
    return entity
  }

  private var root: CrateEntity {
    var entity = CrateEntity("./", "Dataset", name: "Run \(run.id) of \(run.recipe)")
    entity["description"] = .string(manifests.description ?? "What a run of the recipe \(run.recipe) took, did and gave.")
    entity["datePublished"] = .string(RunTime.offset(run.started + (run.seconds ?? 0)))
    entity["license"] = licenseEntity.map { CrateEntity.reference($0.id) } ?? .string("not stated")
    entity["conformsTo"] = CrateEntity.references(CrateProfiles.all)
    entity["mainEntity"] = CrateEntity.reference(manifests.main)
    entity["hasPart"] = CrateEntity.references(manifests.files.map(\.path) + dataOrder.map(identifier))
    entity["mentions"] = CrateEntity.references([workflowRun.id, organization.id] + actions.map(\.id))
    return entity
  }

  private var workflow: CrateEntity {
    var entity = CrateEntity(manifests.main, "File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo", name: run.recipe)
    entity["version"] = .string("sha256:" + Digest(hashing: manifests.files[0].bytes).hex)
    entity["programmingLanguage"] = CrateEntity.reference(language.id)
    entity["encodingFormat"] = "application/yaml"
    entity["sha256"] = .string(Digest(hashing: manifests.files[0].bytes).hex)
    entity["hasPart"] = CrateEntity.references(toolEntities.map(\.id) + manifests.files.dropFirst().map(\.path))
    entity["step"] = CrateEntity.references(stepEntities.map(\.id))
    entity["input"] = CrateEntity.references(recipeParameters.map(\.formal.id))
    entity["license"] = licenseEntity.map { CrateEntity.reference($0.id) }
    return entity
  }

  private var manifestEntities: [CrateEntity] {
    manifests.files.dropFirst().map { path, bytes in
      var entity = CrateEntity(path, "File", "SoftwareSourceCode", name: path)
      entity["sha256"] = .string(Digest(hashing: bytes).hex)
      entity["encodingFormat"] = "application/yaml"
      entity["description"] = "A manifest that the recipe uses."
      return entity
    }
  }

  private var language: CrateEntity {
    var entity = CrateEntity("#heirloom-manifest", "ComputerLanguage", name: "Heirloom manifest")
    entity["version"] = "1"
    return entity
  }

  private var engine: CrateEntity {
    var entity = CrateEntity("#heirloom", "SoftwareApplication", name: "Heirloom")
    entity["softwareVersion"] = .string(ProgramVersion.text)
    entity["description"] = "A runner of recipes for continual post-training of language models."
    return entity
  }

  /// Those that something was done with; the profile asks for no others.
  private var toolEntities: [CrateEntity] {
    let used = Set(actions.compactMap { $0["instrument"]?["@id"]?.stringValue })
    return tools.compactMap { stage in
      var entity = CrateEntity("#stage/" + CrateEntity.escaped(stage), "SoftwareApplication", name: stage)
      entity["softwareVersion"] = .string(ProgramVersion.text)
      entity["description"] = .string("The stage \(stage).")
      return used.contains(entity.id) ? entity : nil
    }
  }

  private var stepEntities: [CrateEntity] {
    let used = Set(controls.compactMap { $0["instrument"]?["@id"]?.stringValue })
    return steps.enumerated().compactMap { place, step in
      var entity = CrateEntity("#step/" + CrateEntity.escaped(step.entry), "HowToStep", name: step.entry)
      entity["workExample"] = CrateEntity.reference(step.tool)
      entity["position"] = .string(String(place))
      return used.contains(entity.id) ? entity : nil
    }
  }

  private var workflowRun: CrateEntity {
    var entity = CrateEntity("#workflow-run", "CreateAction", name: "Run \(run.id)")
    entity["description"] = .string("The recipe \(run.recipe) is computed.")
    entity["instrument"] = CrateEntity.reference(manifests.main)
    entity["object"] = CrateEntity.references(sources.map(identifier) + recipeParameters.map(\.value.id))
    let last = given.filter { !taken.contains($0) }
    var seen: Set<Digest> = []
    entity["result"] = CrateEntity.references((last.isEmpty ? given : last).filter { seen.insert($0).inserted }.map(identifier))
    time(&entity)
    return entity
  }

  private var organization: CrateEntity {
    var entity = CrateEntity("#engine-run", "OrganizeAction", name: "Heirloom runs \(run.recipe)")
    entity["instrument"] = CrateEntity.reference(engine.id)
    entity["object"] = CrateEntity.references(controls.map(\.id))
    entity["result"] = CrateEntity.reference("#workflow-run")
    time(&entity)
    return entity
  }

  private func time(_ entity: inout CrateEntity) {
    entity["startTime"] = .string(RunTime.offset(run.started))
    if let seconds = run.seconds { entity["endTime"] = .string(RunTime.offset(run.started + seconds)) }
    let isDone = run.standing == .ended(0)
    entity["actionStatus"] = .string("http://schema.org/" + (isDone ? "CompletedActionStatus" : "FailedActionStatus"))
    if !isDone { entity["error"] = .string("the run is \(run.standingName)") }
    if let agent { entity["agent"] = CrateEntity.reference(agent.id) }
  }

  private var licenseEntity: CrateEntity? {
    guard let license = options.license else { return nil }
    let url = license.contains("://") ? license : "https://spdx.org/licenses/" + CrateEntity.escaped(license)
    var entity = CrateEntity(url, "CreativeWork", name: license)
    entity["description"] = "The licence of the recipe."
    return entity
  }

  private var agent: CrateEntity? {
    guard let agent = options.agent else { return nil }
    return CrateEntity(agent.contains("://") ? agent : "#agent", "Person", name: agent)
  }
}

/// The profiles that a crate of a run follows.
enum CrateProfiles {
  static let workflowCrate = "https://w3id.org/workflowhub/workflow-ro-crate/1.0"
  private static let runs = [
    ("https://w3id.org/ro/wfrun/process/0.5", "Process Run Crate", "0.5"),
    ("https://w3id.org/ro/wfrun/workflow/0.5", "Workflow Run Crate", "0.5"),
    ("https://w3id.org/ro/wfrun/provenance/0.5", "Provenance Run Crate", "0.5"), (workflowCrate, "Workflow RO-Crate", "1.0"),
  ]

  static let all = runs.map(\.0)

  static let entities = runs.map { id, name, version in
    var entity = CrateEntity(id, "CreativeWork", name: name)
    entity["version"] = .string(version)
    return entity
  }
}
