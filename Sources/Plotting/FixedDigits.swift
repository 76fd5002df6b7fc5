/// Numbers with so many digits after the point, without the C library's formats, which ask the locale.
package enum FixedDigits {
  /// "-3.10"; what rounds to nothing has no sign.
  package static func text(_ value: Double, _ digits: Int) -> String {
    let (text, isZero) = magnitude(value, digits)
    return value < 0 && !isZero ? "-" + text : text
  }

  /// "+3.10", "-3.10".
  package static func signed(_ value: Double, _ digits: Int) -> String { (value < 0 ? "-" : "+") + magnitude(value, digits).text }

  private static func magnitude(_ value: Double, _ digits: Int) -> (text: String, isZero: Bool) {
    let power = (0..<digits).reduce(1.0) { result, _ in result * 10 }
    let whole = Int((value.magnitude * power).rounded())
    let fraction = String(whole % Int(power))
    guard digits > 0 else { return (String(whole), whole == 0) }
    return ("\(whole / Int(power)).\(String(repeating: "0", count: digits - fraction.count))\(fraction)", whole == 0)
  }
}
