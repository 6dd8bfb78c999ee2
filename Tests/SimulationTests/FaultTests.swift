import EngineModel
import Simulation
import Testing

@Suite struct FaultTests {
    @Test func `a file lists faults`() throws {
        let faults = try FaultLines.parse(
            "# noon\nslows 1 10 30.5\n\nscrapes-absent 0 0 5 # no metrics\r\n", file: "faults", endpoints: 2)
        #expect(
            faults == [
                EngineFault(.slows, endpoint: 1, at: .seconds(10), lasts: .milliseconds(30_500)),
                EngineFault(.scrapesAbsent, endpoint: 0, at: .zero, lasts: .seconds(5)),
            ])
    }

    @Test(arguments: ["explodes 0 1 1", "dies 0 1", "dies 0 -1 1", "dies 0 nan 1", "dies 0 1 inf", "dies x 1 1"])
    func `a malformed line is named`(_ line: String) {
        let kinds = "dies, stalls, slows, restarts, scrapes-stale, scrapes-absent"
        #expect(
            throws: TraceFault(
                file: "faults", line: 2,
                message: "expected KIND ENDPOINT AT LASTS, times in seconds; kinds are \(kinds)")
        ) { try FaultLines.parse("dies 0 1 1\n" + line, file: "faults", endpoints: 1) }
    }

    @Test func `an endpoint that is not there is named`() {
        #expect(throws: TraceFault(file: "faults", line: 1, message: "endpoint 2 is not one of 0 to 1")) {
            try FaultLines.parse("dies 2 1 1", file: "faults", endpoints: 2)
        }
    }

    @Test func `requests that never end break a rule`() {
        var settings = SimulationTests.settings(1)
        settings.faults = [EngineFault(.stalls, endpoint: 0, at: .zero, lasts: .seconds(100_000))]
        settings.longestDrain = .seconds(10)
        let result = SimulationTests.run(SimulationTests.trace(seed: 1, 10), settings)
        #expect(result.violations.contains { $0.hasSuffix("requests never ended") }, "\(result.violations)")
    }

    @Test func `an engine that slows threefold answers later`() {
        let trace = SimulationTests.trace(seed: 2, 40)
        var settings = SimulationTests.settings(1)
        let well = SimulationTests.run(trace, settings)
        settings.faults = [EngineFault(.slows, endpoint: 0, at: .zero, lasts: .seconds(100_000))]
        let slow = SimulationTests.run(trace, settings)
        #expect(
            SimulationResult.quantile(slow.perToken, 0.5) > 2 * SimulationResult.quantile(well.perToken, 0.5))
    }

    @Test func `an answer that the model's length ends counts what it has`() {
        let length = EngineProfile.standard.maximumModelLength
        let asked = TraceRequest(arrival: 0, promptTokens: length - 10, outputTokens: 1 << 30)
        let result = SimulationTests.run(Trace([asked]), SimulationTests.settings(1))
        #expect(result.violations == [])
        #expect(result.endpointTokens == [length])
    }

    @Test func `a trace of years at a small speed ends in an orderly way`() {
        let requests = [Int64(0), 1 << 60].map { TraceRequest(arrival: $0, promptTokens: 10, outputTokens: 1) }
        var settings = SimulationTests.settings(1)
        settings.speed = 0.001
        settings.scrapeInterval = .seconds(100_000_000)
        settings.probeInterval = .seconds(100_000_000)
        let result = SimulationTests.run(Trace(requests), settings)
        #expect(result.completed == 2)
    }
}
