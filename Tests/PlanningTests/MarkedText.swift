import Diagnostics

/// A YAML snippet in which `▸` stands before each place a finding must point at and `▹` before each place of a note.
struct MarkedText {
  struct Place: Hashable, Comparable {
    let line: Int
    let column: Int

    static func < (left: Place, right: Place) -> Bool { (left.line, left.column) < (right.line, right.column) }
  }

  let text: String
  let findings: [Place]
  let notes: [Place]

  init(_ marked: String) {
    var text = String.UnicodeScalarView()
    var (findings, notes): ([Place], [Place]) = ([], [])
    var (line, column) = (1, 1)
    for scalar in marked.unicodeScalars {
      switch scalar {
      case "▸": findings.append(Place(line: line, column: column))
      case "▹": notes.append(Place(line: line, column: column))
      case "\n":
        (line, column) = (line + 1, 1)
        text.append(scalar)
      default:
        column += 1
        text.append(scalar)
      }
    }
    self.text = String(text)
    self.findings = findings
    self.notes = notes
  }
}

extension SourceLocation {
  var place: MarkedText.Place { MarkedText.Place(line: Int(line), column: Int(column)) }
}
