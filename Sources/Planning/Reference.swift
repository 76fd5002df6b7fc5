import JSONValues
import Manifests

/// A reference as written, with the `${…}` in its brackets still to be replaced: `data[${task}].train`, `group[a].scores[*].scores`.
struct Reference {
  enum Item {
    /// `*`
    case any
    case value(JSONValue)
    case template(Template)
  }

  enum Selector {
    case none
    /// `[*]`
    case all
    case positional([Item])
    case named([(axis: String, item: Item)])
  }

  struct Segment {
    let name: String
    let selector: Selector
  }

  /// Groups, then a stage or a group, from the outermost inwards; at least one.
  let path: [Segment]
  let output: String
  /// The text as written.
  let text: String
}
