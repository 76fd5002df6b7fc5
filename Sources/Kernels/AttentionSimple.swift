import Glibc

func simpleForward(
  _ s: AttentionShape, _ offsets: [Int], _ q: UnsafePointer<Float>, _ ldq: Int, _ k: UnsafePointer<Float>, _ ldk: Int, _ v: UnsafePointer<Float>,
  _ ldv: Int, _ out: Floats, _ ldo: Int, _ lse: Floats
) {
  let d = s.headDimension
  for r in 0..<max(0, offsets.count - 1) {
    for i in offsets[r]..<offsets[r + 1] {
      for h in 0..<s.heads {
        let kv = h / s.group
        var scores = [Float]()
        for j in offsets[r]...i {
          var x: Float = 0
          for c in 0..<d { x += q[i * ldq + h * d + c] * k[j * ldk + kv * d + c] }
          scores.append(x * s.scale)
        }
        let top = scores.max() ?? 0
        var total: Float = 0
        for j in scores.indices {
          scores[j] = expf(scores[j] - top)
          total += scores[j]
        }
        lse[i * s.heads + h] = top + logf(total)
        for c in 0..<d {
          var x: Float = 0
          for j in scores.indices { x += scores[j] * v[(offsets[r] + j) * ldv + kv * d + c] }
          out[i * ldo + h * d + c] = x / total
        }
      }
    }
  }
}

func simpleBackward(
  _ s: AttentionShape, _ offsets: [Int], _ q: UnsafePointer<Float>, _ ldq: Int, _ k: UnsafePointer<Float>, _ ldk: Int, _ v: UnsafePointer<Float>,
  _ ldv: Int, _ out: UnsafePointer<Float>, _ ldo: Int, _ lse: UnsafePointer<Float>, _ dOut: UnsafePointer<Float>, _ lddo: Int, _ dq: Floats,
  _ lddq: Int, _ dk: Floats, _ lddk: Int, _ dv: Floats, _ lddv: Int
) {
  let d = s.headDimension
  for i in (offsets.first ?? 0)..<(offsets.last ?? 0) {
    (dq + i * lddq).update(repeating: 0, count: s.heads * d)
    (dk + i * lddk).update(repeating: 0, count: s.keyValueHeads * d)
    (dv + i * lddv).update(repeating: 0, count: s.keyValueHeads * d)
  }
  for r in 0..<max(0, offsets.count - 1) {
    for i in offsets[r]..<offsets[r + 1] {
      for h in 0..<s.heads {
        let kv = h / s.group
        var delta: Float = 0
        for c in 0..<d { delta += out[i * ldo + h * d + c] * dOut[i * lddo + h * d + c] }
        for j in offsets[r]...i {
          var x: Float = 0
          var dp: Float = 0
          for c in 0..<d {
            x += q[i * ldq + h * d + c] * k[j * ldk + kv * d + c]
            dp += dOut[i * lddo + h * d + c] * v[j * ldv + kv * d + c]
          }
          let p = expf(x * s.scale - lse[i * s.heads + h])
          let ds = p * (dp - delta) * s.scale
          for c in 0..<d {
            dv[j * lddv + kv * d + c] += p * dOut[i * lddo + h * d + c]
            dq[i * lddq + h * d + c] += ds * k[j * ldk + kv * d + c]
            dk[j * lddk + kv * d + c] += ds * q[i * ldq + h * d + c]
          }
        }
      }
    }
  }
}

func simpleDecode(
  _ s: AttentionShape, _ sequences: [KeyValueSequence], _ q: UnsafePointer<Float>, _ ldq: Int, _ out: Floats, _ ldo: Int
) {
  let d = s.headDimension
  for (b, sequence) in sequences.enumerated() {
    for h in 0..<s.heads {
      let kv = h / s.group
      var scores = [Float]()
      for segment in [sequence.prefix, sequence.own] {
        for j in 0..<segment.count {
          var x: Float = 0
          for c in 0..<d { x += q[b * ldq + h * d + c] * segment.keys[j * segment.rowStride + kv * segment.headStride + c] }
          scores.append(x * s.scale)
        }
      }
      let top = scores.max() ?? 0
      scores = scores.map { expf($0 - top) }
      let total = scores.reduce(0, +)
      for c in 0..<d {
        var x: Float = 0
        for j in scores.indices {
          let segment = j < sequence.prefix.count ? sequence.prefix : sequence.own
          let p = j < sequence.prefix.count ? j : j - sequence.prefix.count
          x += scores[j] * segment.values[p * segment.rowStride + kv * segment.headStride + c]
        }
        out[b * ldo + h * d + c] = x / total
      }
    }
  }
}
