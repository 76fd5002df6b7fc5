import Datasets
import Foundation
import StageInterface

/// Where the records of a `dataset` input are: the file itself, or `records.jsonl` of a suite that stands in for one.
enum RecordsPath {
  static func of(_ element: StageOrder.Element) -> String {
    var isDirectory: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: element.path, isDirectory: &isDirectory)
    return exists && isDirectory.boolValue ? element.path + "/" + Suite.recordsName : element.path
  }
}
