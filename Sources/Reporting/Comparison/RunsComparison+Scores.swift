import JSONValues

// What was scored in each run: matrices side by side, their metrics in columns, single evaluations that differ.

extension RunsComparison {
  /// A metric of a method, in each run.
  package struct MethodMetric: Sendable {
    /// The instance that reported it.
    package let report: String
    package let method: String
    package let metric: String
    /// In points; nil where a run has none.
    package let values: [MatrixReport.Summary?]

    static func all(_ reports: [RunReport]) -> [MethodMetric] {
      RunsComparison.methods(reports).flatMap { row in
        let metrics = RunsComparison.aligned(row.found.map { $0?.method.metrics ?? [] }) { $0.name }
        return metrics.map { metric in
          MethodMetric(report: row.report, method: row.method, metric: metric.name, values: metric.found.map { $0?.value })
        }
      }.filter { $0.values.contains { $0 != nil } }
    }

    package var json: JSONValue {
      [
        "report": .string(report), "method": .string(method), "metric": .string(metric),
        "values": .array(values.map { $0.map { .number($0.mean) } ?? .null }),
      ]
    }
  }

  /// A method's matrix of scores, in each run.
  package struct MatrixRow: Sendable {
    package let report: String
    package let method: String
    /// nil where a run has none.
    package let methods: [MatrixReport.Method?]

    static func all(_ reports: [RunReport]) -> [MatrixRow] {
      RunsComparison.methods(reports).map { row in MatrixRow(report: row.report, method: row.method, methods: row.found.map { $0?.method })
      }
    }

    package var json: JSONValue {
      [
        "report": .string(report), "method": .string(method),
        "R": .array(
          methods.map { method in
            guard let method else { return .null }
            return .array(method.cells.map { row in .array(row.map { $0.map { .number($0.value.mean) } ?? .null }) })
          }),
      ]
    }
  }

  /// One evaluation whose score is not the same in all the runs.
  package struct EvaluationDifference: Sendable {
    package let instance: String
    package let suite: String
    package let metric: String
    package let isShare: Bool
    package let values: [Double?]
    package let standardErrors: [Double?]

    static func all(_ reports: [RunReport]) -> [EvaluationDifference] {
      let lists = reports.map { report in report.evaluations.map { (name: report.instances[$0.instance].name, row: $0) } }
      return RunsComparison.aligned(lists) { $0.name }.compactMap { name, found in
        guard let row = found.compactMap(\.self).first?.row else { return nil }
        let values = found.map { $0?.row.value }
        guard values.contains(where: { $0 != values[0] }) else { return nil }
        return EvaluationDifference(
          instance: name, suite: row.suite, metric: row.metric, isShare: row.isShare, values: values,
          standardErrors: found.map { $0?.row.standardError })
      }
    }

    package var json: JSONValue {
      [
        "instance": .string(instance), "suite": .string(suite), "metric": .string(metric), "values": .array(values.map(\.json)),
        "stderr": .array(standardErrors.map(\.json)),
      ]
    }
  }

  private struct NamedMethod {
    let report: String
    let method: MatrixReport.Method
  }

  private static func methods(_ reports: [RunReport]) -> [(report: String, method: String, found: [NamedMethod?])] {
    let lists = reports.map { report in
      report.matrices.flatMap { matrix in matrix.methods.map { NamedMethod(report: matrix.instance, method: $0) } }
    }
    return aligned(lists) { "\($0.report)\u{0}\($0.method.name)" }.compactMap { row in
      row.found.compactMap(\.self).first.map { ($0.report, $0.method.name, row.found) }
    }
  }
}
