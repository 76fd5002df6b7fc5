import Datasets
import JSONValues
import StageInterface

/// The records of a list input of type `tokens`, as one table.
enum TokenTable {
  /// `limit`: only the first records.
  static func read(_ name: String, limit: Int?, vocabularySize: Int, contextLength: Int, _ context: StageContext) throws -> TokenizedRecords
  {
    var records = TokenizedRecords()
    for element in context.inputs(name) {
      let table = try TokenizedRecords(directory: element.path)
      do { try table.check(vocabularySize: vocabularySize, contextLength: contextLength) } catch { throw error.located(file: element.path) }
      records.append(table, records: 0..<min(table.count, (limit ?? .max) - records.count))
    }
    return records
  }
}
