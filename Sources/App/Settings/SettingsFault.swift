/// Where a value was written.
enum SettingOrigin: Sendable, Equatable {
    case file(path: String, line: Int, column: Int)
    case environment(String)
    case flag(String)

    var text: String {
        switch self {
        case .file(let path, let line, let column): "\(path):\(line):\(column)"
        case .environment(let name): "environment variable \(name)"
        case .flag(let name): "flag \(name)"
        }
    }
}

/// One thing that is wrong with the configuration: where, which key, what was found, what is allowed.
struct SettingsFault: Error, Sendable, Equatable {
    /// Nil when the fault is in no one place, such as a missing engine.
    var origin: SettingOrigin?
    var key: String
    var found: String
    var allowed: String

    /// One line, such as `neap.yaml:12:9: listen.port: found "http", allowed: a whole number from 0 to 65535`.
    var text: String {
        let place = origin.map { "\($0.text): " } ?? ""
        return "\(place)\(key): found \(found), allowed: \(allowed)"
    }
}
