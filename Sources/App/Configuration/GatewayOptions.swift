import ArgumentParser
import Foundation

/// The flags of `neap serve` and `neap check`. A flag stands above the environment and the file.
struct GatewayOptions: ParsableArguments {
    @Option(help: "Configuration file (YAML). See `neap config reference`.")
    var config: String?

    @Option(help: ArgumentHelp("A model server, such as http://127.0.0.1:8000. May be repeated.", valueName: "url"))
    var engine: [String] = []

    @Option(help: "Address to listen on (127.0.0.1).")
    var host: String?

    @Option(help: "Port to listen on (8080); 0 takes a free one and prints it.")
    var port: String?

    @Option(help: "Folder for files, batches and results (neap-data).")
    var data: String?

    @Option(help: "Threads that relay traffic (one for each core).")
    var eventLoops: String?

    @Option(help: "File of hashed API keys.")
    var keys: String?

    @Flag(help: "Allow a non-loopback address without keys.")
    var insecureAny = false

    @Option(help: "Access log: a file, `-` for standard output, or `off`.")
    var accessLog: String?

    @Option(help: "Trace log for `neap simulate`: a file or `off`.")
    var traceLog: String?

    @Option(help: "PEM file with the certificate chain to serve TLS with.")
    var tlsCertificate: String?

    @Option(help: "PEM file with the certificate's private key.")
    var tlsKey: String?

    @Option(help: "The least severe messages to log: trace, debug, info, notice, warning, error, critical.")
    var logLevel: String?

    func sources() -> SettingsSources {
        func flag(_ name: String, _ descriptor: SettingDescriptor, _ text: String?) -> SettingsSources.Flag {
            .init(name: name, descriptor: descriptor, texts: text.map { [$0] } ?? [])
        }
        return SettingsSources(
            file: config,
            environment: ProcessInfo.processInfo.environment,
            flags: [
                .init(name: "--engine", descriptor: PoolCatalogue.engines.descriptor, texts: engine),
                flag("--host", ProcessSettings.host.descriptor, host),
                flag("--port", ProcessSettings.port.descriptor, port),
                flag("--data", ProcessSettings.dataDirectory.descriptor, data),
                flag("--event-loops", ProcessSettings.eventLoops.descriptor, eventLoops),
                flag("--keys", ProcessSettings.keysFile.descriptor, keys),
                flag("--insecure-any", ProcessSettings.insecureAny.descriptor, insecureAny ? "true" : nil),
                flag("--access-log", ProcessSettings.accessLog.descriptor, accessLog),
                flag("--trace-log", ProcessSettings.traceLog.descriptor, traceLog),
                flag("--tls-certificate", ProcessSettings.certificate.descriptor, tlsCertificate),
                flag("--tls-key", ProcessSettings.privateKey.descriptor, tlsKey),
                flag("--log-level", ProcessSettings.logLevel.descriptor, logLevel),
            ],
            cores: ProcessInfo.processInfo.activeProcessorCount)
    }

    /// Checked settings, or exit code 1 with every fault on standard error.
    func load() throws -> Settings {
        do {
            return try sources().load()
        } catch {
            StandardOutput.writeError("The configuration cannot be used:\n\(error.text)\n")
            throw ExitCode(1)
        }
    }
}
