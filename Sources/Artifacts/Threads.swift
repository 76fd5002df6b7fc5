import Glibc

/// Runs `body` on a thread of its own: what blocks may not run on the cooperative pool.
package func startThread(_ body: @escaping @Sendable () -> Void) {
  // No thread to be had: then here and now.
  guard let thread = newThread(body) else { return body() }
  pthread_detach(thread)
}

/// Runs two bodies at once and returns when both are done.
func atOnce(_ first: () -> Void, _ second: @escaping @Sendable () -> Void) {
  let thread = newThread(second)
  first()
  if let thread { pthread_join(thread, nil) } else { second() }
}

/// To be detached or joined; nil when the system gives none.
private func newThread(_ body: @escaping @Sendable () -> Void) -> pthread_t? {
  let box = Unmanaged.passRetained(ThreadBody(body))
  var thread = pthread_t()
  let code = pthread_create(
    &thread, nil,
    { raw in
      guard let raw else { return nil }
      Unmanaged<ThreadBody>.fromOpaque(raw).takeRetainedValue().body()
      return nil
    }, box.toOpaque())
  if code == 0 { return thread }
  box.release()
  return nil
}

private final class ThreadBody: Sendable {
  let body: @Sendable () -> Void
  init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}
