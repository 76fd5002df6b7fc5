import Artifacts
import Execution
import Hashing
import JSONValues
import Planning

/// Gives a run's results to a remote: blobs, then what speaks of them, then the tag, so that whoever sees the tag can have all of it.
package struct RunPush: Sendable {
  package struct Report: Sendable {
    package var tag: String?
    package var results = 0
    /// Results that were there already.
    package var known = 0
    /// Blobs and bytes that were sent.
    package var blobs = 0
    package var bytes = 0
    package var notices: [String] = []
  }

  private let transfer: Transfer
  private let sending: ResultSending

  package init(_ transfer: Transfer, sendsLogs: Bool = false) {
    self.transfer = transfer
    sending = ResultSending(transfer: transfer, sendsLogs: sendsLogs)
  }

  private var store: Store { transfer.store }

  /// - Parameter tag: the name that the run gets there; nil is the recipe's.
  package func push(_ run: RecordedRun, targets: [String], tag: String? = nil) async throws -> Report {
    let name = try Self.tagName(tag ?? transfer.remote.tag, run)
    let plan = try self.plan(run)
    let shipping = try RunShipping(run, plan: plan, targets: targets)
    var report = Report()
    transfer.meter?.begin("looking through results", items: shipping.items.count)
    let shipped = try parcels(shipping, &report)
    guard !shipped.isEmpty else { throw QueryError("run \(run.id) of \(run.recipe) has no results yet that could be pushed") }
    let document = try self.document(run, shipped, plan)
    let sent = try await transfer.upload(shipped.flatMap(\.parcel.blobs))
    report.blobs = sent.count
    report.bytes = sent.reduce(0) { $0 + $1.size }
    try await deliver(shipped, &report)
    let (tagged, own) = document
    let contents = Dictionary(own.map { (Digest(hashing: $0), $0) }, uniquingKeysWith: { first, _ in first })
    _ = try await transfer.upload(tagged.blobs) { BytesSource(contents[$0.digest] ?? []) }
    let results = Set(shipped.map(\.parcel.document.key)).sorted { $0.hex < $1.hex }.map(RemoteDocument.result)
    try await transfer.put(name, tagged.bytes, blobs: tagged.blobs, upon: results)
    report.tag = name.name
    return report
  }

  private static func tagName(_ tag: String?, _ run: RecordedRun) throws -> RemoteDocument {
    if let tag {
      guard let name = RemoteDocument(.tags, tag) else {
        throw RemoteError(
          .usage, "'\(tag.printable(most: 200))' cannot be a tag; a tag is made of at most 128 letters, digits, '_', '.' and '-'")
      }
      return name
    }
    let plain = run.recipe.unicodeScalars.map {
      $0.isASCII && ($0.properties.isAlphabetic || ("0"..."9").contains($0) || "_.-".unicodeScalars.contains($0)) ? Character($0) : "-"
    }
    guard let name = RemoteDocument(.tags, String(String(plain).prefix(128))) else {
      throw RemoteError(.usage, "the recipe's name cannot be a tag; give one with --tag")
    }
    return name
  }

  private func plan(_ run: RecordedRun) throws -> JSONValue {
    guard let bytes = try store.files.read("\(store.root)/runs/\(run.id)/plan.json"), let plan = try? JSONValue(parsing: bytes) else {
      throw StoreError("has no plan", path: "\(store.root)/runs/\(run.id)")
    }
    return plan
  }

  // MARK: - Results

  private struct Shipped: Sendable {
    let instance: String
    let parcel: ResultSending.Parcel
  }

  private func parcels(_ shipping: RunShipping, _ report: inout Report) throws -> [Shipped] {
    var shipped: [Shipped] = []
    var without: [String] = []
    for item in shipping.items {
      transfer.meter?.add(items: 1)
      guard let key = item.instance.key, let record = try store.result(key) else {
        without.append(item.instance.name)
        continue
      }
      let parcel = try sending.parcel(record, outputs: item.outputs)
      for (output, isHeld) in zip(record.answer.outputs, parcel.document.held) where !isHeld && !item.passing.contains(output.name) {
        guard item.outputs?.contains(output.name) ?? true else { continue }
        report.notices.append("the bytes of \(item.instance.name).\(output.name) are not in this store; only their digest is pushed")
      }
      shipped.append(Shipped(instance: item.instance.name, parcel: parcel))
    }
    if let first = without.first {
      report.notices.append(
        "\(Count.text(without.count, "instance")) without a result yet (\(first)\(without.count > 1 ? ", …" : "")): not pushed")
    }
    return shipped
  }

  private func deliver(_ shipped: [Shipped], _ report: inout Report) async throws {
    transfer.meter?.begin("pushing \(Count.text(shipped.count, "result"))", items: shipped.count)
    let deliveries = SharedValue<[(instance: String, delivery: ResultSending.Delivery)]>([])
    try await transfer.each(shipped) { one, _ in
      let delivery = try await sending.deliver(one.parcel)
      deliveries.change { $0.append((one.instance, delivery)) }
    }
    for (instance, delivery) in deliveries.current.sorted(by: { $0.instance < $1.instance }) {
      switch delivery {
      case .sent: report.results += 1
      case .known, .kept: report.known += 1
      case .replaced:
        report.results += 1
        report.notices.append("\(instance): \(transfer.remote.address) had other outputs for the same key; these answer there from now on")
      }
    }
  }

  // MARK: - Tag

  /// The tag, and the bytes of the blobs that it names itself.
  private func document(_ run: RecordedRun, _ shipped: [Shipped], _ plan: JSONValue) throws -> (TagDocument, [[UInt8]]) {
    let directory = "\(store.root)/runs/\(run.id)"
    let names = Set(shipped.map { ByteString($0.instance) })
    guard let manifest = try store.files.read(directory + "/manifest.yaml"),
      let bytes = PortablePlan.bytes(PortablePlan.part(plan, of: names))
    else {
      throw StoreError("has no manifest or no plan", path: directory)
    }
    var contents = [manifest, bytes]
    var files: [TagDocument.File] = []
    if let captured = try store.files.read(directory + "/capture.json"),
      let capture = PlanningCapture(json: try? JSONValue(parsing: captured))
    {
      let project = Paths.parent(run.manifest)
      var seen: Set<String> = []
      for (path, content) in capture.contents {
        let shown = PortablePlan.path(path, in: project)
        guard content.count <= RemoteLimits.manifestBytes, seen.insert(shown).inserted else { continue }
        files.append(TagDocument.File(path: shown, blob: Blob(Digest(hashing: content), size: content.count, title: shown)))
        contents.append(content)
      }
    }
    let instances = shipped.map { one in
      TagDocument.Instance(
        name: one.instance, key: one.parcel.document.key, outputs: one.parcel.document.outcome.outputs.map { ($0.name, $0.digest) })
    }
    let tag = TagDocument(
      recipe: run.recipe, run: run.id, numerics: run.numerics, instances: instances,
      manifest: Blob(Digest(hashing: manifest), size: manifest.count, title: "manifest.yaml"),
      plan: Blob(Digest(hashing: bytes), size: bytes.count, title: "plan.json"), files: files)
    guard tag.bytes.count <= RemoteLimits.tagBytes else {
      throw RemoteError(.usage, "run \(run.id) has too many instances for one tag; push parts of it")
    }
    return (tag, contents)
  }
}

extension RunPush.Report {
  package var lines: [String] {
    let sent = "\(Count.text(results, "result")) and \(Count.text(blobs, "file")) (\(ByteCount.text(bytes)))"
    return ["pushed \(sent)" + (known > 0 ? "; \(known) known there already" : "") + (tag.map { "; tag \($0)" } ?? "")]
  }

  package var json: JSONValue {
    [
      "tag": tag.map { .string($0) } ?? .null, "results": .integer(results), "known": .integer(known), "blobs": .integer(blobs),
      "bytes": .integer(bytes), "notices": .array(notices.map(JSONValue.string)),
    ]
  }
}
