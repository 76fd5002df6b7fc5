import Hashing

extension Store {
  /// A link that people open, and the output it leads to.
  struct View {
    let path: String
    /// Of an object, or of a directory's listing; nil when the link leads elsewhere.
    let digest: Digest?
    let isDirectory: Bool
  }

  /// Every view there is.
  func views() throws(StoreError) -> [View] {
    var views: [View] = []
    for recipe in try files.list(root + "/views") ?? [] {
      for instance in try directories(in: "views/\(recipe)") {
        for output in try directories(in: "views/\(recipe)/\(instance)") where !TemporaryName.isTemporary(output) {
          let path = "\(root)/views/\(recipe)/\(instance)/\(output)"
          guard let target = files.readLink(path) else { continue }
          views.append(View(path: path, target: target))
        }
      }
    }
    return views
  }

  /// The names in a directory of the store; none where a file lies in its place.
  private func directories(in path: String) throws(StoreError) -> [String] {
    guard try files.status("\(root)/\(path)")?.kind == .directory else { return [] }
    return try files.list("\(root)/\(path)") ?? []
  }
}

extension Store.View {
  /// `../../../trees/<digest>` or `../../../objects/ab/cdef…`
  fileprivate init(path: String, target: String) {
    self.path = path
    let parts = target.split(separator: "/", omittingEmptySubsequences: false)
    isDirectory = parts.count == 5 && parts[3] == "trees"
    digest =
      isDirectory ? Digest(String(parts[4])) : parts.count == 6 && parts[3] == "objects" ? Digest(String(parts[4] + parts[5])) : nil
  }
}
