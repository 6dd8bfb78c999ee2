import DataPlane
import SchedulerRuntime
import Testing

/// A browser sends a page's "simple" requests to any address without asking first, also to a gateway that only its
/// user can reach. Without keys nothing else tells such a request from the user's own.
@Suite(.timeLimit(.minutes(2))) struct CrossSiteTests {
    private struct OneKey: Identifying {
        func identify(authorization: String?, apiKey: String?) -> Identity? {
            authorization == "Bearer good" ? Identity(tenant: "acme") : nil
        }
    }

    private static let body = "{\"model\":\"mock\",\"messages\":[]}"

    private func request(_ line: String, origin: String?, more: String = "") -> String {
        let lines = "\(line) HTTP/1.1\r\nHost: gateway:8080\r\n\(origin.map { "Origin: \($0)\r\n" } ?? "")\(more)"
        return lines + "Content-Length: \(CrossSiteTests.body.utf8.count)\r\n\r\n\(CrossSiteTests.body)"
    }

    private func options() -> FixtureOptions {
        var options = FixtureOptions()
        options.surface = ScriptedSurface()
        return options
    }

    @Test(
        arguments: ["POST /v1/chat/completions", "POST /echo", "DELETE /echo", "PUT /echo"],
        ["http://evil.example", "null", "http://gateway", "http://gateway:8080.evil.example", "gateway:8080", ""])
    func anotherSitesPageReachesNothing(line: String, origin: String) async throws {
        let engine = FakeEngine.answering { _ in jsonAnswer("{\"ok\":1}") }
        try await withGateway([engine], options()) { gateway in
            let answer = try #require(try await gateway.ask(request(line, origin: origin)))
            #expect(answer.status == 403)
            #expect(answer.text.contains("\"code\":\"cross_site_request\""))
            #expect(gateway.events.entries.isEmpty)
            await gateway.records.wait { $0.count == 1 }
            #expect(gateway.records.entries[0].refusal == "cross_site_request")
        }
    }

    @Test(arguments: [nil, "http://gateway:8080", "https://GATEWAY:8080"])
    func ownPagesAndProgramsPass(origin: String?) async throws {
        let engine = FakeEngine.answering { _ in jsonAnswer("{\"ok\":1}") }
        try await withGateway([engine], options()) { gateway in
            let answer = try await gateway.ask(request("POST /v1/chat/completions", origin: origin))
            #expect(answer?.text == "{\"ok\":1}")
            let echo = try await gateway.ask(request("POST /echo", origin: origin))
            #expect(echo?.text == CrossSiteTests.body)
        }
    }

    @Test func whatChangesNothingPasses() async throws {
        try await withGateway([], options()) { gateway in
            let get = "GET /fixed HTTP/1.1\r\nHost: gateway\r\nOrigin: http://evil.example\r\n\r\n"
            let answer = try await gateway.ask(get)
            #expect(answer?.status == 201)
        }
    }

    @Test func aKeySaysWhoAsks() async throws {
        var options = options()
        options.identity = OneKey()
        try await withGateway([FakeEngine.answering { _ in jsonAnswer("{\"ok\":1}") }], options) { gateway in
            let key = "Authorization: Bearer good\r\n"
            for line in ["POST /v1/chat/completions", "POST /echo"] {
                let origin = "http://app.example"
                let holder = try await gateway.ask(request(line, origin: origin, more: key))
                #expect(holder?.status == 200)
                let stranger = try await gateway.ask(request(line, origin: origin))
                #expect(stranger?.status == 401)
            }
        }
    }
}
