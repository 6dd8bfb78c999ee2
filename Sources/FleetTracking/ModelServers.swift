/// Which endpoints of a pool serve each model.
struct ModelServers: Sendable {
    private var table = SlotTable()
    /// Indices of endpoints, ascending; a list that becomes empty is reused.
    private var lists: [[Int]] = []
    private var free: [Int] = []

    /// Endpoints that serve the model, ascending.
    func servers(of model: ModelID) -> [Int] {
        guard let list = table.slot(of: ModelServers.key(model)) else { return [] }
        return lists[list]
    }

    /// Adds an endpoint that has just these models; one named twice counts once.
    mutating func add(_ endpoint: Int, models: [ModelID]) {
        for model in models {
            let list = makeList(model)
            let place = lists[list].lastIndex { $0 <= endpoint }.map { $0 + 1 } ?? 0
            if place > 0, lists[list][place - 1] == endpoint { continue }
            lists[list].insert(endpoint, at: place)
        }
    }

    mutating func remove(_ endpoint: Int, models: [ModelID]) {
        for model in models {
            guard let list = table.slot(of: ModelServers.key(model)) else { continue }
            lists[list].removeAll { $0 == endpoint }
            guard lists[list].isEmpty else { continue }
            table.remove(ModelServers.key(model))
            free.append(list)
        }
    }

    private mutating func makeList(_ model: ModelID) -> Int {
        if let list = table.slot(of: ModelServers.key(model)) { return list }
        let list = free.popLast() ?? lists.count
        if list == lists.count { lists.append([]) }
        table.set(ModelServers.key(model), slot: list)
        return list
    }

    private static func key(_ model: ModelID) -> UInt64 { UInt64(bitPattern: Int64(model.index)) }
}
