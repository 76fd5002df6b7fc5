/// One section of a page: what a link points to and what stands there.
package struct PageSection: Sendable {
  /// Of its element; the same for every run, so that a link to it stays good: `graph`, `forgetting`, `training`.
  package let id: String
  package let title: String
  /// What stands beside the title in the navigation: how many there are.
  package let count: Int?
  /// The whole `<section id="…">` with its heading.
  package let html: HTMLFragment

  package init(_ id: String, _ title: String, count: Int? = nil, _ content: (inout HTMLWriter) -> Void) {
    self.id = id
    self.title = title
    self.count = count
    html = HTMLFragment { html in
      html.element("section", ["id": id, "aria-labelledby": "\(id)-title"]) { html in
        html.element("h2", ["id": "\(id)-title"], title)
        content(&html)
      }
      html.lineBreak()
    }
  }
}
