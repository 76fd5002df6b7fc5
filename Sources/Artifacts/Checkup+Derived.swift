import Hashing

/// What is derived from objects and results, held against them: the index, trees and views; and pins.
extension Checkup {
  /// A line that no stat confirms is out of date and never believed; one that is confirmed and says something else would be.
  func checkIndex(_ results: ResultCheckup, _ report: inout CheckupReport) throws(StoreError) {
    for entry in try store.results.lines() {
      guard let (summary, status) = results.summaries[entry.summary.key], entry.speaks(of: status) else { continue }
      guard entry.summary.stage == summary.stage, entry.summary.outputs == summary.outputs else {
        report.damage.append(
          CheckupReport.Damage(.index, "index/results", "it says of \(summary.key) something else than the result does"))
        return
      }
    }
  }

  // MARK: - Trees

  func checkTrees(_ report: inout CheckupReport) throws(StoreError) {
    for name in try store.files.list(store.root + "/trees") ?? [] where !TemporaryName.isTemporary(name) {
      guard let digest = Digest(name), digest.hex == name else {
        report.leftovers.append("trees/\(name)")
        continue
      }
      report.trees += 1
      // Without its listing nothing can be said of it, and nothing uses it.
      guard let bytes = try store.object(digest), Digest(hashing: bytes) == digest, let listing = TreeListing(bytes: bytes) else {
        continue
      }
      if let problem = try problem(ofTree: store.treePath(digest), listing) {
        report.damage.append(CheckupReport.Damage(.tree, "trees/\(name)", problem))
      }
    }
  }

  private func problem(ofTree path: String, _ listing: TreeListing) throws(StoreError) -> String? {
    for file in listing.files {
      guard let target = store.files.readLink("\(path)/\(file.path)") else {
        // Collected as a whole while it was looked at.
        return try store.files.exists(path) ? "\(file.path) is not there, or no link" : nil
      }
      if target != Store.linkTarget(file) { return "\(file.path) leads to \(target)" }
    }
    for directory in listing.emptyDirectories where try store.files.status("\(path)/\(directory)")?.kind != .directory {
      return try store.files.exists(path) ? "\(directory) is not there" : nil
    }
    let count = try countFiles(path)
    return count > listing.files.count ? "it holds \(count - listing.files.count) more than its listing" : nil
  }

  private func countFiles(_ path: String) throws(StoreError) -> Int {
    var count = 0
    for name in try store.files.list(path) ?? [] {
      let isDirectory = try store.files.status("\(path)/\(name)", followingLinks: false)?.kind == .directory
      count += isDirectory ? try countFiles("\(path)/\(name)") : 1
    }
    return count
  }

  // MARK: - Views and pins

  func checkViews(_ report: inout CheckupReport) throws(StoreError) {
    for view in try store.views() {
      report.views += 1
      if try store.files.status(view.path) == nil { report.danglingViews += 1 }
    }
  }

  func checkPins(_ report: inout CheckupReport) throws(StoreError) {
    for name in try store.files.list(store.root + "/pins") ?? [] where !TemporaryName.isTemporary(name) {
      do throws(StoreError) { _ = try store.pin(file: name) } catch {
        report.damage.append(CheckupReport.Damage(.pin, "pins/\(name)", error.message))
      }
    }
  }
}
