import Datasets
import Evaluation
import Foundation
import JSONValues
import StageInterface

extension SuiteScores {
  /// Reads the `scores` artifact that a report was handed.
  init(_ element: StageOrder.Element, suiteAxis: String) throws {
    do {
      let json = try JSONValue(parsing: [UInt8](Data(contentsOf: URL(fileURLWithPath: element.path))))
      try self.init(json: json, labels: element.labels, suiteAxis: suiteAxis)
    } catch let error as DatasetError {
      throw error.located(file: element.path)
    }
  }
}
