import Glibc
import Kernels

/// Attention written out plainly in Double: the oracle for values, and for gradients of Σ out · dOut.
struct AttentionOracle {
  let shape: AttentionShape
  let records: AttentionRecords
  var out: [Double]
  var logSumExp: [Double]
  var dq: [Double]
  var dk: [Double]
  var dv: [Double]

  /// q, k, v and dOut densely packed: T × heads · d, T × keyValueHeads · d.
  init(shape: AttentionShape, _ records: AttentionRecords, q: [Float], k: [Float], v: [Float], dOut: [Float]) {
    self.shape = shape
    self.records = records
    let d = shape.headDimension
    let (width, kvWidth) = (shape.heads * d, shape.keyValueHeads * d)
    out = .init(repeating: 0, count: q.count)
    dq = out
    dk = .init(repeating: 0, count: k.count)
    dv = dk
    logSumExp = .init(repeating: 0, count: q.count / d)
    for (record, prompt) in records.prompts.enumerated() {
      let before = prompt == record ? 0..<0 : records.offsets[prompt]..<records.offsets[prompt + 1]
      for i in records.offsets[record]..<records.offsets[record + 1] {
        let seen = Array(before) + Array(records.offsets[record]...i)
        for head in 0..<shape.heads {
          let kv = head / shape.group * d
          let row = i * width + head * d
          func scores(_ left: [Float], _ right: [Float]) -> [Double] {
            seen.map { j in (0..<d).reduce(0.0) { $0 + Double(left[row + $1]) * Double(right[j * kvWidth + kv + $1]) } }
          }
          var weights = scores(q, k).map { $0 * Double(shape.scale) }
          let top = weights.max() ?? 0
          let total = weights.reduce(0) { $0 + exp($1 - top) }
          logSumExp[i * shape.heads + head] = top + log(total)
          weights = weights.map { exp($0 - top) / total }
          let dWeights = scores(dOut, v)
          let delta = zip(weights, dWeights).reduce(0) { $0 + $1.0 * $1.1 }
          for (place, j) in seen.enumerated() {
            let weight = weights[place]
            let dScore = weight * (dWeights[place] - delta) * Double(shape.scale)
            for c in 0..<d {
              let key = j * kvWidth + kv + c
              out[row + c] += weight * Double(v[key])
              dv[key] += weight * Double(dOut[row + c])
              dq[row + c] += dScore * Double(k[key])
              dk[key] += dScore * Double(q[row + c])
            }
          }
        }
      }
    }
  }
}

func largestDifference(_ actual: [Float], _ expected: [Double]) -> Double {
  precondition(actual.count == expected.count)
  return zip(actual, expected).map { abs(Double($0) - $1) }.max() ?? 0
}
