/// Where settings come from, lowest precedence first. Files are read here, so that a reload sees them anew.
struct SettingsSources: Sendable {
    struct Flag: Sendable {
        var name: String
        var descriptor: SettingDescriptor
        var texts: [String]
    }

    var file: String?
    var environment: [String: String]
    var flags: [Flag]
    /// Cores of the machine: the default number of event loops.
    var cores: Int
    /// Gives a file's text, or why there is none.
    var readFile: @Sendable (String) -> Result<String, FileFault> = FileText.read

    func load() throws(SettingsFaults) -> Settings {
        var reader = SettingsReader(descriptors: Settings.descriptors)
        if let file {
            switch readFile(file) {
            case .success(let text): reader.readFile(path: file, text: text)
            case .failure(let fault):
                reader.add(
                    SettingsFault(origin: .flag("--config"), key: file, found: fault.reason, allowed: "a readable file")
                )
            }
        }
        reader.readEnvironment(environment)
        for flag in flags { reader.readFlag(flag.name, for: flag.descriptor, texts: flag.texts) }
        var builder = SettingsBuilder(document: reader.document, sources: self)
        let settings = builder.build()
        // What is missing follows from what could not be read: one cause is told once.
        let missing = reader.faults.isEmpty ? builder.missing : []
        let faults = reader.faults + builder.faults + missing
        guard faults.isEmpty else { throw SettingsFaults(faults: faults) }
        return settings
    }
}

/// Why a file's text is not to be had.
struct FileFault: Error, Sendable, Equatable {
    var reason: String
}
