import FleetTracking
import Synchronization

/// What one event loop counted. Its lock is taken by that loop, and by a scrape about once in some seconds.
final class TelemetryShard: Sendable {
    struct Counts: Sendable {
        var requests: [RequestTally.Key: RequestTally] = [:]
        var tenants: [TenantTally.Key: TenantTally] = [:]
        var refusals: [RefusalKey: UInt64] = [:]
    }

    /// Both come from the data path's own table: a few dozen.
    struct RefusalKey: Hashable, Sendable {
        var reason: String
        var status: Int
    }

    private struct State {
        /// From what a record says to its row; the row's own key may say `other`.
        var rows: [RequestTally.Key: Int] = [:]
        var tallies: [(key: RequestTally.Key, tally: RequestTally)] = []
        var tenantRows: [TenantTally.Key: Int] = [:]
        var tenantTallies: [(key: TenantTally.Key, tally: TenantTally)] = []
        var refusals: [RefusalKey: UInt64] = [:]
        /// The rows of the last record: most requests of a loop are like the one before, and equality costs less than
        /// two hashes.
        var last: (key: RequestTally.Key, row: Int, tenant: TenantTally.Key, tenantRow: Int)?
    }

    private let state = Mutex(State())
    private let models: LabelLimit
    private let tenants: LabelLimit
    /// The most names that a shard remembers as `other`; beyond, they are looked up each time.
    private static let rowLimit = 8192

    init(models: LabelLimit, tenants: LabelLimit) {
        self.models = models
        self.tenants = tenants
    }

    func record(_ record: RequestRecord) {
        // Before its pool is known, a model's name is whatever a client wrote: it must not use up the label's values.
        let model = record.pool == nil ? "" : record.model
        let key = RequestTally.Key(pool: record.pool?.index ?? -1, band: record.band, model: model)
        let tenant = TenantTally.Key(tenant: record.tenant, band: record.band)
        state.withLock { state in
            let row: Int
            let tenantRow: Int
            if let last = state.last, last.key == key, last.tenant == tenant {
                (row, tenantRow) = (last.row, last.tenantRow)
            } else {
                row = self.row(of: key, in: &state)
                tenantRow = self.row(of: tenant, in: &state)
                state.last = (key, row, tenant, tenantRow)
            }
            state.tallies[row].tally.record(record)
            state.tenantTallies[tenantRow].tally.record(record)
            guard !record.refusal.isEmpty else { return }
            state.refusals[RefusalKey(reason: record.refusal, status: record.status), default: 0] &+= 1
        }
    }

    func counts() -> Counts {
        state.withLock { state in
            var counts = Counts()
            for (key, tally) in state.tallies { counts.requests[key] = tally }
            for (key, tally) in state.tenantTallies { counts.tenants[key] = tally }
            counts.refusals = state.refusals
            return counts
        }
    }

    private func row(of key: RequestTally.Key, in state: inout State) -> Int {
        if let row = state.rows[key] { return row }
        var label = key
        if key.pool >= 0 { label.model = models.admit(key.model) }
        let row =
            state.tallies.firstIndex { $0.key == label }
            ?? {
                state.tallies.append((label, RequestTally()))
                return state.tallies.count - 1
            }()
        if state.rows.count < TelemetryShard.rowLimit { state.rows[key] = row }
        return row
    }

    private func row(of key: TenantTally.Key, in state: inout State) -> Int {
        if let row = state.tenantRows[key] { return row }
        let label = TenantTally.Key(tenant: tenants.admit(key.tenant), band: key.band)
        let row =
            state.tenantTallies.firstIndex { $0.key == label }
            ?? {
                state.tenantTallies.append((label, TenantTally()))
                return state.tenantTallies.count - 1
            }()
        if state.tenantRows.count < TelemetryShard.rowLimit { state.tenantRows[key] = row }
        return row
    }
}
