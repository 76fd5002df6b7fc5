import Reporting

/// What all served pages have in common: the way to the other pages, style, script.
struct ServedPage {
  var shell: PageShell

  static let style = String(decoding: PackageResources.serve_css, as: UTF8.self)
  private static let pages = String(decoding: PackageResources.pages_js, as: UTF8.self)
  /// Of a run that goes on.
  static let live = String(decoding: PackageResources.live_js, as: UTF8.self)

  init(title: String) { self.init(PageShell(title: title)) }

  init(_ shell: PageShell) {
    self.shell = shell
    self.shell.reach = .server
    self.shell.style = Self.style
    self.shell.script = Self.pages
    let own = shell.header
    self.shell.header = HTMLFragment { html in
      html.add(own)
      html.element("p", ["class": "ways"]) { html in html.element("a", ["href": "/"], "All runs") }
    }
  }

  /// Further links beside the way to all runs.
  mutating func addWays(_ ways: [(title: String, target: String)]) {
    let before = shell.header
    shell.header = HTMLFragment { html in
      html.add(before)
      html.element("p", ["class": "ways"]) { html in
        for (title, target) in ways { html.element("a", ["href": target], title) }
      }
    }
  }

  var written: WrittenPage { WrittenPage(bytes: Array(shell.html.utf8), policy: shell.policy) }
}

/// What could not be shown, in a sentence.
enum ErrorPage {
  static func written(_ title: String, _ text: String = "") -> WrittenPage {
    var page = ServedPage(title: title)
    page.shell.body.append(
      HTMLFragment { html in
        html.element("section", ["id": "error"]) { html in
          html.element("p", ["class": "lead"], text.isEmpty ? title : text)
          html.element("p") { html in html.element("a", ["href": "/"], "All runs of this store") }
        }
      })
    return page.written
  }
}
