import Foundation
import JSONValues

/// Finds a native stage by name, decodes its parameters and runs it; the body of `heirloom exec`.
package struct StageRunner: Sendable {
  private let run: @Sendable (JSONObject, StageContext) throws -> Void
  /// Decodes parameters and says which of them the stage's type asked for (for the test that holds it against its contract).
  package let parameterNames: @Sendable (JSONObject) throws -> Set<String>
  package let name: String
  /// What the stage has to say before it runs.
  package let notes: @Sendable (PlannedStage) -> [String]

  package init<Stage: NativeStage>(_ stage: Stage.Type) {
    name = Stage.name
    notes = Stage.notes
    run = { parameters, context in try Stage.run(try Self.decode(parameters, Stage.Parameters.self), context) }
    parameterNames = { try JSONValue.object($0).decodeRecordingKeys(Stage.Parameters.self, keys: .snakeCase).keys }
  }

  private static func decode<P: Decodable>(_ parameters: JSONObject, _ type: P.Type) throws -> P {
    do {
      return try JSONValue.object(parameters).decode(type, keys: .snakeCase)
    } catch let error as JSONDecodingError {
      throw StageFailure("parameter \(error.path): \(error.message)")
    }
  }

  package func callAsFunction(_ context: StageContext) throws { try run(context.order.parameters, context) }

  /// Runs the order of a work directory with one of `stages`; returns the exit status. The last line on standard error is the error.
  /// `kernel`: what computes here, to be kept with the result; a stage that goes on from a checkpoint says more.
  package static func execute(workDirectory: String, stages: [StageRunner], kernel: String) -> Int32 {
    let stop = StopSignal()
    stop.install()
    do {
      let order = try StageOrder.load(workDirectory + "/stage.json")
      guard let runner = stages.first(where: { $0.name == order.native }) else {
        throw StageFailure("this program has no native stage '\(order.native ?? "")'")
      }
      let context = try StageContext(order: order, stop: stop)
      context.fact("kernel", .string(kernel))
      try runner(context)
      return StageExit.done
    } catch is StageInterrupted {
      return StageExit.stopped
    } catch {
      FileHandle.standardError.write(Data("error: \(error)\n".utf8))
      return StageExit.failed
    }
  }
}
