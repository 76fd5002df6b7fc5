import Foundation
import JSONValues
import Merging
import StageInterface

/// `model/promote`: a model that its gate let pass, or the one that stands in for it.
package struct ModelPromote: NativeStage {
  package static let name = "model/promote"

  package struct Parameters: Decodable, Sendable {}

  package static func run(_ parameters: Parameters, _ context: StageContext) throws {
    let verdicts = try context.inputs("verdict").map { element in
      let json = try JSONValue(report: element.path)
      guard let isPassed = json[GateVerdict.member]?.boolValue else { throw StageFailure("is no verdict of a gate", file: element.path) }
      return (isPassed: isPassed, failures: json["failures"]?.stringValue ?? "")
    }
    let failures = verdicts.filter { !$0.isPassed }.map(\.failures).joined(separator: "; ")
    var model = try context.input("model")
    if failures.isEmpty, verdicts.allSatisfy(\.isPassed) {
      context.log("promoted")
    } else {
      guard let fallback = context.optionalInput("fallback") else { throw StageFailure("not promoted: \(failures)") }
      context.log("warning: not promoted, the fallback stands in: \(failures)")
      model = fallback
    }
    let promoted = try context.output("model")
    try FileManager.default.createDirectory(atPath: promoted, withIntermediateDirectories: true)
    for name in try FileManager.default.subpathsOfDirectory(atPath: model).sorted() {
      var isDirectory: ObjCBool = false
      let source = model + "/" + name
      if FileManager.default.fileExists(atPath: source, isDirectory: &isDirectory), isDirectory.boolValue {
        try FileManager.default.createDirectory(atPath: promoted + "/" + name, withIntermediateDirectories: true)
      } else {
        try FileCopy.copy(source, to: promoted + "/" + name)
      }
    }
  }
}
