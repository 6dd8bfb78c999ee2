/// The values that were written, each with its place. What was not written has its default.
struct SettingsDocument: Sendable {
    struct Entry: Sendable {
        /// One value, or the elements of a list.
        var values: [any Sendable]
        var origin: SettingOrigin
    }

    /// By concrete key: `pools[0].endpoints[1].url`.
    private(set) var entries: [String: Entry] = [:]
    /// Elements of each list, by concrete key: `pools`, `pools[0].endpoints`.
    private(set) var counts: [String: Int] = [:]
    /// Where each list element begins, by concrete key: `pools[0]`.
    private(set) var places: [String: SettingOrigin] = [:]

    /// A later source replaces what an earlier one said.
    mutating func set(_ key: String, _ entry: Entry) { entries[key] = entry }

    mutating func setCount(_ key: String, _ count: Int) { counts[key] = count }

    mutating func setPlace(_ key: String, _ origin: SettingOrigin) { places[key] = origin }

    /// Forgets everything under a key: a higher source has replaced it as a whole.
    mutating func remove(under key: String) {
        entries = entries.filter { !$0.key.hasPrefix(key) }
        counts = counts.filter { !$0.key.hasPrefix(key) }
    }

    /// `indices` number the lists on the way, outermost first.
    func value<Value>(_ setting: Setting<Value>, _ indices: [Int] = []) -> Value {
        let entry = entries[SettingsDocument.key(setting.descriptor.key, indices)]
        return entry?.values.first as? Value ?? setting.defaultValue
    }

    func value(_ setting: Setting<[String]>, _ indices: [Int] = []) -> [String] {
        guard let entry = entries[SettingsDocument.key(setting.descriptor.key, indices)] else {
            return setting.defaultValue
        }
        return entry.values.compactMap { $0 as? String }
    }

    func origin<Value>(_ setting: Setting<Value>, _ indices: [Int] = []) -> SettingOrigin? {
        entries[SettingsDocument.key(setting.descriptor.key, indices)]?.origin
    }

    /// Puts numbers into the empty brackets of a key.
    static func key(_ key: String, _ indices: [Int]) -> String {
        var parts = key.components(separatedBy: "[]")
        var result = parts.removeFirst()
        for (index, part) in zip(indices, parts) { result += "[\(index)]\(part)" }
        return result
    }
}

extension String {
    /// The pieces between occurrences of `separator`.
    fileprivate func components(separatedBy separator: String) -> [String] {
        var pieces: [String] = []
        var rest = self[...]
        while let range = rest.firstRange(of: separator) {
            pieces.append(String(rest[..<range.lowerBound]))
            rest = rest[range.upperBound...]
        }
        return pieces + [String(rest)]
    }
}
