import Foundation

/// Engines and a gateway of one scenario, each a real process on a free port, and a folder for their files.
final class Town: Sendable {
    let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "neap-town-\(UInt64.random(in: .min ... .max))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    struct Engine: Sendable {
        var process: NeapProcess
        var url: String
    }

    struct Gateway: Sendable {
        var process: NeapProcess
        var exchange: Exchange
    }

    func engine(_ arguments: [String] = []) async throws -> Engine {
        let process = try NeapProcess(["engine", "--port", "0", "--speed", "10"] + arguments)
        let line = try await process.line(with: "listening on ")
        return Engine(process: process, url: String(line.split(separator: " ").last ?? ""))
    }

    /// Starts a gateway and waits until it is ready.
    func gateway(_ arguments: [String], environment: [String: String] = [:]) async throws -> Gateway {
        let process = try NeapProcess(
            ["serve", "--port", "0", "--data", folder.appending(path: "data").path(), "--access-log", "off"]
                + arguments,
            environment: environment)
        let line = try await process.line(with: "listens on ")
        let port = line.split(separator: ":").last.flatMap { Int($0) } ?? 0
        let exchange = Exchange(port: port)
        while try await exchange.get("/readyz").status != 200 { await Task.yield() }
        return Gateway(process: process, exchange: exchange)
    }

    func write(_ name: String, _ text: String) throws -> String {
        let file = folder.appending(path: name)
        try text.write(to: file, atomically: true, encoding: .utf8)
        return file.path()
    }
}

/// Request bodies.
enum Chat {
    static func body(tokens: Int, stream: Bool = false, model: String = "llama-3.1-8b", prompt: String = "Hello")
        -> String
    {
        #"{"model":"\#(model)","max_tokens":\#(tokens),"min_tokens":\#(tokens),"stream":\#(stream),"#
            + #""messages":[{"role":"user","content":"\#(prompt)"}]}"#
    }

    static let path = "/v1/chat/completions"
}
