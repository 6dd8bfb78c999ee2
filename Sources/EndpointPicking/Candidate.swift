package import FleetTracking

/// What is known about one endpoint that serves the model, at the moment of a pick.
package struct Candidate: Sendable {
    package var endpoint: EndpointID
    /// In rotation: not ejected. When no endpoint of a pick is, all count as being in rotation.
    package var isHealthy: Bool
    package var isDraining: Bool
    /// The work fits now, by the rules of its band.
    package var hasRoom: Bool
    /// An earlier attempt of this work failed there.
    package var wasTried = false
    /// Sequences there: ours and the foreign ones.
    package var sequences: Int
    package var maximumSequences: Int
    /// The engine's own waiting queue, sequences, as of its last sample.
    package var waiting: Int
    /// Prompt tokens of ours that the engine has not prefilled yet.
    package var pendingPromptTokens: Int
    /// Share of KV in use, 0…1; 0 when unknown.
    package var kvUse: Double
    /// Tokens of this prompt that the engine is believed to hold, from the start.
    package var matchedTokens = 0
    /// What the work would meet there; all zero where the profile does not use forecasts. Counts what most prompts
    /// share as held everywhere.
    package var forecast = LatencyForecast()

    package init(endpoint: EndpointID, facts: EndpointFacts = EndpointFacts()) {
        self.endpoint = endpoint
        isHealthy = facts.isHealthy
        isDraining = facts.isDraining
        hasRoom = facts.hasRoom
        sequences = facts.sequences
        maximumSequences = facts.maximumSequences
        waiting = facts.waiting
        pendingPromptTokens = facts.pendingPromptTokens
        kvUse = facts.kvUse
    }
}

/// What is to be placed.
package struct PickRequest: Sendable {
    package var model: ModelID
    package var band: Band
    package var promptTokens: Int
    package var expectedOutputTokens: Int
    package var sequences: Int
    package var prefix: [PrefixBlock]
    /// Tokens at the start of the prompt that most requests of the pool share.
    package var commonTokens = 0
    /// Output tokens that answers like this one had; what is expected at most when nothing is known.
    package var likelyOutputTokens: Int
    /// What the client was promised; nil: nothing.
    package var objective = LatencyObjective()
    /// Set by the picker: every candidate's forecast may be gone by.
    package var hasForecasts = false
    /// Set by the picker: a number in 0..<1, drawn for this pick.
    package var lot = 0.0

    package init(
        model: ModelID, band: Band, promptTokens: Int, expectedOutputTokens: Int, sequences: Int = 1,
        prefix: [PrefixBlock] = []
    ) {
        self.model = model
        self.band = band
        self.promptTokens = promptTokens
        self.expectedOutputTokens = expectedOutputTokens
        self.sequences = sequences
        self.prefix = prefix
        likelyOutputTokens = expectedOutputTokens
    }
}

/// Latencies that a request should stay below, milliseconds; nil: none is set.
package struct LatencyObjective: Sendable, Equatable {
    package var firstToken: Double?
    package var interToken: Double?

    package init() {}
}
