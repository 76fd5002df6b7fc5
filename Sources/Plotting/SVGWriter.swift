/// What stands as the value of an attribute.
protocol SVGValue {
  var svg: String { get }
}

extension String: SVGValue {
  var svg: String { Markup.escaped(self) }
}

extension Int: SVGValue {
  var svg: String { String(self) }
}

extension Double: SVGValue {
  /// In hundredths of a pixel, which is finer than is seen and the same on every machine.
  var svg: String {
    guard isFinite, magnitude < 1e9 else { return "0" }
    let hundredths = Int((magnitude * 100).rounded())
    let (whole, rest) = (hundredths / 100, hundredths % 100)
    let digits = rest == 0 ? "" : rest % 10 == 0 ? ".\(rest / 10)" : rest < 10 ? ".0\(rest)" : ".\(rest)"
    return (self < 0 && hundredths != 0 ? "-" : "") + "\(whole)" + digits
  }
}

/// The `d` of a path: commands and coordinates, nothing that comes from outside.
struct SVGPath: SVGValue {
  private(set) var svg = ""

  mutating func move(_ x: Double, _ y: Double) { add("M", [x, y]) }
  mutating func line(_ x: Double, _ y: Double) { add("L", [x, y]) }
  mutating func curve(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ x: Double, _ y: Double) {
    add("C", [x1, y1, x2, y2, x, y])
  }
  mutating func close() { svg += "Z" }

  private mutating func add(_ command: String, _ numbers: [Double]) {
    svg += command
    for (place, number) in numbers.enumerated() {
      if place > 0 { svg += " " }
      svg += number.svg
    }
  }
}

/// SVG text under construction. Whatever is said in it goes through `Markup`.
struct SVGWriter {
  typealias Attributes = KeyValuePairs<String, any SVGValue>

  private(set) var text = ""
  private var names: [String] = []

  mutating func open(_ name: String, _ attributes: Attributes = [:]) {
    begin(name, attributes)
    text += ">"
    names.append(name)
  }

  mutating func close() { text += "</\(names.removeLast())>" }

  /// An element with nothing in it but what is said when one points at it: one line each.
  mutating func add(_ name: String, _ attributes: Attributes = [:], title: [String] = []) {
    begin(name, attributes)
    if title.isEmpty {
      text += "/>"
    } else {
      text += ">"
      say(title)
      text += "</\(name)>"
    }
  }

  /// A `<text>` element; `whole` is what it stands for, where it had to be shortened.
  mutating func label(_ label: String, _ attributes: Attributes, whole: String? = nil) {
    begin("text", attributes)
    text += ">" + Markup.escaped(label)
    if let whole, whole != label { say([whole]) }
    text += "</text>"
  }

  /// The text that a pointer brings up, and a screen reader reads.
  mutating func say(_ lines: [String]) { text += "<title>" + lines.map { Markup.escaped($0) }.joined(separator: "\n") + "</title>" }

  /// A style sheet of our own; nothing else is written as it is.
  mutating func style(_ css: String) { text += "<style>\(css)</style>" }

  mutating func lineBreak() { text += "\n" }

  private mutating func begin(_ name: String, _ attributes: Attributes) {
    text += "<" + name
    for (key, value) in attributes { text += " \(key)=\"\(value.svg)\"" }
  }
}
