/// Times and sizes as Slurm's programs print them and take them.
package enum SlurmAmount {
  /// `1-02:03:04`, `02:03:04`, `03:04`, `03:04.567`.
  package static func seconds(_ text: some StringProtocol) -> Double? {
    let parts = text.split(separator: "-", maxSplits: 1)
    let days = parts.count == 2 ? Double(parts[0]) : 0
    guard let days, let clock = parts.last else { return nil }
    let numbers = clock.split(separator: ":").map { Double($0) }
    guard (2...3).contains(numbers.count) else { return nil }
    var seconds = 0.0
    for number in numbers {
      guard let number, number >= 0 else { return nil }
      seconds = seconds * 60 + number
    }
    return days * 86400 + seconds
  }

  /// `198252K`, `1.2M`, `512`; units count by 1024, and `unit` is that of a number without one. `4Gn` and `4Gc` are per node and per CPU.
  package static func bytes(_ text: some StringProtocol, unit: Character = "B") -> Int? {
    let units: [Character: Double] = ["B": 1, "K": 1024, "M": 1_048_576, "G": 1_073_741_824, "T": 1_099_511_627_776]
    let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    let suffix = text.dropFirst(number.count).first.map { Character($0.uppercased()) } ?? unit
    guard let amount = Double(number), let factor = units[suffix], amount * factor < 9e18 else { return nil }
    return Int(amount * factor)
  }

  /// What a job was given, in bytes, where it is given by CPU times their number; nil also for 0, all that a node has.
  static func memory(_ text: Substring, times count: Substring? = nil) -> Int? {
    guard let part = bytes(text, unit: "M"), part > 0 else { return nil }
    guard let count else { return part }
    let (whole, isTooMuch) = part.multipliedReportingOverflow(by: Int(count) ?? 1)
    return isTooMuch ? nil : whole
  }

  /// For `--time`: Slurm counts in minutes.
  package static func minutes(seconds: Double) -> String { String(max(1, Int((min(seconds, 6e9) / 60).rounded(.up)))) }

  /// For `--mem`.
  package static func memory(bytes: Int) -> String { "\(max(1, (bytes + 1_048_575) / 1_048_576))M" }

  /// GPUs in a list of generic resources: `gpu:2`, `gpu:a100:4(S:0,1)`, `gpu:2,nvme:1`, `(null)`.
  package static func gpus(_ text: some StringProtocol, ofType type: String? = nil) -> Int {
    var (count, depth, item) = (0, 0, "")
    func add(_ item: String) -> Int {
      let parts = item.prefix { $0 != "(" }.split(separator: ":")
      guard parts.first == "gpu" else { return 0 }
      if let type, parts.count > 2, parts[1] != type { return 0 }
      return parts.count == 1 ? 1 : Int(parts[parts.count - 1]) ?? 1
    }
    for character in text {
      if character == "(" { depth += 1 }
      if character == ")" { depth -= 1 }
      if character == ",", depth == 0 {
        count += add(item)
        item = ""
      } else {
        item.append(character)
      }
    }
    return count + add(item)
  }
}
