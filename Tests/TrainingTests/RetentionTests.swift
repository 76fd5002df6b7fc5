import Kernels
import Modeling
import Testing
import Training

@Suite struct RetentionTests {
  private static let rule = RetentionRule(every: 2, patience: 2, threshold: 0.1)

  private static func curve(_ points: [(target: Double?, retention: Double?)], _ rule: RetentionRule = rule) -> RetentionCurve {
    var curve = RetentionCurve(rule: rule)
    for (index, point) in points.enumerated() where !curve.isOver {
      _ = curve.add(RetentionPoint(target: point.target, retention: point.retention), step: 2 * index)
    }
    return curve
  }

  @Test func `training ends when retention is too low as often as patience allows, though the target still rises`() {
    let curve = Self.curve([(0.1, 0.8), (0.3, 0.75), (0.5, 0.69), (0.7, 0.6), (0.9, 0.5)])
    #expect(curve.isOver)
    #expect(curve.entries.map(\.step) == [0, 2, 4, 6])
    #expect(curve.bestStep == 2)
  }

  @Test func `one low look between good ones is forgiven`() {
    let curve = Self.curve([(0.1, 0.8), (0.3, 0.6), (0.5, 0.75), (0.6, 0.6), (0.4, 0.78)])
    #expect(!curve.isOver)
    #expect(curve.bestStep == 4)
  }

  @Test func `a best look that a later rise of retention leaves behind gives way`() {
    #expect(Self.curve([(0.1, 0.8), (0.9, 0.75), (0.2, 0.95)]).bestStep == 4)
  }

  @Test func `of equal targets the earlier is kept; without a target the latest that keeps retention`() {
    #expect(Self.curve([(0.5, 0.8), (0.5, 0.8)]).bestStep == 0)
    #expect(Self.curve([(nil, 0.8), (nil, 0.75), (nil, 0.6)]).bestStep == 2)
  }

  @Test func `a target alone is ordinary early stopping`() {
    let curve = Self.curve([(0.5, nil), (0.8, nil), (0.6, nil), (0.65, nil), (0.9, nil)])
    #expect(curve.isOver && curve.bestStep == 2)
  }

  @Test func `looks are due at the start, every few steps and at the end, once each`() {
    var curve = RetentionCurve(rule: Self.rule)
    #expect((0...5).filter { curve.isDue(step: $0, of: 5) } == [0, 2, 4, 5])
    _ = curve.add(RetentionPoint(target: nil, retention: 1), step: 0)
    #expect(!curve.isDue(step: 0, of: 5))
  }

  @Test func `a curve comes back from its JSON`() {
    var curve = RetentionCurve(rule: Self.rule)
    _ = curve.add(RetentionPoint(target: nil, retention: 0.1 + 0.2, scores: [("a", 0.5), ("a", -1.25)]), step: 0)
    _ = curve.add(RetentionPoint(target: 0.25, retention: nil), step: 2)
    #expect(RetentionCurve(json: curve.json, rule: Self.rule) == curve)
    #expect(RetentionCurve(json: [["step": 1]], rule: Self.rule) == nil)
  }

  // MARK: - In the loop

  /// Retention by the number of the look.
  private func watch(_ tiny: TinyTraining, _ retentions: [Double], stopAt: Int? = nil) -> RetentionWatch {
    var asked = 0
    return RetentionWatch(
      rule: Self.rule, count: tiny.arena.count,
      evaluate: { step in
        asked += 1
        if asked == stopAt { return nil }
        return RetentionPoint(target: Double(step), retention: retentions[min(step / 2, retentions.count - 1)])
      })
  }

  @Test func `the best weights are handed over, and they are those of a run that ends there`() throws {
    let tiny = TinyTraining()
    var control = TrainingControl()
    control.watch = watch(tiny, [1, 1, 1, 0.5, 0.4])
    #expect(try tiny.run(control) == .finished(steps: 8, kernels: [CPU.kernelName]))
    #expect(control.watch?.curve.bestStep == 4)

    let unwatched = TinyTraining()
    var weights: [Float] = []
    var other = TrainingControl()
    other.onStep = { if $0.step == 4 { weights = unwatched.parameters } }
    _ = try unwatched.run(other)
    #expect(tiny.parameters == weights)
  }

  @Test(arguments: 1...5)
  func `a run stopped in the midst of a look ends as an undisturbed one`(look: Int) throws {
    let retentions = [1, 1, 0.7, 0.99, 0.5, 0.5]
    let whole = TinyTraining()
    var control = TrainingControl()
    control.watch = watch(whole, retentions)
    let outcome = try whole.run(control)

    let file = TemporaryPath("look\(String(repeating: "x", count: look))")
    let first = TinyTraining()
    var stopping = TrainingControl()
    stopping.checkpointPath = file.path
    stopping.watch = watch(first, retentions, stopAt: look)
    #expect(try first.run(stopping) == .stopped(steps: 2 * (look - 1)))
    let second = TinyTraining()
    stopping.watch = watch(second, retentions)
    #expect(try second.run(stopping) == outcome)
    #expect(second.parameters == whole.parameters)
    #expect(stopping.watch?.curve == control.watch?.curve)
  }
}
