/// Cuts rows into tasks of a fixed size: the cut depends on shapes alone, never on the number of threads, so that whatever is summed
/// task by task is summed in one order.
package struct RowPartition: Sendable {
  package let rows: Int
  package let rowsPerTask: Int

  package init(rows: Int, rowsPerTask: Int) {
    self.rows = rows
    self.rowsPerTask = rowsPerTask
  }

  package var tasks: Int { (rows + rowsPerTask - 1) / rowsPerTask }

  package func range(_ task: Int) -> Range<Int> { task * rowsPerTask..<min(rows, (task + 1) * rowsPerTask) }
}

extension ThreadPool {
  /// Runs `body` once for each block of rows.
  func run(_ partition: RowPartition, _ body: (_ task: Int, _ rows: Range<Int>) -> Void) {
    run(partition.tasks) { task in body(task, partition.range(task)) }
  }
}
