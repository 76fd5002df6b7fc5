import Execution

/// The script that sbatch is given: it starts the program, hands on what Slurm signals, and has the job requeued when the program was
/// stopped and left a checkpoint. It does not know what the program does.
///
/// Slurm sends USR1 before the time is up to the shell alone, SIGTERM to everything; `scancel --batch --signal=USR2` is our own way to
/// say that a checkpoint is wanted and no going on. A job that Slurm itself is ending is never requeued from here: it was taken back by a
/// person, or Slurm requeues it. After a SIGTERM its state says COMPLETING then, and RUNNING while a preemption leaves it time.
package enum SlurmScript {
  /// Which of the jobs of a batch it is.
  package static let indexVariable = "HEIRLOOM_JOB_INDEX"

  /// Of a program that left a checkpoint because it was told to stop.
  package static let checkpointStatus: Int32 = 75

  package struct Order {
    package var name: String
    package var words: [String]
    /// The index of an array's element 0, or of the job that is none.
    package var firstIndex: Int
    package var valuesPath: String
    package var setup: [String]
    package var scratch: String?
    /// Where scontrol lies here; on a node it may lie elsewhere.
    package var scontrol: String?
    /// Where each job prints, by index, when no pattern of Slurm's says it.
    package var logs: [Int: String]

    package init(
      name: String, words: [String], firstIndex: Int, valuesPath: String, setup: [String] = [], scratch: String? = nil,
      scontrol: String? = nil, logs: [Int: String] = [:]
    ) {
      self.name = name
      self.words = words
      self.firstIndex = firstIndex
      self.valuesPath = valuesPath
      self.setup = setup
      self.scratch = scratch
      self.scontrol = scontrol
      self.logs = logs
    }
  }

  package static func text(_ order: Order) -> String {
    var lines = ["#!/bin/bash" + (order.setup.isEmpty ? "" : " -l"), "# \(order.name.filter { !$0.isNewline }), written by heirloom"]
    lines += traps
    lines.append(". \(quoted(order.valuesPath))")
    lines.append("export \(indexVariable)=$((\(order.firstIndex) + ${SLURM_ARRAY_TASK_ID:-0}))")
    lines += redirection(order.logs)
    if let scratch = order.scratch { lines.append("export TMPDIR=\"\(scratch)\" && mkdir -p \"$TMPDIR\" || exit 1") }
    lines += order.setup
    lines += order.scontrol.map { ["scontrol=\(quoted($0))", "[[ -x $scontrol ]] || scontrol=scontrol"] } ?? ["scontrol=scontrol"]
    lines.append("\(order.words.map(quoted).joined(separator: " ")) &")
    lines += waiting
    return lines.joined(separator: "\n") + "\n"
  }

  /// Variables, to be read by their owner alone: they may be secrets, and a command line is for everybody.
  package static func values(_ environment: [String: String]) -> String {
    environment.sorted { $0.key < $1.key }.map { "export \($0.key)=\(quoted($0.value))\n" }.joined()
  }

  /// One word of the shell.
  package static func quoted(_ text: String) -> String {
    "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
  }

  // MARK: - Parts

  /// Before anything else, for a signal may come at once; the program gets it when it has begun.
  private static let traps = [
    "child= asked= hit=",
    "tell() { hit=1; [[ $asked == person ]] || asked=$1; [[ -z $child ]] || kill -\"$2\" \"$child\" 2>/dev/null; }",
    "trap 'tell system USR1' USR1",
    "trap 'tell system TERM' TERM",
    "trap 'tell person TERM' USR2",
  ]

  private static func redirection(_ logs: [Int: String]) -> [String] {
    guard !logs.isEmpty else { return [] }
    let cases = logs.sorted { $0.key < $1.key }.map { "  \($0.key)) exec >>\(quoted($0.value)) 2>&1 ;;" }
    return ["case $\(indexVariable) in"] + cases + ["esac"]
  }

  /// `wait` also returns when a signal was handled, so it is asked until none came. Its answer stays the same once the child has ended.
  private static let waiting = [
    "child=$!",
    "[[ -z $asked ]] || kill -TERM \"$child\" 2>/dev/null",
    "hit=1",
    "while [[ $hit ]]; do hit=; wait \"$child\"; status=$?; done",
    "child=",
    "[[ $status == \(checkpointStatus) && $asked == system ]] || exit \"$status\"",
    "job=${SLURM_ARRAY_JOB_ID:+${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID}",
    "job=${job:-$SLURM_JOB_ID}",
    "for pause in 1 2 4 8 15 30 60 0; do",
    "  if state=$(\"$scontrol\" --oneliner show job \"$job\" 2>/dev/null); then",
    "    [[ $state == *' JobState=RUNNING '* ]] || break",
    "    \"$scontrol\" requeue \"$job\" && break",
    "  fi",
    "  sleep \"$pause\" & wait \"$!\"",
    "done",
    "exit \"$status\"",
  ]
}
