import StageInterface

/// Parameters that hold one value for each element of an input, or one for all of them.
enum OneForEach {
  /// `otherwise`: for all, where none is given.
  static func values(
    _ given: [Double]?, _ parameter: String, count: Int, of element: String, otherwise: Double = 1
  ) throws -> [Double] {
    let given = given ?? [otherwise]
    guard given.count == count || given.count == 1 else {
      throw StageFailure(
        "parameter \(parameter): \(given.count) values for \(count) \(element)\(count == 1 ? "" : "s"); give one for each, or one for all")
    }
    return given.count == count ? given : Array(repeating: given[0], count: count)
  }
}
