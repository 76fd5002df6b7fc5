/// One tensor of a weight file: its name, type, shape, and the bytes of the file's data section that hold it, row-major.
package struct TensorRecord: Sendable, Equatable {
  package let name: String
  package let type: ElementType
  package let shape: [Int]
  /// In bytes from the start of the data section.
  package let range: Range<Int>

  /// Elements. The product cannot overflow: `byteCount(of:shape:)` was asked before a record was made.
  package var count: Int { shape.reduce(1, *) }

  /// Bytes that a tensor takes; nil where the number overflows or is no whole number of bytes.
  package static func byteCount(of type: ElementType, shape: [Int]) -> Int? {
    var elements = 1
    for size in shape {
      guard size >= 0 else { return nil }
      let (product, overflow) = elements.multipliedReportingOverflow(by: size)
      if overflow { return nil }
      elements = product
    }
    let (bits, overflow) = elements.multipliedReportingOverflow(by: type.bits)
    return overflow || bits % 8 != 0 ? nil : bits / 8
  }
}
