import Artifacts
import Testing

@Suite("Store")
struct StoreTests {
  @Test("run ids sort by time and hold no two alike")
  func runIDs() {
    #expect(RunDirectory.newID(now: 1_763_720_130_123_000_000).hasPrefix("20251121T101530.123Z-"))
    #expect(RunDirectory.newID() != RunDirectory.newID())
  }
}
