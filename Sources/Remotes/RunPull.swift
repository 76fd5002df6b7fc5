import Artifacts
import Diagnostics
import Execution
import Hashing
import JSONValues
import Planning

/// Takes a run's results from a remote, so that this store answers as the one that pushed them: results, the bytes that are wanted, views,
/// and a run that `status` and `show` speak of. What is not right is refused, and nothing of it enters the store.
package struct RunPull: Sendable {
  package struct Wish: Sendable {
    /// Nil where the remote has one only.
    package var tag: String?
    /// Instances, patterns or `instance.output`, with all that they need; empty is everything.
    package var targets: [String] = []
    /// Of these alone the bytes; of what they need results without bytes.
    package var only: [String] = []
    package var logs = false

    package init() {}
  }

  package struct Report: Sendable {
    package var tag: String
    package var run = ""
    package var recipe: String
    package var results = 0
    package var notices: [String] = []
    package var blobs = 0
    package var bytes = 0
  }

  private let transfer: Transfer
  private let receiving: ResultReceiving

  package init(_ transfer: Transfer) {
    self.transfer = transfer
    receiving = ResultReceiving(transfer: transfer)
  }

  private var store: Store { transfer.store }
  private var address: String { transfer.remote.address }

  package func pull(_ wish: Wish) async throws -> Report {
    let name = try await tagName(wish.tag ?? transfer.remote.tag)
    guard let bytes = try await transfer.document(name, limit: RemoteLimits.tagBytes) else { throw try await unknown(name) }
    let tag = try TagDocument(bytes, name: name.name, from: address)
    let plan = try PortablePlan.read(await transfer.bytes(tag.plan), of: tag, from: address)
    let manifest = try await transfer.bytes(tag.manifest)
    let known = Set(tag.instances.map { ByteString($0.name) })
    let whole = RecordedRun(id: tag.run, plan: PortablePlan.part(plan, of: known))
    let shipping = try RunShipping(whole, plan: plan, targets: wish.targets, only: wish.only)
    var report = Report(tag: name.name, recipe: tag.recipe)
    let orders = try await self.orders(shipping, tag, wish, &report)
    try await take(orders.map(\.order), &report)
    let part = PortablePlan.part(plan, of: Set(orders.map { ByteString($0.instance) }))
    report.run = try await adopt(orders, part, manifest, recipe: tag.recipe, &report)
    return report
  }

  // MARK: - Tags

  private func tagName(_ tag: String?) async throws -> RemoteDocument {
    if let tag {
      guard let name = RemoteDocument(.tags, tag) else { throw RemoteError(.usage, "'\(tag.printable(most: 200))' cannot be a tag") }
      return name
    }
    guard let tags = try await transfer.documents(.tags) else {
      throw RemoteError(.usage, "\(address) does not list its tags; say which with --tag")
    }
    if tags.count == 1 { return tags[0] }
    throw RemoteError(
      .usage,
      tags.isEmpty
        ? "\(address) has no tags: nothing was pushed there" : "\(address) has several tags; say which with --tag: \(Self.list(tags))")
  }

  private static func list(_ tags: [RemoteDocument]) -> String {
    tags.prefix(12).map(\.name).joined(separator: ", ") + (tags.count > 12 ? ", …" : "")
  }

  private func unknown(_ name: RemoteDocument) async throws -> RemoteError {
    let tags = try await transfer.documents(.tags) ?? []
    let near = NearestName.find(name.name, among: tags.map(\.name)).map { "; did you mean '\($0)'?" }
    return RemoteError(.usage, "\(address) has no tag '\(name.name)'" + (near ?? (tags.isEmpty ? "" : "; it has \(Self.list(tags))")))
  }

  // MARK: - What to take

  private struct Item: Sendable {
    let instance: String
    let order: ResultReceiving.Order
  }

  /// Reads what the remote says of each result, and decides which bytes are wanted.
  private func orders(_ shipping: RunShipping, _ tag: TagDocument, _ wish: Wish, _ report: inout Report) async throws -> [Item] {
    transfer.meter?.begin("reading \(Count.text(shipping.items.count, "result"))", items: shipping.items.count)
    let tagged = Dictionary(tag.instances.map { (ByteString($0.name), $0) }, uniquingKeysWith: { first, _ in first })
    let found = SharedValue<[ByteString: ResultDocument]>([:])
    try await transfer.each(shipping.items.map(\.instance.name)) { instance, _ in
      guard let entry = tagged[ByteString(instance)] else { return }
      guard let document = try await receiving.document(entry.key) else {
        throw RemoteError(.damaged, "\(address) lacks the result of \(instance), of which its tag speaks")
      }
      let digests = document.outcome.outputs.map { ($0.name, $0.digest) }.sorted { $0.0 < $1.0 }
      guard digests.elementsEqual(entry.outputs.sorted { $0.name < $1.name }, by: { $0 == $1 }) else {
        throw RemoteError(
          .damaged, "\(address) has other outputs of \(instance) than the tag says: they were pushed again since; push the tag again")
      }
      found.change { $0[ByteString(instance)] = document }
    }
    let documents = found.current
    var items: [Item] = []
    for item in shipping.items {
      guard let document = documents[ByteString(item.instance.name)] else { continue }
      var places: [Int] = []
      for (place, output) in document.outcome.outputs.enumerated() {
        let isWanted = item.outputs?.contains(output.name) ?? !item.passing.contains(output.name)
        if isWanted, document.held[place] { places.append(place) }
        if isWanted, !document.held[place], try !store.holds(output) {
          report.notices.append("\(address) does not have the bytes of \(item.instance.name).\(output.name)")
        }
      }
      items.append(Item(instance: item.instance.name, order: .init(document: document, places: places, wantsLog: wish.logs)))
    }
    return items
  }

  // MARK: - Taking

  /// So often everything is looked for again when a collector was faster.
  private static let rounds = 3

  private func take(_ orders: [ResultReceiving.Order], _ report: inout Report) async throws {
    for _ in 0..<Self.rounds {
      let pending = try await receiving.fetch(orders)
      if try publish(orders, pending, &report) { return }
    }
    throw StoreError("what was pulled is collected faster than it comes; is gc running with --older-than 0?", path: store.root)
  }

  /// False when something that came is gone again.
  private func publish(_ orders: [ResultReceiving.Order], _ pending: PendingWrites, _ report: inout Report) throws -> Bool {
    transfer.meter?.begin("storing \(Count.text(orders.count, "result"))", items: orders.count)
    report.results = 0
    var pending = pending
    for start in stride(from: 0, to: orders.count, by: ResultReceiving.batch) {
      let part = Array(orders[start..<min(start + ResultReceiving.batch, orders.count)])
      switch try receiving.publish(part, pending) {
      case .gone: return false
      case .busy(let document):
        throw StoreError(
          "\(document.outcome.instance) is being computed by a run in this store; pull again when that is over", path: store.root)
      case .done(let receipts):
        report.results += receipts.count
        for (order, receipt) in zip(part, receipts) where receipt.differs {
          report.notices.append("\(order.document.outcome.instance): this store has other outputs for the same key, which go on answering")
        }
      }
      // What the first batch waited for lasts.
      pending = PendingWrites()
      transfer.meter?.add(items: part.count)
    }
    return true
  }

  // MARK: - The run

  private func adopt(
    _ items: [Item], _ plan: JSONValue, _ manifest: [UInt8], recipe: String, _ report: inout Report
  ) async throws -> String {
    let cached = items.map { (instance: $0.instance, key: $0.order.document.key) }
    let id = try AdoptedRun.record(plan: plan, manifest: manifest, cached: cached, in: store) {
      try items.allSatisfy { item in try item.order.outputs.allSatisfy { try store.holds($0) } }
    }
    guard let id else {
      throw StoreError("what was pulled is collected faster than it comes; is gc running with --older-than 0?", path: store.root)
    }
    for item in items where !item.order.places.isEmpty {
      guard let summary = try store.results.summary(item.order.document.key) else { continue }
      let wanted = Set(item.order.outputs.map(\.name))
      for output in summary.outputs where wanted.contains(output.name) { try store.show(output, recipe: recipe, instance: item.instance) }
    }
    return id
  }
}

extension RunPull.Report {
  package var lines: [String] {
    ["pulled \(Count.text(results, "result")) of \(recipe) (tag \(tag)); run \(run)"]
  }

  package var json: JSONValue {
    [
      "tag": .string(tag), "recipe": .string(recipe), "run": .string(run), "results": .integer(results),
      "notices": .array(notices.map(JSONValue.string)),
    ]
  }
}
