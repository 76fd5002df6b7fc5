import Artifacts
import JSONValues
import Planning

/// `request.json`: what a job has to know to plan as its run did. The environment is not in it, for it may hold secrets, nor the program,
/// which the job is itself.
extension RunRequest {
  private static let requestFormat = "heirloom request 1"

  var json: JSONValue {
    let strings = { (texts: [String]) in JSONValue.array(texts.map { .string($0) }) }
    var object = JSONObject([
      ("format", .string(Self.requestFormat)), ("manifest", .string(manifest)), ("directory", .string(planning.workingDirectory)),
      ("executors", strings(planning.executors)), ("sets", strings(recipe.sets)), ("targets", strings(options.targets)),
    ])
    if let installed = planning.installedStages { object.set("installed", .string(installed)) }
    if let profile = recipe.profile { object.set("profile", .string(profile)) }
    if let numerics = recipe.numerics { object.set("numerics", .string(numerics.rawValue)) }
    if let threads = options.threads { object.set("threads", .integer(threads)) }
    return .object(object)
  }

  /// As it was, of files as they were; run by this program, on this machine.
  init?(json: JSONValue?, capture: PlanningCapture, options: RunOptions) {
    guard let json, json["format"]?.stringValue == Self.requestFormat, let manifest = json["manifest"]?.stringValue,
      let directory = json["directory"]?.stringValue, let executors = json["executors"]?.arrayValue?.compactMap(\.stringValue),
      let sets = json["sets"]?.arrayValue?.compactMap(\.stringValue)
    else { return nil }
    var options = options
    options.threads = json["threads"]?.integerValue
    options.targets = json["targets"]?.arrayValue?.compactMap(\.stringValue) ?? []
    self.init(
      manifest: manifest,
      recipe: RecipeOptions(
        sets: sets, profile: json["profile"]?.stringValue, numerics: json["numerics"]?.stringValue.flatMap(NumericsClass.init(rawValue:))),
      planning: PlanningEnvironment(
        workingDirectory: directory, installedStages: json["installed"]?.stringValue, files: capture.files, executors: executors),
      options: options)
  }
}
