import Kernels
import Testing

@Suite("thread pool")
struct ThreadPoolTests {
  @Test("every task runs once, at any number of threads", arguments: [1, 2, 3, 8])
  func once(threads: Int) {
    let pool = ThreadPool(threads: threads)
    #expect(pool.threads == threads)
    // Many short jobs in a row: a worker that wakes late must not touch the next one.
    for count in [0, 1, 2, 7, 100] {
      for _ in 0..<200 {
        let ran = Int32Buffer(count: count + 1)
        pool.run(count) { ran.pointer[$0] += 1 }
        #expect(ran.elements.dropLast().allSatisfy { $0 == 1 } && ran.elements.last == 0)
      }
    }
  }

  @Test("a run inside a task runs on the same thread")
  func nested() {
    let pool = ThreadPool(threads: 4)
    let ran = Int32Buffer(count: 16 * 5)
    pool.run(16) { i in pool.run(5) { ran.pointer[i * 5 + $0] += 1 } }
    #expect(ran.elements.allSatisfy { $0 == 1 })
  }

  @Test("two threads may use one pool")
  func shared() async {
    let pool = ThreadPool(threads: 2)
    let ran = Int32Buffer(count: 4 * 100 * 10)
    await withTaskGroup(of: Void.self) { group in
      for user in 0..<4 {
        group.addTask {
          for round in 0..<100 { pool.run(10) { ran.pointer[(user * 100 + round) * 10 + $0] += 1 } }
        }
      }
    }
    #expect(ran.elements.allSatisfy { $0 == 1 })
  }
}

@Suite("buffers")
struct BufferTests {
  @Test("memory is zeroed and aligned, small and large")
  func zeroed() {
    for count in [0, 1, 1000, 1_000_000] {
      let buffer = FloatBuffer(count: count)
      #expect(buffer.count == count && Int(bitPattern: buffer.pointer) % 64 == 0)
      #expect(buffer.elements.allSatisfy { $0 == 0 })
      if count > 0 { buffer.pointer[count - 1] = 1 }
      buffer.clear()
      #expect(buffer.elements.allSatisfy { $0 == 0 })
    }
  }
}
