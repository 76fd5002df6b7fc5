import Endpoint
import Foundation
import JSONValues
import StageInterface

/// A server that a stage asks, for as long as the stage runs: one that is there, or one that it starts and stops.
final class EndpointSession {
  let parameters: EndpointParameters
  /// Who answers, for what is bound to a model.
  let identity: String
  private let queue: RequestQueue
  private let server: ServerProcess?
  private let model: String
  private let journal: AnswerJournal

  init(_ parameters: EndpointParameters, _ context: StageContext) throws {
    try parameters.check(context)
    self.parameters = parameters
    let directory = context.optionalInput("model") ?? ""
    server = try parameters.command.map { command in
      try Self.located { () throws(EndpointError) in try ServerProcess(command, model: directory) }
    }
    let base = parameters.url ?? "http://127.0.0.1:\(server?.port ?? 0)/v1"
    let key = try parameters.key()
    queue = try Self.located { () throws(EndpointError) in
      RequestQueue(
        try ServerAddress(base, key: key, timeout: parameters.timeout, concurrency: parameters.concurrency),
        RetryPolicy(attempts: parameters.retries + 1, patience: parameters.startTimeout))
    }
    if let server { try Self.wait(server, queue, parameters, context) }
    model = try parameters.model?.replacingOccurrences(of: "{model}", with: directory) ?? Self.nameOfFirst(queue, context)
    if let digest = context.inputs("model").first?.digest {
      identity = "\(digest) served by \(parameters.command?.first ?? "")"
    } else {
      identity = "endpoint \(model)" + (parameters.revision.map { " revision \($0)" } ?? "")
    }
    journal = try Self.located { () throws(EndpointError) in try AnswerJournal(context.checkpointDirectory + "/answers.jsonl") }
    context.fact("endpoint", .string(parameters.command.map { $0.joined(separator: " ") } ?? "\(model) at \(base)"))
  }

  /// The server's model, where nobody named it.
  private static func nameOfFirst(_ queue: RequestQueue, _ context: StageContext) throws -> String {
    let list = try located { try queue.get("models", isStopped: { context.stopRequested }) }
    if context.stopRequested { throw StageInterrupted() }
    guard let name = list?["data"]?[0]?["id"]?.stringValue else {
      throw StageFailure("endpoint.model: the server does not say what it calls its model (models); name it")
    }
    return name
  }

  private static func wait(
    _ server: ServerProcess, _ queue: RequestQueue, _ parameters: EndpointParameters, _ context: StageContext
  ) throws {
    context.log("waiting for the server")
    let isReady = try located { () throws(EndpointError) in
      try server.waitUntilReady(queue, seconds: parameters.startTimeout) { context.stopRequested }
    }
    guard isReady else { throw StageInterrupted() }
  }

  private static func located<T, E: Error>(_ body: () throws(E) -> T) throws -> T {
    do { return try body() } catch let error as EndpointError { throw StageFailure(error.message) }
  }

  // MARK: - Asking

  /// A question with the place of what it is about, for errors.
  struct Asked {
    var question: CompletionQuestion
    let place: String
  }

  /// What is made of all answers, in the order of the questions, whatever the order in which they came. What the journal holds is not asked
  /// again.
  ///
  /// - Parameter read: of a question's number and its answer; what it throws ends it at the first answer that is of no use.
  /// - Throws: `StageInterrupted` when the stage was asked to stop.
  func answers<T>(_ asked: [Asked], _ context: StageContext, _ read: (Int, CompletionAnswer) throws -> T) throws -> [T] {
    var answers = [T?](repeating: nil, count: asked.count)
    for index in asked.indices { answers[index] = try journal[index].flatMap { try? CompletionAnswer($0) }.map { try read(index, $0) } }
    var done = answers.count { $0 != nil }
    var end: String?
    let missing = asked.indices.filter { answers[$0] == nil }
    let path = asked.first?.question.path ?? ""
    let isWhole = try Self.explained(context) {
      try queue.ask(
        path, missing, body: { asked[$0].question.json(model: model) },
        isStopped: {
          end = end ?? server?.ended()
          return end != nil || context.stopRequested
        },
        take: { index, json in
          let answer: CompletionAnswer
          do { answer = try CompletionAnswer(json) } catch { throw StageFailure("\(asked[index].place): \(error)") }
          answers[index] = try read(index, answer)
          try journal.append(index, json)
          done += 1
          context.progress(done: done, of: asked.count)
        })
    }
    guard isWhole else {
      journal.synchronize()
      if context.stopRequested { throw StageInterrupted() }
      throw StageFailure("endpoint.command: the server \(end ?? "is gone")")
    }
    return answers.compactMap { $0 }
  }

  /// A server that was asked to stop together with its stage has not failed.
  private static func explained(_ context: StageContext, _ body: () throws -> Bool) throws -> Bool {
    do { return try body() } catch {
      if context.stopRequested { throw StageInterrupted() }
      if let error = error as? EndpointError { throw StageFailure(error.message) }
      throw error
    }
  }

  // MARK: - Questions

  func question(_ prompt: CompletionQuestion.Prompt, maxTokens: Int) -> CompletionQuestion {
    var question = CompletionQuestion(prompt, maxTokens: maxTokens)
    question.isPlain = parameters.arguments == "openai"
    question.extra = parameters.extra
    return question
  }
}
