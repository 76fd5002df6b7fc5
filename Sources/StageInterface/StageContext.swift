import Foundation
import JSONValues

/// What a running native stage sees of the world: its inputs, where its outputs go, and how it reports.
///
/// `@unchecked Sendable`: the order is immutable, and the event log and the stop flag guard themselves.
package final class StageContext: @unchecked Sendable {
  package let order: StageOrder
  private let events: EventLog
  private let stop: StopSignal

  package init(order: StageOrder, stop: StopSignal = StopSignal()) throws {
    self.order = order
    self.stop = stop
    events = try EventLog(appendingTo: order.eventsPath)
  }

  /// How many threads the stage may use; its results do not depend on it.
  package var threads: Int { order.threads }

  package var checkpointDirectory: String { order.checkpointDirectory }

  /// True once the stage should write its checkpoint and throw `StageInterrupted`.
  package var stopRequested: Bool { stop.isRaised }

  // MARK: - Inputs and outputs

  /// The path of an input that is given and no list.
  package func input(_ name: String) throws -> String {
    guard let path = optionalInput(name) else { throw StageFailure("input '\(name)' is missing from the stage's order") }
    return path
  }

  package func optionalInput(_ name: String) -> String? { inputs(name).first?.path }

  /// All elements of an input, in the order of the manifest; none when an optional input was left out.
  package func inputs(_ name: String) -> [StageOrder.Element] {
    order.inputs.first { $0.name == name }?.elements ?? []
  }

  /// Where the stage has to create an output.
  package func output(_ name: String) throws -> String {
    guard let output = order.outputs.first(where: { $0.name == name }) else {
      throw StageFailure("output '\(name)' is missing from the stage's order")
    }
    return output.path
  }

  // MARK: - Reports

  package func progress(done: Int, of total: Int) { events.progress(done: done, of: total) }

  /// One value of a metric, under the name that TRL gives it.
  package func metric(step: Int, _ name: String, _ value: Double) { events.metric(step: step, name, value) }

  /// Something about how it was computed, to be kept with the result: it could have changed the bytes, and is not in the key.
  package func fact(_ name: String, _ value: JSONValue) { events.fact(name, value) }

  /// The kernels of every part of a run that went on from checkpoints. More than one make the result mixed: on one machine it cannot be had again.
  package func kernels(_ names: [String]) {
    fact("kernel", .string(names.joined(separator: ", then ")))
    if names.count > 1 { fact("mixed", true) }
  }

  /// What the user should know though the stage goes on: shown by the run, kept with the result, and in the stage's log.
  package func warn(_ text: String) {
    events.warning(text)
    log("warning: \(text)")
  }

  /// A line for people, in the stage's log.
  package func log(_ line: String) {
    FileHandle.standardError.write(Data((line + "\n").utf8))
  }
}
