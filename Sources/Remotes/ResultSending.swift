import Artifacts
import Hashing
import JSONValues
import Synchronization

/// Gives results of the store to a remote: first their bytes, then what speaks of them.
struct ResultSending: Sendable {
  let transfer: Transfer
  let sendsLogs: Bool

  private var store: Store { transfer.store }

  /// A result with what is to be sent of it.
  struct Parcel: Sendable {
    let document: ResultDocument
    let blobs: [Blob]
  }

  enum Delivery: Sendable, Equatable {
    case sent
    case known
    /// Another answer was there for the same key.
    case replaced
    /// What is there has more bytes than are here.
    case kept
  }

  /// What a result is made of, as far as it is here; `outputs` are those whose bytes are to be sent, all when nil.
  func parcel(_ record: ResultRecord, outputs: Set<String>?) throws -> Parcel {
    var blobs: [Blob] = []
    var listingSizes: [Int] = []
    var held: [Bool] = []
    for output in record.answer.outputs {
      let isHeld = try outputs?.contains(output.name) ?? true && store.holds(output)
      held.append(isHeld)
      guard isHeld, output.isDirectory, let listing = try store.listing(output.digest) else {
        listingSizes.append(0)
        if isHeld { blobs.append(Blob(output.digest, size: output.size, title: output.name)) }
        continue
      }
      let size = listing.bytes.count
      listingSizes.append(size)
      blobs.append(Blob(output.digest, size: size, title: "\(output.name)/"))
      blobs += ResultDocument.files(listing, of: output)
    }
    var logSize: Int?
    if sendsLogs, let log = record.answer.log, let status = try store.files.status(store.objectPath(log)) {
      logSize = status.size
      blobs.append(Blob(log, size: status.size, title: "log.txt"))
    }
    return Parcel(document: ResultDocument(record, listingSizes: listingSizes, held: held, logSize: logSize), blobs: blobs)
  }

  /// The blobs are there already.
  func deliver(_ parcel: Parcel) async throws -> Delivery {
    let name = RemoteDocument.result(parcel.document.key)
    let bytes = parcel.document.bytes
    guard bytes.count <= RemoteLimits.resultBytes else {
      throw RemoteError(.usage, "the result of \(parcel.document.outcome.instance) is too large a document (\(bytes.count) bytes)")
    }
    var delivery = Delivery.sent
    // One that cannot be read is written over.
    if let known = try? await transfer.document(name, limit: RemoteLimits.resultBytes) {
      if known == bytes { return .known }
      if let other = try? ResultDocument(known, key: parcel.document.key, from: transfer.remote.address) {
        let isSame = other.outcome.outputs == parcel.document.outcome.outputs
        if isSame, zip(other.held, parcel.document.held).allSatisfy({ $0 || !$1 }), other.logSize != nil || parcel.document.logSize == nil {
          return other.held == parcel.document.held ? .known : .kept
        }
        delivery = isSame ? .sent : .replaced
      }
    }
    try await transfer.put(name, bytes, blobs: parcel.blobs)
    return delivery
  }
}
