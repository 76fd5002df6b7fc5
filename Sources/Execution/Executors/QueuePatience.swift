/// How often a queue is asked, and how long its silence is borne. Seconds.
package struct QueuePatience: Sendable {
  /// Between two questions when something has just changed; grows from there.
  package var quick = 0.5
  /// Between two questions when nothing has changed for long.
  package var slow = 60.0
  /// Between two looks for last words, at most: they cost the queue nothing.
  package var files = 1.0
  /// For a last word after the queue has said that the job is over: entries of a network's file system come late.
  package var lateFiles = 30.0
  /// Before a job that the queue says nothing about is asked for by name.
  package var unknown = 120.0
  /// For an answer to a submission that may have been heard.
  package var submission = 600.0
  /// Times that the cluster may fail an instance before the instance fails.
  package var infrastructure = 5

  package init() {}
}
