import ArgumentParser

/// `neap engine`: a simulated model server.
struct EngineCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "engine", abstract: "Runs a simulated model server with vLLM's HTTP surface.")

    mutating func run() async throws {
        throw ValidationError("the simulated engine is not built yet")
    }
}
