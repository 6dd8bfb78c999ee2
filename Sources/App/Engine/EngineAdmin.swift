import EngineModel
import NIOCore
import NIOHTTP1

extension EngineRoom {
    /// The paths by which tests steer and watch the engine.
    func serveAdmin(_ method: HTTPMethod, path: String, body: ByteBuffer, on connection: EngineConnection) {
        switch (method, path) {
        case (.GET, "/admin/state"): connection.respond(body: state())
        case (.DELETE, "/admin/faults"):
            faults = FaultPlan()
            connection.respond(body: ByteBuffer(string: "{}"))
        case (.POST, "/admin/faults"):
            do throws(EngineRefusal) {
                try changeFaults(try document(body))
                connection.respond(body: ByteBuffer(string: "{}"))
            } catch {
                connection.refuse(error)
            }
        default: connection.refuse(.notFound)
        }
    }

    private func changeFaults(_ document: JSONValue) throws(EngineRefusal) {
        guard case .object(let members) = document else {
            throw .badRequest("The faults must be a JSON object, found \(document.kind).")
        }
        var plan = faults
        plan.refuseConnectionsSeconds = nil
        do throws(FaultPlan.Mistake) {
            for member in members { try plan.set(member.name, to: member.value) }
        } catch {
            throw .badRequest(error.description)
        }
        faults = plan
        if let seconds = plan.refuseConnectionsSeconds { refuseConnections(seconds) }
    }

    private func state() -> ByteBuffer {
        let gauges = engine.gauges
        let counters = engine.counters
        let pairs: [(String, Int)] = [
            ("running", gauges.running), ("waiting", gauges.waiting), ("free_blocks", gauges.freeBlocks),
            ("blocks", options.engine.blocks), ("tokens_in_prefill", gauges.tokensInPrefill),
            ("active_calls", activeCalls), ("finished_calls", finishedCalls), ("aborted_calls", abortedCalls),
            ("connections", openConnections), ("submitted", counters.submitted),
            ("finished_stop", counters.finishedStop), ("finished_length", counters.finishedLength),
            ("aborted", counters.aborted), ("preempted", counters.preempted),
            ("refused", counters.refusedSequences + counters.refusedTokens), ("steps", counters.steps),
            ("prompt_tokens", counters.promptTokens), ("generated_tokens", counters.generatedTokens),
            ("prefix_queries", counters.prefixQueries), ("prefix_hits", counters.prefixHits),
            ("max_running", counters.maximumRunning),
            ("max_lag_microseconds", Int(maximumLag.nanoseconds / 1000)),
        ]
        let fields = pairs.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",")
        return ByteBuffer(string: "{\(fields),\"kv_use\":\(gauges.kvUse)}")
    }
}
