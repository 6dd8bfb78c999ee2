/// One message of a random conversation, and what must come of it.
struct Turn {
    enum Ending {
        case keeps
        case closes
        /// Depends on how much of it was there: the answer says which.
        case either
    }

    var text: String
    var status: Int
    var ending = Ending.keeps
    /// Nil: its head cannot be read, so the answer carries no id.
    var id: String?
    var isHead = false
    /// What the engine gets; nil: nothing.
    var sent: (firstLine: String, lines: [String], body: String)?

    static func random(_ number: Int, _ random: inout Seeded) -> Turn {
        switch random.upTo(9) {
        case 0...4: good(number, &random)
        case 5...7: refused(number, &random)
        case 8: random.once(in: 2) ? closing(number, &random) : good(number, &random)
        default: random.once(in: 3) ? unreadable(&random) : good(number, &random)
        }
    }

    private static let path = "/v1/chat/completions"

    /// Header lines in random order with the id among them.
    private static func lines(_ number: Int, _ random: inout Seeded) -> [String] {
        var lines = ["Content-Type: application/json", "X-Number: \(number)"]
        if random.once(in: 2) { lines.append("Accept: */*") }
        if random.once(in: 3) { lines.append("X-Long: " + String(repeating: "l", count: random.upTo(400))) }
        if random.once(in: 4) { lines += ["X-Hop: gone", "Connection: x-hop"] }
        return lines.shuffled(using: &random)
    }

    private static func framed(_ body: String, _ random: inout Seeded) -> (line: String, bytes: String) {
        guard random.once(in: 2) else { return ("Content-Length: \(body.utf8.count)", body) }
        let pieces = random.pieces(of: Array(body.utf8), longest: 600)
        let chunks = pieces.map { piece in
            let size = String(piece.count, radix: 16) + (piece.count % 5 == 0 ? ";x=y" : "")
            return "\(size)\r\n\(String(decoding: piece, as: UTF8.self))\r\n"
        }
        return (
            "Transfer-Encoding: chunked", chunks.joined() + "0\r\n" + (random.once(in: 2) ? "T: 1\r\n\r\n" : "\r\n")
        )
    }

    private static func request(_ number: Int, _ body: String, _ random: inout Seeded, extra: [String] = []) -> Turn {
        let (lines, framing) = (lines(number, &random), framed(body, &random))
        let all = ["Host: g"] + lines + ["X-Request-Id: id-\(number)"] + extra + [framing.line]
        let text = "POST \(path)?n=\(number) HTTP/1.1\r\n" + all.joined(separator: "\r\n") + "\r\n\r\n" + framing.bytes
        var turn = Turn(text: text, status: 200, id: "id-\(number)")
        let hops = ["X-Hop: gone", "Connection: x-hop"]
        let kept = lines.filter { !hops.contains($0) }
        turn.sent = (
            "POST \(path)?n=\(number) HTTP/1.1",
            ["Host: engine:8000"] + kept
                + ["x-request-id: id-\(number)", "x-forwarded-for: 10.1.2.3", "Content-Length: \(body.utf8.count)"],
            body
        )
        return turn
    }

    static func good(_ number: Int, _ random: inout Seeded) -> Turn {
        let padding = String(repeating: "p", count: random.once(in: 4) ? random.upTo(9000) : random.upTo(60))
        return request(number, "{\"model\":\"mock\",\"n\":\(number),\"pad\":\"\(padding)\"}", &random)
    }

    /// Refused with its framing known: the connection may go on.
    private static func refused(_ number: Int, _ random: inout Seeded) -> Turn {
        let id = "Host: g\r\nX-Request-Id: id-\(number)\r\n"
        switch random.upTo(7) {
        case 0: return Turn(text: "GET \(path) HTTP/1.1\r\n\(id)\r\n", status: 405, id: "id-\(number)")
        case 1:
            return Turn(text: "HEAD \(path)?h HTTP/1.1\r\n\(id)\r\n", status: 405, id: "id-\(number)", isHead: true)
        case 2: return Turn(text: "OPTIONS \(path) HTTP/1.1\r\n\(id)\r\n", status: 204, id: "id-\(number)")
        case 3: return Turn(text: "POST \(path) HTTP/1.1\r\n\(id)\r\n", status: 411, id: "id-\(number)")
        case 4: return Turn(text: "GET /nowhere HTTP/1.1\r\n\(id)\r\n", status: 404, id: "id-\(number)")
        case 5:
            let text = "PUT /nowhere HTTP/1.1\r\n\(id)Content-Length: 10\r\n\r\nGET / HTTP"
            return Turn(text: text, status: 404, ending: .either, id: "id-\(number)")
        case 6:
            var turn = request(number, "{\"model\":\"unknown\",\"n\":\(number)}", &random)
            (turn.status, turn.sent) = (404, nil)
            return turn
        default:
            let body = random.pick(["{\"no\":\(number)}", "", "[]", "{\"model\":\"mock\"", "{\"model\":7}"])
            var turn = request(number, body, &random)
            (turn.status, turn.sent) = (400, nil)
            return turn
        }
    }

    /// Answered, and the connection ends.
    private static func closing(_ number: Int, _ random: inout Seeded) -> Turn {
        let id = "Host: g\r\nX-Request-Id: id-\(number)\r\n"
        switch random.upTo(3) {
        case 0:
            var turn = request(number, "{\"model\":\"mock\",\"n\":\(number)}", &random, extra: ["Connection: close"])
            turn.ending = .closes
            return turn
        case 1:
            let text = "POST \(path) HTTP/1.1\r\n\(id)Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nGET "
            return Turn(text: text, status: 415, ending: .closes, id: "id-\(number)")
        case 2:
            let text = "POST \(path) HTTP/1.1\r\n\(id)Content-Length: 99999999\r\n\r\n{"
            return Turn(text: text, status: 413, ending: .closes, id: "id-\(number)")
        default:
            let text = "POST \(path) HTTP/1.1\r\n\(id)Transfer-Encoding: chunked\r\n\r\n2\r\n{}x\r\n"
            return Turn(text: text, status: 400, ending: .closes, id: "id-\(number)")
        }
    }

    /// Its head cannot be trusted: answered without its id, and the connection ends.
    private static func unreadable(_ random: inout Seeded) -> Turn {
        let start = "POST \(path) HTTP/1.1\r\n"
        let (text, status) = random.pick([
            (start + "Host: g\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n", 400),
            (start + "Host: g\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
            (start + "Host: g\r\nHost: g\r\n\r\n", 400), (start + "Host: g\r\nA: b\r\n c\r\n\r\n", 400),
            (start + "Host: g\nA: b\r\n\r\n", 400), ("POST \(path) HTTP/2.0\r\n\r\n", 505),
            (start + "Host: g\r\n" + String(repeating: "A: b\r\n", count: 100) + "\r\n", 431),
            ("\u{16}\u{3}\u{1}", 400),
        ])
        return Turn(text: text, status: status, ending: .closes)
    }
}
