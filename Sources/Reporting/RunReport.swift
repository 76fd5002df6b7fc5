import Artifacts
import Execution
import JSONValues

/// All that can be told of a run, read from what it and its stages recorded; of one that goes on, what is known by now.
///
/// Values and names as they were recorded, without layout: strings are raw, and whoever writes them somewhere escapes them there. Stages are
/// recognised by their contract's name and the types of their outputs. A part that a run has nothing for is empty, and a record that cannot
/// be read is a note.
package struct RunReport: Sendable {
  package let overview: Overview
  /// In the order of the plan; `needs` and lineages count by it.
  package let instances: [InstanceRow]
  package let matrices: [MatrixReport]
  package let fronts: [ParetoReport]
  package let scores: [ScoreReport]
  package let evaluations: [EvaluationRow]
  package let curves: [CurveSet]
  package let rollouts: [RolloutReport]
  package let tokens: [TokenReport]
  package let samples: [SampleSet]
  package let data: [DataReport]
  package let lineages: [Lineage]
  /// What could not be read, and why.
  package let notes: [String]

  /// Reads without locks and writes nothing.
  ///
  /// - Throws: only for what makes the store as a whole unreadable.
  package static func read(_ run: RecordedRun, _ store: Store) throws(StoreError) -> RunReport {
    var records = try RunRecords(run, store)
    let rows = InstanceRow.rows(&records)
    let matrices = MatrixReport.all(&records)
    let derived = matrices.compactMap(ParetoReport.init(points:))
    let fronts = ParetoReport.all(&records)
    let lineages = Lineage.all(rows)
    return RunReport(
      overview: Overview(&records, rows), instances: rows, matrices: matrices, fronts: fronts.isEmpty ? derived : fronts,
      scores: ScoreReport.all(&records), evaluations: EvaluationRow.all(&records, rows), curves: CurveSet.all(&records),
      rollouts: RolloutReport.all(&records, rows),
      tokens: TokenReport.all(&records), samples: SampleSet.all(&records, rows, lineages), data: DataReport.all(&records),
      lineages: lineages, notes: records.notes)
  }
}

extension RunReport {
  private static let format = "heirloom report 1"

  /// As `docs/report.md` has it, field by field; empty parts are left out.
  package var json: JSONValue {
    var object = JSONObject([("format", .string(Self.format)), ("run", overview.json), ("instances", .array(instances.map(\.json)))])
    let parts: [(String, [JSONValue])] = [
      ("matrices", matrices.map(\.json)), ("fronts", fronts.map(\.json)), ("scores", scores.map(\.json)),
      ("evaluations", evaluations.map(\.json)), ("curves", curves.map(\.json)),
      ("rollouts", rollouts.map(\.json)), ("tokens", tokens.map(\.json)), ("samples", samples.map(\.json)), ("data", data.map(\.json)),
      ("lineages", lineages.map(\.json)), ("notes", notes.map { .string($0) }),
    ]
    for (name, values) in parts where !values.isEmpty { object.append(name, .array(values)) }
    return .object(object)
  }
}
