import ArgumentParser

/// `neap config`: what can be configured, told by the program itself.
struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Shows what can be configured.",
        subcommands: [Reference.self, Example.self])

    struct Reference: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Every setting, as Markdown.")

        func run() { StandardOutput.write(SettingsReference.markdown(Settings.descriptors)) }
    }

    struct Example: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "A commented configuration file to start from.")

        func run() { StandardOutput.write(SettingsExample.yaml(Settings.descriptors)) }
    }
}
