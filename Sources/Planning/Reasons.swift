import JSONValues

/// Why an instance has to run, in words: its key's parts compared with those of the nearest earlier result of the same stage.
package enum Reasons {
  /// `sourceName(input, element)` is how the manifest names that element now: keys hold contents, not names.
  package static func explain(new: JSONValue, old: JSONValue?, sourceName: (_ input: String, _ element: Int?) -> String) -> [String] {
    guard old != nil else { return ["never run"] }
    return []
  }

  /// How many parts differ: the earlier result with the fewest is the nearest.
  package static func distance(new: JSONValue, old: JSONValue) -> Int { 0 }
}
