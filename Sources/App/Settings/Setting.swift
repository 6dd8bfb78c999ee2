/// One setting as the schema, the reference and the errors see it, whatever its type.
struct SettingDescriptor: Sendable {
    /// Where it stands in the file: `listen.port`; inside lists `pools[].endpoints[].url`.
    var key: String
    var typeName: String
    var allowed: String
    /// As it would be written in the file; "" when there is none.
    var defaultText: String
    /// What it does, and why one would change it.
    var reason: String
    /// A list of values of this kind.
    var isList: Bool
    /// Must be written wherever its list element is.
    var isRequired = false
    /// Nil: not allowed.
    var parse: @Sendable (String) -> (any Sendable)?

    /// Settings inside lists have no environment variable.
    var environmentName: String? {
        guard !key.contains("[]") else { return nil }
        return "NEAP_" + String(key.uppercased().map { $0 == "." || $0 == "-" ? "_" : $0 })
    }
}

/// A setting with its type.
struct Setting<Value: Sendable>: Sendable {
    var descriptor: SettingDescriptor
    var defaultValue: Value
}

extension Setting where Value: Equatable {
    init(_ key: String, _ kind: ValueKind<Value>, default value: Value, reason: String) {
        descriptor = SettingDescriptor(
            key: key, typeName: kind.name, allowed: kind.allowed, defaultText: kind.render(value), reason: reason,
            isList: false, parse: { kind.parse($0) })
        defaultValue = value
    }
}

extension Setting where Value == [String] {
    /// A list of texts, each of which `isAllowed` accepts.
    init(
        list key: String, allowed: String, default value: [String] = [], reason: String,
        isAllowed: @escaping @Sendable (String) -> Bool = { !$0.isEmpty }
    ) {
        descriptor = SettingDescriptor(
            key: key, typeName: "list of text", allowed: allowed, defaultText: value.joined(separator: ", "),
            reason: reason, isList: true, parse: { isAllowed($0) ? $0 : nil })
        defaultValue = value
    }
}

/// A settings struct of another room whose `init()` gives the defaults.
protocol DefaultedSettings: Sendable {
    init()
}

/// A setting that fills one property of such a struct; its default is the struct's own, told nowhere else.
struct BoundSetting<Root: DefaultedSettings>: Sendable {
    var descriptor: SettingDescriptor
    var apply: @Sendable (SettingsDocument, inout Root) -> Void
    /// True when the two have different values.
    var differs: @Sendable (Root, Root) -> Bool

    init<Value: Sendable & Equatable>(
        _ key: String, _ path: any WritableKeyPath<Root, Value> & Sendable, _ kind: ValueKind<Value>, _ reason: String
    ) {
        let setting = Setting(key, kind, default: Root()[keyPath: path], reason: reason)
        descriptor = setting.descriptor
        apply = { document, root in root[keyPath: path] = document.value(setting) }
        differs = { $0[keyPath: path] != $1[keyPath: path] }
    }
}

extension SettingsDocument {
    func build<Root: DefaultedSettings>(_ settings: [BoundSetting<Root>]) -> Root {
        var root = Root()
        for setting in settings { setting.apply(self, &root) }
        return root
    }
}
