import ArgumentParser

/// The `neap` executable: one subcommand per mode.
@main
struct Neap: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "neap",
        abstract: "An inference gateway: real-time and async LLM requests on one pool of model servers.",
        version: Version.text,
        subcommands: [
            ServeCommand.self, EngineCommand.self, CheckCommand.self, SimulateCommand.self, PlanCommand.self,
            ConfigCommand.self, KeysCommand.self,
        ])
}
