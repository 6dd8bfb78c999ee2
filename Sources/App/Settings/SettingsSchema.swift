/// The shape of the configuration file, built from the settings' keys.
indirect enum SettingsSchema: Sendable {
    case section([String: SettingsSchema])
    /// A list of sections.
    case list(SettingsSchema)
    case value(SettingDescriptor)

    init(_ descriptors: [SettingDescriptor]) {
        var root = SettingsSchema.section([:])
        for descriptor in descriptors {
            root.insert(descriptor, at: descriptor.key.split(separator: ".")[...])
        }
        self = root
    }

    private mutating func insert(_ descriptor: SettingDescriptor, at path: ArraySlice<Substring>) {
        guard case .section(var members) = self, let first = path.first else { return }
        let isList = first.hasSuffix("[]")
        let name = String(isList ? first.dropLast(2) : first)
        if path.count == 1 {
            members[name] = .value(descriptor)
        } else {
            var inner = SettingsSchema.section([:])
            switch members[name] {
            case .section(let known): inner = .section(known)
            case .list(let element): inner = element
            case .value, nil: break
            }
            inner.insert(descriptor, at: path.dropFirst())
            members[name] = isList ? .list(inner) : inner
        }
        self = .section(members)
    }
}
