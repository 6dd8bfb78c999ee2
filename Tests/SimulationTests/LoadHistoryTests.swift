import Simulation
import Testing

@Suite struct LoadHistoryTests {
    @Test func `looks in one slice are averaged, each endpoint for itself`() {
        var history = LoadHistory(endpoints: 2, lookInterval: 10)
        history.note(0, inFlight: 4, at: 0)
        history.note(0, inFlight: 8, at: 9)
        history.note(0, inFlight: 1, at: 25)
        history.note(1, inFlight: 7, at: 12)
        #expect(history.means(of: 0).map(\.seconds) == [5, 25])
        #expect(history.means(of: 0).map(\.inFlight) == [6, 1])
        #expect(history.means(of: 1).map(\.inFlight) == [7])
    }

    @Test func `looks before the first arrival do not count`() {
        var history = LoadHistory(endpoints: 1, lookInterval: 10)
        history.note(0, inFlight: 4, at: -0.5)
        #expect(history.means(of: 0).isEmpty)
    }

    @Test func `a long run has longer slices and not more of them, and loses no look`() {
        var history = LoadHistory(endpoints: 1, lookInterval: 1)
        for second in 0..<1000 { history.note(0, inFlight: second, at: Double(second)) }
        let means = history.means(of: 0)
        #expect(history.sliceSeconds == 8)
        #expect(means.count == 125)
        #expect(means.first?.inFlight == 3.5)
        #expect(means.last?.inFlight == 995.5)
    }

    @Test func `a very late look does not need more room`() {
        var history = LoadHistory(endpoints: 1, lookInterval: 1)
        history.note(0, inFlight: 2, at: 0)
        history.note(0, inFlight: 3, at: 1e9)
        #expect(history.means(of: 0).count == 2)
    }

    @Test func `a run notes its endpoints from the first arrival on`() {
        let result = SimulationTests.run(SimulationTests.trace(seed: 61), SimulationTests.settings(3))
        #expect(result.load.endpoints == 3)
        for endpoint in 0..<3 {
            let means = result.load.means(of: endpoint)
            #expect((2...LoadHistory.mostSlices).contains(means.count))
            #expect(means.contains { $0.inFlight > 0 })
            #expect(means.allSatisfy { $0.seconds <= result.virtualSeconds + result.load.sliceSeconds })
        }
    }
}
