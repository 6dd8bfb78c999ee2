/// The step models of all endpoint types of all pools, and where each endpoint's step loop is.
package struct FleetLatency: Sendable {
    package private(set) var models: [StepModel] = []
    package private(set) var paces: [EndpointPace] = []
    /// Pool and type of each model.
    private var keys: [(pool: Int, type: Int)] = []

    package init() {}

    /// An endpoint is there; `endpoint` is its index.
    mutating func add(_ endpoint: Int, _ description: EndpointDescription, _ settings: FleetSettings) {
        while paces.count <= endpoint { paces.append(EndpointPace(type: 0, batchTokens: 1, maximumSequences: 1)) }
        paces[endpoint] = EndpointPace(
            type: model(pool: description.pool.index, type: description.type, settings.latency),
            batchTokens: description.batchTokens ?? settings.capacity.batchTokens,
            maximumSequences: description.maximumSequences ?? settings.capacity.maximumSequences)
    }

    private mutating func model(pool: Int, type: Int, _ settings: LatencySettings) -> Int {
        if let known = keys.firstIndex(where: { $0.pool == pool && $0.type == type }) { return known }
        keys.append((pool, type))
        let place = min(max(0, type), settings.priors.count - 1)
        models.append(StepModel(prior: place < 0 ? StepTerms() : settings.priors[place], settings: settings))
        return models.count - 1
    }

    /// What is believed of an engine's size changed.
    mutating func resized(_ endpoint: Int, maximumSequences: Int, batchTokens: Int) {
        paces[endpoint].maximumSequences = Double(maximumSequences)
        paces[endpoint].batchTokens = Double(batchTokens)
    }

    mutating func sampled(_ endpoint: Int, foreign: ForeignLoad, maximumSequences: Int) {
        guard let sampledAt = foreign.sampledAt else { return }
        paces[endpoint].foreign = (Double(foreign.sequences), Double(foreign.kvTokens), sampledAt)
        paces[endpoint].maximumSequences = Double(maximumSequences)
    }

    mutating func sent(_ demand: WorkDemand, uncached: Int, to endpoint: Int, at now: Instant) {
        let model = paces[endpoint].type
        paces[endpoint].advance(to: now, models[model].terms)
        paces[endpoint].sent(demand, uncached: uncached, at: now, overhead: models[model].overhead)
    }

    /// A stream's first token.
    mutating func began(_ first: FirstToken, on endpoint: Int, at now: Instant) {
        let model = paces[endpoint].type
        paces[endpoint].advance(to: now, models[model].terms)
        paces[endpoint].began(first.ticket, at: now, models[model].terms)
        guard let predicted = first.predicted else { return }
        models[model].learnFirstToken(predicted: predicted, took: first.took)
    }

    /// A stream's tokens since its last report; the last of them came at `last`. Nil: not known, or something else than
    /// the engine held them up.
    mutating func progressed(_ ticket: Int, tokens: Int, last: Instant?, on endpoint: Int, at now: Instant) {
        paces[endpoint].context += Double(tokens)
        guard let last, last <= now else { return paces[endpoint].endWindow(of: ticket) }
        let model = paces[endpoint].type
        paces[endpoint].advance(to: last, models[model].terms)
        paces[endpoint].progressed(ticket, tokens: tokens, last: last, at: now, &models[model])
    }

    mutating func left(_ departure: Departure, from endpoint: Int, at now: Instant) {
        paces[endpoint].advance(to: now, models[paces[endpoint].type].terms)
        paces[endpoint].left(departure)
    }

    /// What a request would meet on an endpoint.
    @inline(__always)
    mutating func forecast(_ query: ForecastQuery, on endpoint: Int, at now: Instant) -> LatencyForecast {
        let model = paces[endpoint].type
        let terms = models[model].terms
        paces[endpoint].advance(to: now, terms)
        var forecast = paces[endpoint].forecast(query, at: now, terms, overhead: models[model].overhead)
        forecast.isTrusted = models[model].isTrusted
        return forecast
    }

    /// The length of the next step to begin, milliseconds.
    mutating func nextStep(on endpoint: Int, at now: Instant) -> Double {
        let terms = models[paces[endpoint].type].terms
        paces[endpoint].advance(to: now, terms)
        return paces[endpoint].nextStepMilliseconds(at: now, terms)
    }
}

/// A stream's first token, with what was thought of it when it was sent.
package struct FirstToken: Sendable {
    package var ticket: Int
    /// Milliseconds; nil: there was no prediction.
    package var predicted: Double?
    /// Milliseconds.
    package var took: Double

    package init(ticket: Int, predicted: Double?, took: Double) {
        self.ticket = ticket
        self.predicted = predicted
        self.took = took
    }
}
