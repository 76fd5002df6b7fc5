/// Bytes in memory as the source of an upload: small ones.
package struct BytesSource: BlobSource {
  let bytes: [UInt8]

  package init(_ bytes: [UInt8]) { self.bytes = bytes }

  package var size: Int { bytes.count }

  package func read(_ offset: Int, _ count: Int) throws -> [UInt8] {
    let end = min(bytes.count, offset + count)
    return offset < end ? Array(bytes[offset..<end]) : []
  }
}
