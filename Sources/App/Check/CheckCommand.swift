import ArgumentParser
import NIOCore
import NIOPosix
import SchedulerRuntime

/// `neap check`: validates a configuration and asks every endpoint that it names.
struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Validates a configuration and probes every endpoint that it names.",
        discussion: "Exit code 0: all is well. 1: the configuration is wrong, or an endpoint does not answer.")

    @OptionGroup var options: GatewayOptions

    func run() async throws {
        let settings = try options.load()
        let group = MultiThreadedEventLoopGroup.singleton
        let findings = await EndpointCheck(settings: settings.watch, loop: group.next()).run(settings.pools)
        StandardOutput.write(CheckTable.render(findings))
        if findings.contains(where: { !$0.isWell }) { throw ExitCode(1) }
    }
}
