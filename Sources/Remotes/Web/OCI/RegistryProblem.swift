import Diagnostics
import JSONValues

/// Makes one line of how a registry says no. What it says is shown, never believed.
enum RegistryProblem {
  /// The code and message of the first error of a body: `: DENIED: …`; nothing when there is none.
  static func text(_ body: [UInt8]) -> String {
    let parsed: JSONValue? = try? JSONValue(parsing: body, maximumDepth: 16)
    guard let first = parsed?["errors"]?[0] else { return "" }
    let parts = [first["code"]?.stringValue, first["message"]?.stringValue].compactMap { $0 }.filter { !$0.isEmpty }
    return parts.isEmpty ? "" : ": " + VisibleText.line(parts.joined(separator: ": "), most: 200, on: .terminal)
  }

  static func code(_ body: [UInt8]) -> String? {
    let parsed: JSONValue? = try? JSONValue(parsing: body, maximumDepth: 16)
    return parsed?["errors"]?[0]?["code"]?.stringValue
  }

  static func error(_ answer: WebAnswer, _ body: [UInt8], _ address: String, _ deed: String) -> RemoteError {
    let reason = text(body)
    switch answer.status {
    case 403: return RemoteError(.lasting, "\(address): not allowed to \(deed)\(reason)")
    case 404: return RemoteError(.lasting, "\(address): there is no such repository\(reason)")
    case 405: return RemoteError(.lasting, "\(address): the registry does not let anybody \(deed)\(reason)")
    case 408, 425, 429, 500, 502, 503, 504:
      return RemoteError(.passing, "\(address): cannot \(deed) now (status \(answer.status))\(reason)", retryAfter: answer.retryAfter)
    case 413: return RemoteError(.lasting, "\(address): cannot \(deed): more bytes than the registry takes at once\(reason)")
    case 507: return RemoteError(.lasting, "\(address): cannot \(deed): the registry has no room left\(reason)")
    default: return RemoteError(.lasting, "\(address): cannot \(deed) (status \(answer.status))\(reason)")
    }
  }
}
