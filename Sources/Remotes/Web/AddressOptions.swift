import Diagnostics

/// What follows the `?` of an address: names and values, each known, each once.
struct AddressOptions: Sendable {
  /// The address without them.
  let place: Substring
  private let text: String
  private let values: [String: String]

  init(_ address: String, knowing known: [String]) throws(RemoteError) {
    text = VisibleText.line(address, on: .terminal)
    guard !address.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F }) else {
      throw RemoteError(.usage, "\(text): an address has no spaces and no control characters")
    }
    place = address.prefix { $0 != "?" }
    var values: [String: String] = [:]
    for pair in address[place.endIndex...].dropFirst().split(separator: "&") {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = String(parts[0])
      guard known.contains(name) else {
        let wish = NearestName.find(name, among: known).map { "; did you mean '\($0)'?" } ?? ""
        throw RemoteError(.usage, "\(text): unknown option '\(VisibleText.line(name, on: .terminal))'\(wish)")
      }
      guard values[name] == nil else { throw RemoteError(.usage, "\(text): '\(name)' is there twice") }
      guard let value = parts.count == 2 ? WebURL.decoded(parts[1]) : "1" else {
        throw RemoteError(.usage, "\(text): '\(name)' is not encoded well")
      }
      values[name] = value
    }
    self.values = values
  }

  func value(_ name: String) -> String? { values[name].flatMap { $0.isEmpty ? nil : $0 } }

  func flag(_ name: String) throws(RemoteError) -> Bool? {
    switch values[name] {
    case nil: return nil
    case "1", "true", "yes", "": return true
    case "0", "false", "no": return false
    default: throw RemoteError(.usage, "\(text): '\(name)' is 1 or 0")
    }
  }
}
