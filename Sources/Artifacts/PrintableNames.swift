extension String {
  /// No control character stands in it, so that it can be shown on a line of its own and does nothing to a terminal.
  package var isPrintable: Bool { unicodeScalars.allSatisfy(\.isPrintable) }

  /// The text without its control characters, no longer than `most` scalars.
  package func printable(most: Int) -> String {
    utf8.count <= most && isPrintable ? self : String(UnicodeScalarView(unicodeScalars.lazy.filter(\.isPrintable).prefix(most)))
  }
}

extension Unicode.Scalar {
  fileprivate var isPrintable: Bool { value >= 0x20 && !(0x7F...0x9F).contains(value) }
}
