import Glibc
import Synchronization

/// Runs `body` on a thread of its own: what blocks may not run on the cooperative pool.
package func startThread(_ body: @escaping @Sendable () -> Void) {
  let box = Unmanaged.passRetained(ThreadBody(body))
  var thread = pthread_t()
  let code = pthread_create(
    &thread, nil,
    { raw in
      guard let raw else { return nil }
      Unmanaged<ThreadBody>.fromOpaque(raw).takeRetainedValue().body()
      return nil
    }, box.toOpaque())
  guard code == 0 else {
    // No thread to be had: then here and now.
    box.takeRetainedValue().body()
    return
  }
  pthread_detach(thread)
}

private final class ThreadBody: Sendable {
  let body: @Sendable () -> Void
  init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}

/// Runs two bodies at once and returns when both are done.
func atOnce(_ first: () -> Void, _ second: @escaping @Sendable () -> Void) {
  let box = Unmanaged.passRetained(ThreadBody(second))
  var thread = pthread_t()
  let code = pthread_create(
    &thread, nil,
    { raw in
      guard let raw else { return nil }
      Unmanaged<ThreadBody>.fromOpaque(raw).takeRetainedValue().body()
      return nil
    }, box.toOpaque())
  first()
  if code == 0 { pthread_join(thread, nil) } else { box.takeRetainedValue().body() }
}
