import Simulation
import Testing

@Suite struct MooncakeTraceTests {
    static func parse(_ text: String) throws -> Trace {
        let bytes = Array(text.utf8)
        return try TraceFormat(of: bytes).parse(bytes, file: "trace.jsonl")
    }

    @Test func `rows become requests with shared blocks`() throws {
        let trace = try Self.parse(
            """
            {"timestamp": 10, "input_length": 1100, "output_length": 6, "hash_ids": [0, 1, 2]}
            {"timestamp": 25, "input_length": 600, "output_length": 0, "hash_ids": [0, 7]}

            """)
        #expect(trace.requests.map(\.arrival) == [0, 15_000_000])
        #expect(trace.requests.map(\.promptTokens) == [1100, 600])
        #expect(trace.requests[0].blocks[0] == trace.requests[1].blocks[0])
        #expect(trace.requests[0].blocks[1] != trace.requests[1].blocks[1])
    }

    @Test(arguments: [
        ("{\"timestamp\": 1", "is not JSON"),
        (
            "{\"timestamp\": 1, \"input_length\": 0, \"output_length\": 1, \"hash_ids\": []}",
            "input_length must be a whole number from 1 to 1073741824"
        ),
        (
            "{\"timestamp\": 1, \"input_length\": 1, \"output_length\": 1, \"hash_ids\": [\"a\"]}",
            "hash_ids must be an array of whole numbers"
        ),
        (
            "{\"input_length\": 1, \"output_length\": 1, \"hash_ids\": []}",
            "timestamp must be a whole number from 0 to 1099511627776"
        ),
    ])
    func `a malformed row names file, line and field`(_ row: String, _ message: String) {
        let good = "{\"timestamp\": 0, \"input_length\": 9, \"output_length\": 1, \"hash_ids\": [0]}\n"
        #expect(throws: TraceFault(file: "trace.jsonl", line: 2, message: message)) { try Self.parse(good + row) }
    }

    @Test func `a prefix that two requests share is computed once`() throws {
        let trace = try Self.parse(
            """
            {"timestamp": 0, "input_length": 2048, "output_length": 2, "hash_ids": [0, 1, 2, 3]}
            {"timestamp": 5000, "input_length": 2048, "output_length": 2, "hash_ids": [0, 1, 2, 9]}

            """)
        let result = SimulationTests.run(trace, SimulationTests.settings(1))
        #expect(result.cachedTokens == 1536)
    }
}
