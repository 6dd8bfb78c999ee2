import ControlPlane
import DataPlane
import FleetTracking
import JobDispatching
import JobStores
import SchedulerRuntime

/// Makes `Settings` of the values that were read, and finds what no single value shows.
struct SettingsBuilder {
    private let document: SettingsDocument
    private let sources: SettingsSources
    private(set) var faults: [SettingsFault] = []
    /// What no source gives and a gateway cannot be without.
    private(set) var missing: [SettingsFault] = []

    init(document: SettingsDocument, sources: SettingsSources) {
        self.document = document
        self.sources = sources
    }

    mutating func build() -> Settings {
        let loops = document.value(ProcessSettings.eventLoops)
        let settings = Settings(
            host: document.value(ProcessSettings.host),
            port: document.value(ProcessSettings.port),
            allowsAnyone: document.value(ProcessSettings.insecureAny),
            certificateFile: set(ProcessSettings.certificate),
            privateKeyFile: set(ProcessSettings.privateKey),
            eventLoops: loops > 0 ? loops : max(1, min(sources.cores, 256)),
            dataDirectory: document.value(ProcessSettings.dataDirectory),
            keysFile: set(ProcessSettings.keysFile),
            keysInterval: document.value(ProcessSettings.keysInterval),
            logLevel: document.value(ProcessSettings.logLevel),
            accessLog: logTarget(ProcessSettings.accessLog),
            traceLog: logTarget(ProcessSettings.traceLog),
            watch: document.build(WatchCatalogue.settings),
            scheduler: document.build(SchedulingCatalogue.scheduler),
            scheduling: document.build(SchedulingCatalogue.pool),
            relay: relay(),
            control: document.build(LimitsCatalogue.control),
            store: store(),
            feeder: feeder(),
            pools: pools(), poolPlaces: poolPlaces())
        checkListening(settings)
        return settings
    }

    /// One limit on an uploaded file, told to the door and to the store.
    private func store() -> StoreSettings {
        var store = document.build(LimitsCatalogue.store)
        store.fileBytes = document.build(LimitsCatalogue.control).fileBytes
        return store
    }

    /// An upload is a control body, so the largest file must fit into the largest control body with its form. The
    /// smaller limit follows where it was not written; where it was, one of the two is a mistake.
    private mutating func relay() -> RelaySettings {
        var relay = document.build(LimitsCatalogue.relay)
        let control = document.build(LimitsCatalogue.control)
        let needed = control.fileBytes + control.formOverheadBytes
        guard relay.controlBodyBytes < needed else { return relay }
        let key = LimitsCatalogue.controlBody.descriptor.key
        if let entry = document.entries[key] {
            faults.append(
                SettingsFault(
                    origin: entry.origin, key: key, found: "\(relay.controlBodyBytes) bytes",
                    allowed: "at least \(needed) bytes, which an upload of files.size takes with its form; or leave it "
                        + "out: it follows files.size"))
        }
        relay.controlBodyBytes = needed
        return relay
    }

    private func feeder() -> FeederSettings {
        var feeder = document.build(LimitsCatalogue.feeder)
        feeder.linesPerBatch = store().linesPerBatch
        feeder.faultsPerBatch = store().faultsPerBatch
        return feeder
    }

    /// Nil when the text is "" (not set).
    private func set(_ setting: Setting<String>, _ indices: [Int] = []) -> String? {
        let text = document.value(setting, indices)
        return text.isEmpty ? nil : text
    }

    private func logTarget(_ setting: Setting<String>) -> LineLogSettings.Target? {
        switch document.value(setting) {
        case "off", "": nil
        case "-": .standardOutput
        case let path: .file(path)
        }
    }

    private mutating func checkListening(_ settings: Settings) {
        if (settings.certificateFile == nil) != (settings.privateKeyFile == nil) {
            complain(
                settings.certificateFile == nil ? ProcessSettings.certificate : ProcessSettings.privateKey,
                found: "only one of the two", allowed: "listen.tls-certificate and listen.tls-key together, or neither")
        }
        guard !SettingsBuilder.isLoopback(settings.host), settings.keysFile == nil, !settings.allowsAnyone else {
            return
        }
        complain(
            ProcessSettings.host, found: "\"\(settings.host)\" without keys",
            allowed: "a loopback address, or keys.file (--keys), or listen.insecure-any (--insecure-any)")
    }

    static func isLoopback(_ host: String) -> Bool {
        host == "localhost" || host == "::1" || (host.hasPrefix("127.") && host.allSatisfy { $0.isNumber || $0 == "." })
    }

    private mutating func complain<Value>(
        _ setting: Setting<Value>, _ indices: [Int] = [], found: String, allowed: String
    ) {
        let key = SettingsDocument.key(setting.descriptor.key, indices)
        let place = indices.isEmpty ? nil : document.places[SettingsDocument.key("pools[]", indices)]
        faults.append(
            SettingsFault(
                origin: document.origin(setting, indices) ?? place, key: key, found: found, allowed: allowed))
    }
}

extension SettingsBuilder {
    private mutating func pools() -> [PoolDescription] {
        let urls = document.value(PoolCatalogue.engines)
        let count = document.counts["pools"] ?? 0
        if !urls.isEmpty { return [enginePool(urls, besidePools: count > 0)].compactMap { $0 } }
        var pools: [PoolDescription] = []
        for index in 0..<count { pools.append(pool(index, after: pools)) }
        if pools.isEmpty {
            missing.append(
                SettingsFault(
                    origin: nil, key: "pools", found: "no engine",
                    allowed: "--engine http://host:port (as often as there are engines), or pools in a --config file"))
        }
        checkModels(pools)
        return pools
    }

    /// A flag or variable stands above the file's pools; in the file itself only one of the two may be written.
    private mutating func enginePool(_ urls: [String], besidePools: Bool) -> PoolDescription? {
        if besidePools, case .file = document.origin(PoolCatalogue.engines) {
            complain(PoolCatalogue.engines, found: "engines and pools", allowed: "one of the two")
            return nil
        }
        var pool = PoolDescription(name: "default", allowedPaths: Set(PoolCatalogue.defaultPaths))
        for url in urls {
            guard case .success(let specification) = EndpointSpecification.parse(url: url) else { continue }
            if pool.endpoints.contains(where: { $0.url == specification.url }) {
                complain(PoolCatalogue.engines, found: "\"\(specification.url)\" twice", allowed: "each engine once")
            } else {
                pool.endpoints.append(specification)
            }
        }
        return pool
    }

    private mutating func pool(_ index: Int, after others: [PoolDescription]) -> PoolDescription {
        let name = document.value(PoolCatalogue.name, [index])
        var pool = PoolDescription(name: name, allowedPaths: Set(document.value(PoolCatalogue.paths, [index])))
        pool.models = document.value(PoolCatalogue.models, [index])
        pool.clientPriority = document.value(PoolCatalogue.priority, [index])
        pool.realtimeTimeToLive = document.value(PoolCatalogue.realtimeTimeToLive, [index])
        pool.expectedOutputTokens = document.value(PoolCatalogue.expectedOutput, [index])
        let isName = name.utf8.allSatisfy { byte in
            Character(UnicodeScalar(byte)).isLetter && byte < 128 || (48...57).contains(byte)
                || "._-".utf8.contains(byte)
        }
        if !isName || name.utf8.count > 64 || (name.isEmpty && document.origin(PoolCatalogue.name, [index]) != nil) {
            complain(
                PoolCatalogue.name, [index], found: "\"\(name.prefix(80))\"",
                allowed: "1 to 64 letters, digits, `.`, `_` and `-`")
        } else if others.contains(where: { $0.name == name && !name.isEmpty }) {
            complain(PoolCatalogue.name, [index], found: "\"\(name)\" again", allowed: "each name once")
        }
        let count = document.counts["pools[\(index)].endpoints"] ?? 0
        for number in 0..<count {
            guard let endpoint = endpoint([index, number]) else { continue }
            if pool.endpoints.contains(where: { $0.url == endpoint.url }) {
                complain(
                    PoolCatalogue.url, [index, number], found: "\"\(endpoint.url)\" again", allowed: "each URL once")
            } else {
                pool.endpoints.append(endpoint)
            }
        }
        return pool
    }

    private mutating func endpoint(_ indices: [Int]) -> EndpointSpecification? {
        guard
            case .success(var endpoint) = EndpointSpecification.parse(url: document.value(PoolCatalogue.url, indices))
        else { return nil }
        let sequences = document.value(PoolCatalogue.maximumSequences, indices)
        endpoint.maximumSequences = sequences > 0 ? sequences : nil
        let tokens = document.value(PoolCatalogue.batchTokens, indices)
        endpoint.batchTokens = tokens > 0 ? tokens : nil
        if let file = set(PoolCatalogue.authorityFile, indices) {
            if endpoint.tls == nil {
                complain(
                    PoolCatalogue.authorityFile, indices, found: "a CA for an http URL", allowed: "an https URL with it"
                )
            }
            endpoint.tls?.authorityFile = file
        }
        endpoint.authorization = credential(indices).map { "Bearer " + $0 }
        return endpoint
    }

    private mutating func credential(_ indices: [Int]) -> String? {
        var token: String?
        if let name = set(PoolCatalogue.credentialVariable, indices) {
            token = sources.environment[name]
            if token == nil {
                complain(
                    PoolCatalogue.credentialVariable, indices, found: "a name that is not set",
                    allowed: "a variable of the process's environment")
            }
        }
        if let file = set(PoolCatalogue.credentialFile, indices) {
            switch sources.readFile(file) {
            case .success(let text):
                token = text.split { $0.isWhitespace }.first.map(String.init)
            case .failure(let fault):
                complain(
                    PoolCatalogue.credentialFile, indices, found: "\"\(file)\": \(fault.reason)",
                    allowed: "a readable file")
            }
        }
        guard let token else { return nil }
        // A control byte in a header value would let a token write header lines of its own.
        guard !token.isEmpty, token.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
            complain(
                PoolCatalogue.credentialVariable, indices, found: "a token with other bytes",
                allowed: "printable ASCII without spaces")
            return nil
        }
        return token
    }

    /// Where each pool is written, in the order of `pools()`.
    private func poolPlaces() -> [SettingOrigin?] {
        if !document.value(PoolCatalogue.engines).isEmpty { return [document.origin(PoolCatalogue.engines)] }
        return (0..<(document.counts["pools"] ?? 0)).map { index in
            document.origin(PoolCatalogue.name, [index])
                ?? document.places[SettingsDocument.key("pools[]", [index])]
        }
    }

    private mutating func checkModels(_ pools: [PoolDescription]) {
        var owners: [String: Int] = [:]
        for (index, pool) in pools.enumerated() {
            for model in pool.models {
                guard let owner = owners.updateValue(index, forKey: model) else { continue }
                complain(
                    PoolCatalogue.models, [index], found: "\"\(model)\", which pool \(pools[owner].name) has too",
                    allowed: "each model in one pool, once")
            }
        }
    }
}
