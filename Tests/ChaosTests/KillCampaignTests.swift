import Testing

@Suite("Killed at random instants", .serialized) struct KillCampaignTests {
  @Test("no result is lost or wrong, no lock is stuck, nothing is left running, nothing is done twice")
  func campaign() throws {
    var campaign = try KillCampaign(seed: Amount.seed)
    try campaign.play(kills: Amount.kills)
    print("seed \(Amount.seed): \(campaign.counts)")
    for fault in campaign.counts.faults { Issue.record("\(fault)") }
    #expect(campaign.counts.total >= Amount.kills)
  }
}
