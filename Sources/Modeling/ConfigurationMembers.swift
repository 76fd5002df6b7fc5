import JSONValues

/// Members of config.json, taken one by one with their type and bounds checked; what is never taken is kept.
struct ConfigurationMembers {
  let object: JSONObject
  private var taken: Set<[UInt8]> = []

  /// Bounds every size: products of three still fit an Int.
  private static let largestSize = 1 << 24

  init(_ object: JSONObject) { self.object = object }

  mutating func take(_ key: String) -> JSONValue? {
    taken.insert(Array(key.utf8))
    let value = object[key]
    return value == .null ? nil : value
  }

  mutating func size(_ key: String, default fallback: Int? = nil) throws(ModelError) -> Int {
    guard let value = take(key) else {
      guard let fallback else { throw ModelError("config.json lacks '\(key)'") }
      return fallback
    }
    guard let size = value.integerValue, size > 0, size <= Self.largestSize else {
      throw ModelError("'\(key)' must be an integer from 1 to \(Self.largestSize), not \(value.encoded())")
    }
    return size
  }

  mutating func positiveNumber(_ key: String, default fallback: Double? = nil) throws(ModelError) -> Double {
    guard let value = take(key) else {
      guard let fallback else { throw ModelError("config.json lacks '\(key)'") }
      return fallback
    }
    guard let number = value.numberValue, number > 0, number.isFinite else {
      throw ModelError("'\(key)' must be a positive number, not \(value.encoded())")
    }
    return number
  }

  /// `keeping`: the member stays among the remaining ones.
  mutating func flag(_ key: String, default fallback: Bool, keeping: Bool = false) throws(ModelError) -> Bool {
    let value = keeping ? object[key] : take(key)
    guard let value, value != .null else { return fallback }
    guard let flag = value.boolValue else { throw ModelError("'\(key)' must be true or false, not \(value.encoded())") }
    return flag
  }

  /// One id, a list of ids, or nothing. Some files write -1 for nothing.
  mutating func tokens(_ key: String) throws(ModelError) -> [Int] {
    guard let value = take(key) else { return [] }
    if let id = value.integerValue { return id < 0 ? [] : [id] }
    guard let list = value.arrayValue, list.allSatisfy({ ($0.integerValue ?? -1) >= 0 }) else {
      throw ModelError("'\(key)' must be a token id or a list of them, not \(value.encoded())")
    }
    return list.compactMap(\.integerValue)
  }

  func remaining(dropping: [String]) -> JSONObject {
    let gone = taken.union(dropping.map { Array($0.utf8) })
    return JSONObject(object.members.filter { !gone.contains(Array($0.key.utf8)) }.map { ($0.key, $0.value) })
  }
}
