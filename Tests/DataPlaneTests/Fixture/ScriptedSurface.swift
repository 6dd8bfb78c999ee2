import DataPlane
import NIOCore

/// A control plane that tests talk to.
struct ScriptedSurface: ControlSurface {
    var cancelled = Journal<String>()
    var entered = Journal<String>()
    /// The sizes of the body pieces that `/count` got.
    var pieces = Journal<Int>()

    func respond(to request: ControlRequest, writer: any ControlResponseWriter) async throws {
        entered.append(request.uri)
        switch request.uri {
        case "/echo":
            try await writer.writeHead(
                status: 200, headers: [("x-length", "\(request.contentLength ?? -1)")], contentLength: nil)
            for try await piece in request.body { try await writer.write(piece) }
            try await writer.finish()
        case "/fixed":
            try await writer.writeHead(
                status: 201,
                headers: [("Content-Type", "text/plain"), ("Transfer-Encoding", "gzip"), ("bad\r\nx", "y")],
                contentLength: 5)
            if request.method != "HEAD" { try await writer.write(ByteBuffer(string: "fixed")) }
            try await writer.finish()
        case "/count":
            var bytes = 0
            for try await piece in request.body {
                bytes += piece.readableBytes
                pieces.append(piece.readableBytes)
            }
            try await answer("\(bytes)", writer)
        case "/flood":
            try await writer.writeHead(status: 200, headers: [], contentLength: nil)
            let piece = ByteBuffer(repeating: UInt8(ascii: "f"), count: 65_536)
            for _ in 0..<2000 {
                try await writer.write(piece)
                pieces.append(piece.readableBytes)
            }
            try await writer.finish()
        case "/livez", "/readyz?verbose", "/readyz", "/metrics":
            try await answer("ok", writer)
        case "/short":
            try await writer.writeHead(status: 200, headers: [], contentLength: 10)
            try await writer.write(ByteBuffer(string: "abc"))
            try await writer.finish()
        case "/broken":
            try await writer.writeHead(status: 200, headers: [], contentLength: nil)
            try await writer.write(ByteBuffer(string: "abc"))
            throw ControlFailure.misuse
        case "/ticks", "/metrics?hang":
            try await writer.writeHead(status: 200, headers: [], contentLength: nil)
            try await writer.write(ByteBuffer(string: "tick"))
            await withTaskCancellationHandler {
                await cancelled.wait { !$0.isEmpty }
            } onCancel: {
                cancelled.append(request.uri)
            }
        case "/who":
            let who =
                request.identity.tenant + "|" + request.requestID + "|"
                + request.headers.map { $0.name }.joined(separator: ",")
            try await answer(who, writer)
        default: throw ControlFailure.misuse
        }
    }

    private func answer(_ text: String, _ writer: any ControlResponseWriter) async throws {
        try await writer.writeHead(status: 200, headers: [], contentLength: text.utf8.count)
        try await writer.write(ByteBuffer(string: text))
        try await writer.finish()
    }
}

/// A request with this body to the control plane.
func post(_ path: String, _ body: String, headers: String = "") -> String {
    "POST \(path) HTTP/1.1\r\nHost: g\r\n\(headers)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
}
