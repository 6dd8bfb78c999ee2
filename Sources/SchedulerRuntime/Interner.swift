package import FleetTracking
import Synchronization

/// Gives names dense numbers, for the life of the process. A number is never reused.
final class Interner: Sendable {
    private struct State {
        var numbers: [String: Int] = [:]
        var names: [String] = []
    }

    private let state: Mutex<State>
    private let limit: Int

    /// `limit` names at most; every later one gets the number `limit`, which stands for all the others.
    init(limit: Int, first: [String] = []) {
        self.limit = limit
        var initial = State()
        for name in first {
            initial.numbers[name] = initial.names.count
            initial.names.append(name)
        }
        state = Mutex(initial)
    }

    func number(of name: String) -> Int {
        state.withLock { state in
            if let known = state.numbers[name] { return known }
            guard state.names.count < limit else { return limit }
            let number = state.names.count
            state.numbers[name] = number
            state.names.append(name)
            return number
        }
    }

    func name(of number: Int) -> String? {
        state.withLock { $0.names.indices.contains(number) ? $0.names[number] : nil }
    }
}

/// The names behind model and tenant ids.
package final class Names: Sendable {
    /// The most tenants and the most models that are told apart; those after share one id each.
    package static let limit = 100_000

    private let models = Interner(limit: Names.limit)
    private let tenants = Interner(limit: Names.limit, first: [""])

    package init() {}

    package func model(_ name: String) -> ModelID { ModelID(models.number(of: name)) }
    package func tenant(_ name: String) -> TenantID { TenantID(tenants.number(of: name)) }
    package func name(of model: ModelID) -> String { models.name(of: model.index) ?? "other" }
    package func name(of tenant: TenantID) -> String { tenants.name(of: tenant.index) ?? "other" }
}
