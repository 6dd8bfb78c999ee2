/// An endpoint as the host describes it to the scheduler.
package struct EndpointDescription: Sendable {
    package var id: EndpointID
    package var pool: PoolID
    /// Sequences the engine runs at once; nil: unknown, the pool's default is assumed and corrected by samples.
    package var maximumSequences: Int?
    /// Tokens the engine prefills and decodes in one step; nil: unknown.
    package var batchTokens: Int?
    /// KV capacity in tokens; nil until a sample tells.
    package var kvTokens: Int?
    package var models: [ModelID]
    /// Endpoints of a pool with the same number are of one kind (model, accelerator, settings): what is learned of the
    /// step times of one holds for all, but for a factor.
    package var type = 0

    package init(
        id: EndpointID, pool: PoolID, maximumSequences: Int? = nil, batchTokens: Int? = nil, kvTokens: Int? = nil,
        models: [ModelID] = []
    ) {
        self.id = id
        self.pool = pool
        self.maximumSequences = maximumSequences
        self.batchTokens = batchTokens
        self.kvTokens = kvTokens
        self.models = models
    }
}
