import EndpointPicking
import FleetTracking

/// One pool with endpoints and a picker, for tests of picks alone.
struct PickBench: ~Copyable {
    var fleet: Fleet
    var picker: EndpointPicker
    var context: PickContext
    var now = Instant.zero + .seconds(100)
    private var serial: UInt64 = 0

    /// A prompt that was sent.
    struct Sent {
        let endpoint: EndpointID
        let demand: WorkDemand
        let ticket: Int
    }

    init(endpoints: Int, profile: PickProfile = .standard, seed: UInt64 = 1, sequences: Int = 256) {
        fleet = Fleet(settings: [FleetSettings()], maximumEndpoints: 16_384)
        for index in 0..<endpoints {
            _ = fleet.add(
                EndpointDescription(
                    id: EndpointID(index), pool: PoolID(0), maximumSequences: sequences, kvTokens: 400_000,
                    models: [ModelID(0)]))
        }
        picker = EndpointPicker(profile: profile, index: 0)
        context = PickContext(
            pool: PoolID(0), now: now, generator: SeededGenerator(seed: seed),
            decisions: DecisionRing(capacity: 64, profiles: [profile]))
    }

    var lastWork: WorkID { WorkID(home: 0, serial: serial) }

    mutating func pick(
        _ prefix: [PrefixBlock] = [], prompt: Int? = nil, model: ModelID = ModelID(0),
        tried: TriedEndpoints = TriedEndpoints()
    ) -> PickResult {
        serial += 1
        let tokens = prompt ?? (prefix.last?.endByte ?? 400) / 4
        var request = PickRequest(
            model: model, band: .realtime, promptTokens: tokens, expectedOutputTokens: 100, prefix: prefix)
        request.commonTokens = picker.observe(prefix, bytesPerToken: 4)
        context.now = now
        return picker.pick(
            PickTask(work: lastWork, attempt: 1, request: request, tried: tried), from: &context, fleet: &fleet)
    }

    /// Picks and sends: the endpoint, and what to take out again.
    mutating func send(_ prefix: [PrefixBlock] = [], prompt: Int? = nil) -> Sent? {
        guard case .chosen(let endpoint, let matched) = pick(prefix, prompt: prompt) else { return nil }
        let tokens = prompt ?? (prefix.last?.endByte ?? 400) / 4
        let demand = WorkDemand(band: .realtime, sequences: 1, promptTokens: tokens, expectedOutputTokens: 100)
        let ticket = fleet.dispatch(demand, uncachedTokens: tokens - matched, to: endpoint, at: now)
        fleet.remember(prefix, on: endpoint)
        picker.remember(prefix, on: endpoint, poolSize: fleet.members(of: PoolID(0)).count)
        return Sent(endpoint: endpoint, demand: demand, ticket: ticket)
    }

    /// Sends a prompt and lets it be prefilled and answered.
    mutating func sendAndFinish(_ prefix: [PrefixBlock]) -> EndpointID? {
        guard let sent = send(prefix) else { return nil }
        now = now + .seconds(1)
        finish(sent)
        return sent.endpoint
    }

    mutating func finish(_ sent: Sent) {
        fleet.release(
            Departure(demand: sent.demand, producedTokens: 0, ticket: sent.ticket, wasAnswered: true),
            from: sent.endpoint, at: now)
    }

    /// A chain of one block for each name: equal names in equal places share blocks.
    static func chain(_ names: [Int]) -> [PrefixBlock] {
        var hash: UInt64 = 7
        return names.enumerated().map { place, name in
            hash = SeededGenerator.mix(hash ^ UInt64(name))
            return PrefixBlock(hash: hash, endByte: PrefixHasher.boundaries[place])
        }
    }
}
