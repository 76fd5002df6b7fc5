import Evaluation
import StageInterface

extension StageContext {
  /// Runs what scores completions. Who stops a stage signals its whole process group: a reward program that died of it is no failure, and the
  /// stage goes on from its checkpoint another time.
  func scoring<Value>(_ body: () throws -> Value) throws -> Value {
    do { return try body() } catch let error as RewardError {
      if stopRequested { throw StageInterrupted() }
      throw error
    }
  }
}
