/// A whole page around fragments: head with style, script and what they may do, a header, a navigation, the sections.
///
/// The page stands alone: it asks for nothing, and its policy forbids it to. A page that a server keeps live may ask that server.
package struct PageShell: Sendable {
  package enum Reach: Sendable {
    /// A file that is opened from anywhere.
    case file
    /// Served: may fetch from where it came.
    case server
  }

  package struct Link: Sendable {
    package let target: String
    package let title: String
    package let count: Int?

    package init(_ target: String, _ title: String, count: Int? = nil) { (self.target, self.title, self.count) = (target, title, count) }
  }

  /// Of the window, and of the page's heading unless `header` says another.
  package var title: String
  package var reach = Reach.file
  /// What stands in the header below the name: a run's id, links to other pages.
  package var header = HTMLFragment.empty
  package var links: [Link] = []
  package var body: [HTMLFragment] = []
  /// Runs after `report.js`.
  package var script = ""
  /// Follows `report.css`.
  package var style = ""
  /// What the script is told, as `<meta name="heirloom-…">`.
  package var facts: [(name: String, value: String)] = []

  package init(title: String) { self.title = title }

  /// Sections with a link to each.
  package mutating func add(_ sections: [PageSection]) {
    links += sections.map { Link("#\($0.id)", $0.title, count: $0.count) }
    body += sections.map(\.html)
  }

  /// For the `<meta>`, and for a server's header.
  package var policy: String {
    let scripts = ([PageAssets.script] + (script.isEmpty ? [] : [script])).map(PageAssets.source).joined(separator: " ")
    let styles = ([PageAssets.style] + (style.isEmpty ? [] : [style])).map(PageAssets.source).joined(separator: " ")
    let fetches = reach == .server ? "; connect-src 'self'" : ""
    return
      "default-src 'none'; script-src \(scripts); style-src \(styles); img-src data:; base-uri 'none'; "
      + "form-action \(reach == .server ? "'self'" : "'none'")\(fetches)"
  }

  package var html: String {
    var html = HTMLWriter()
    html.add(HTMLFragment(text: "<!DOCTYPE html>\n"))
    html.open("html", ["lang": "en"])
    html.element("head") { html in
      html.void("meta", ["charset": "utf-8"])
      html.void("meta", ["http-equiv": "Content-Security-Policy", "content": policy])
      html.void("meta", ["name": "viewport", "content": "width=device-width, initial-scale=1"])
      html.void("meta", ["name": "color-scheme", "content": "light dark"])
      html.void("meta", ["name": "referrer", "content": "no-referrer"])
      // Else browsers ask for one.
      html.void("link", ["rel": "icon", "href": "data:,"])
      for (name, value) in facts { html.void("meta", ["name": "heirloom-\(name)", "content": value]) }
      html.element("title", title)
      for text in [PageAssets.style, style] where !text.isEmpty { html.add(HTMLFragment(text: "<style>\(text)</style>")) }
    }
    html.lineBreak()
    html.element("body") { html in
      html.element("a", ["class": "skip", "href": "#main"], "To the content")
      addHeader(&html)
      html.element("div", ["class": "page"]) { html in
        addNavigation(&html)
        html.element("main", ["id": "main", "tabindex": "-1"]) { html in
          for part in body { html.add(part) }
        }
      }
      for text in [PageAssets.script, script] where !text.isEmpty { html.add(HTMLFragment(text: "<script>\(text)</script>")) }
    }
    html.close()
    html.lineBreak()
    return html.text
  }

  private func addHeader(_ html: inout HTMLWriter) {
    html.element("header", ["class": "top"]) { html in
      html.element("div", ["class": "name"]) { html in
        html.element("h1", title)
        html.add(header)
      }
      html.element("button", ["type": "button", "class": "theme", "id": "theme", "hidden": ""], "Theme")
    }
    html.lineBreak()
  }

  private func addNavigation(_ html: inout HTMLWriter) {
    guard !links.isEmpty else { return }
    html.element("nav", ["class": "sections", "aria-label": "Sections"]) { html in
      html.element("ul") { html in
        for link in links {
          html.element("li") { html in
            html.element("a", ["href": link.target]) { html in
              html.say(link.title)
              if let count = link.count { html.element("span", ["class": "count"], " \(count)") }
            }
          }
        }
      }
    }
    html.lineBreak()
  }
}
