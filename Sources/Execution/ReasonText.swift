/// Why an instance runs, for people: a report over a thousand scores has a thousand reasons, of which the first tell enough.
enum ReasonText {
  static func shortened(_ reasons: [String], to count: Int) -> String {
    let shown = reasons.prefix(count).joined(separator: "; ")
    return reasons.count > count ? "\(shown); and \(reasons.count - count) more" : shown
  }
}
