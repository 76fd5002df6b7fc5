import Plotting
import Testing

@Suite("Numbers as text") struct NumberTests {
  @Test(
    "four significant digits, no zeros at the end",
    arguments: [
      (0.0, "0"), (1, "1"), (92.1875, "92.19"), (-0.5, "-0.5"), (0.001234567, "0.001235"), (2e-5, "2e-5"), (-1.5e-7, "-1.5e-7"),
      (12_340, "12340"), (123_456, "123456"), (1e6, "1e6"), (9.9999e9, "1e10"), (.nan, "NaN"), (.infinity, "∞"), (-.infinity, "-∞"),
      (.leastNonzeroMagnitude, "5e-324"),
    ])
  func short(_ value: Double, _ text: String) { #expect(NumberText.short(value) == text) }

  @Test("fixed digits of what has none")
  func fixed() {
    #expect(FixedDigits.text(.nan, 1) == "NaN" && FixedDigits.text(-.infinity, 1) == "-∞" && FixedDigits.signed(1e300, 1) == "+1e+300")
    #expect(FixedDigits.text(-0.04, 1) == "0.0" && FixedDigits.signed(3.14159, 2) == "+3.14")
    #expect(FixedDigits.text(1e15, 2) == "1000000000000000.00")
  }

  @Test("data keep every digit, and quotes and formulas do no harm")
  func csv() {
    var data = ChartData(["name", "a,b", "value"])
    data.add([.text("say \"hi\"\nthere"), .text("=1+1"), .number(0.1)])
    data.add([.text("-x"), .missing, .number(.nan)])
    #expect(data.csv == "name,\"a,b\",value\r\n\"say \"\"hi\"\"\nthere\",'=1+1,0.1\r\n'-x,,nan\r\n")
    #expect(data.table.text.contains("| say \"hi\"⏎there | =1+1 |   0.1 |"))
  }
}
