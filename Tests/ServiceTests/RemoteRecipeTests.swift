import Foundation
import NIOHTTP1
import Remotes
import Testing

/// What somebody publishes and a stranger takes, by every kind of remote.
@Suite(.serialized, .ownThread)
struct RemoteRecipeTests {
  enum Kind: String, CaseIterable, Sendable { case directory, registry, sshd, s3 }

  private static let recipe = """
    heirloom: 1
    name: shared
    numerics: portable
    stages:
      data: {uses: data/tasks, with: {task: reverse, train: 64, heldout: 16, difficulty: 4, alphabet: 8}}
      tokenizer: {uses: tokenizer/train, inputs: {data: [data.train]}, with: {vocab_size: 270}}
      tokens: {uses: tokenize, inputs: {data: [data.train], tokenizer: tokenizer.tokenizer}}
      initial:
        uses: model/init
        inputs: {tokenizer: tokenizer.tokenizer}
        with: {hidden_size: 32, intermediate_size: 64, num_hidden_layers: 2, num_attention_heads: 2, max_position_embeddings: 64}
      tuned:
        uses: train/sft
        inputs: {model: initial.model, data: tokens.tokens}
        with: {learning_rate: 1.0e-3, max_steps: 10, per_device_train_batch_size: 32}
      scores: {uses: evaluate, inputs: {model: tuned.model, suite: data.heldout}}
    """

  /// An address of that kind for this test alone, and what commands need to be let in; nil where no such server runs.
  private static func place(_ kind: Kind, _ bench: Bench) throws -> (address: String, variables: [String: String])? {
    let name = UUID().uuidString.lowercased()
    let environment = ProcessInfo.processInfo.environment
    switch kind {
    case .directory:
      try FileManager.default.createDirectory(atPath: bench.root + "/shelf", withIntermediateDirectories: true)
      return ("dir:\(bench.root)/shelf", [:])
    case .registry: return Service.registry.place.map { ("oci://\($0)/heirloom/\(name)", [:]) }
    case .sshd: return Service.sshd.place.map { ("ssh://heirloom-test\(bench.root)/far", ["HEIRLOOM_SSH": "ssh -F \($0)"]) }
    case .s3:
      guard let endpoint = Service.s3.place else { return nil }
      var variables = environment.filter { $0.key.hasPrefix("AWS_") }
      variables["AWS_REGION"] = "us-east-1"
      let address = "s3://heirloom-\(name.prefix(13))/recipes?endpoint=\(endpoint)"
      try makeBucket(address, variables)
      return (address, variables)
    }
  }

  private static func makeBucket(_ address: String, _ variables: [String: String]) throws {
    try RemoteThreads(4).wait {
      let client = try S3Client(try S3Address(address), environment: variables)
      let answer = try await client.send(WebRequest(.PUT, client.url(nil)))
      #expect(answer.status == 200)
      await client.close()
    }
  }

  @Test("what is pushed and pulled elsewhere leaves a run there nothing to do", arguments: Kind.allCases)
  func roundTrip(_ kind: Kind) throws {
    let bench = try Bench(Self.recipe)
    guard let (address, variables) = try Self.place(kind, bench) else { return print("skipped: no \(kind) runs") }
    func run(_ words: String...) throws -> Program.Finished { try Program.run(words, in: bench.root, variables) }
    #expect(try bench.run("here").finished.status == 0)
    let push = try run("push", address, "--store", "here")
    #expect(push.status == 0, "\(push.errors)")
    let pull = try run("pull", address, "--store", "there")
    #expect(pull.status == 0, "\(pull.errors)")
    let again = try bench.run("there")
    #expect(again.ran == [] && again.finished.status == 0)
    #expect(try bench.answers("there") == bench.answers("here"))
    // A run beside a remote that has everything has nothing to do either.
    let beside = try bench.run("elsewhere", "--remote", address, variables: variables)
    #expect(beside.ran == [] && beside.finished.status == 0, "\(beside.finished.errors)")
  }

  @Test("a recipe that is kept on a remote is computed again from there, and what came of it is kept beside it", arguments: Kind.allCases)
  func reproduce(_ kind: Kind) throws {
    let bench = try Bench(Self.recipe)
    guard let (address, variables) = try Self.place(kind, bench) else { return print("skipped: no \(kind) runs") }
    func run(_ words: String...) throws -> Program.Finished { try Program.run(words, in: bench.root, variables) }
    #expect(try bench.run("here").finished.status == 0)
    let export = try run("export", "recipe", bench.manifest, "--to", address, "--tag", "v1", "--store", "here")
    #expect(export.status == 0, "\(export.errors)")
    let reproduced = try run("reproduce", address, "--tag", "v1", "--statements", "said", "--progress", "none")
    #expect(reproduced.status == 0, "\(reproduced.errors)")
    #expect(reproduced.output.contains("identical") && !reproduced.output.contains("differs"))
    let statements = try FileManager.default.contentsOfDirectory(atPath: bench.root + "/said")
    let own = try #require(statements.first { $0.hasPrefix("reproduction-") })
    let attached = try run("push", address, "--tag", "v1", "--statement", "said/\(own)", "--store", "here")
    #expect(attached.status == 0, "\(attached.errors)")
    let absent = try run("reproduce", address, "--tag", "v2", "--progress", "none")
    #expect(absent.status != 0 && absent.errors.contains("v2"))
  }
}
