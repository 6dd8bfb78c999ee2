import Simulation
import Testing

@Suite struct AzureTraceTests {
    static let header = "TIMESTAMP,ContextTokens,GeneratedTokens\r\n"

    static func parse(_ rows: String) throws -> Trace {
        try AzureTrace.parse(Array((header + rows).utf8), file: "conv.csv")
    }

    @Test func `rows become requests from the first on`() throws {
        let trace = try Self.parse(
            "2023-11-16 23:59:59.5000000,374,44\r\n2023-11-17 00:00:01.0000001,396,109")
        #expect(trace.requests.map(\.arrival) == [0, 1_500_000_100])
        #expect(trace.requests.map(\.promptTokens) == [374, 396])
        #expect(trace.requests.map(\.outputTokens) == [44, 109])
    }

    @Test(arguments: [
        "2023-11-16 23:59:59.5,374", "2023-13-16 23:59:59.5,374,1", "2023-11-16 23:59:59.5,374,1,2",
        "2023-11-16 23:59:59.,374,1", "2023-11-16 23:59:59,0,1", "2023-11-16 23:59:59,12345678901234567890,1",
        "2023-11-16 23:59:59,1,999999999999999999", "x",
    ])
    func `a malformed row names file and line`(_ row: String) {
        #expect(
            throws: TraceFault(
                file: "conv.csv", line: 3,
                message: "expected YYYY-MM-DD HH:MM:SS.fraction,prompt tokens,output tokens")
        ) { try Self.parse("2023-11-16 23:59:58,374,44\n" + row + "\n") }
    }

    @Test func `a file of another kind is refused at its first line`() {
        #expect(throws: TraceFault.self) { try AzureTrace.parse(Array("{}\n".utf8), file: "x") }
        #expect(throws: TraceFault(file: "conv.csv", line: 0, message: "no request in it")) { try Self.parse("") }
    }
}
