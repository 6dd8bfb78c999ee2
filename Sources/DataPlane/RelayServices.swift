package import FleetTracking
package import Logging
package import SchedulerRuntime

/// Hashes the prompt parts of a body into the chain that endpoint picking compares. Called on the loop.
package typealias PrefixChain = @Sendable (ModelID, UnsafeRawBufferPointer, [Range<Int>]) -> [PrefixBlock]

/// What every connection of the data path needs, made once by the composition of `neap serve`.
package struct RelayServices: Sendable {
    package let host: SchedulerHost
    package let directory: DirectoryHolder
    package let names: Names
    package let sink: any RecordSink
    package let identity: any Identifying
    package let prefixChain: PrefixChain
    package let settings: RelaySettings
    package let budget: BufferBudget
    /// Where each loop counts the gaps between output, by its index.
    let gaps: [TokenGapShard]
    package let logger: Logger
    /// Keys are configured: a client's credentials are consumed here and never forwarded.
    let consumesCredentials: Bool

    package init(
        host: SchedulerHost, directory: DirectoryHolder, names: Names, sink: any RecordSink,
        identity: any Identifying = AnyKey(), prefixChain: @escaping PrefixChain = { _, _, _ in [] },
        settings: RelaySettings = RelaySettings(), gaps: [TokenGapShard] = [], logger: Logger
    ) {
        self.host = host
        self.directory = directory
        self.names = names
        self.sink = sink
        self.identity = identity
        self.prefixChain = prefixChain
        self.settings = settings
        self.logger = logger
        self.gaps = gaps
        budget = BufferBudget(limit: settings.bufferBudgetBytes)
        consumesCredentials = !(identity is AnyKey)
    }

    var clock: MonotonicClock { host.clock }
}
