import Foundation
import Testing

@Suite(.timeLimit(.minutes(3))) struct KeyScenarios {
    @Test func withKeysOnlyTheirHoldersAreServed() async throws {
        let town = try Town()
        let engine = try await town.engine()
        let file = town.folder.appending(path: "keys").path()
        let add = try NeapProcess(["keys", "add", "--file", file, "--tenant", "research"])
        let key = try await add.line(with: "neap-")
        #expect(await add.exitCode() == 0)
        let gateway = try await town.gateway(["--engine", engine.url, "--keys", file])
        let stranger = try await gateway.exchange.post(Chat.path, Chat.body(tokens: 1))
        #expect(stranger.status == 401)
        let holder = try await gateway.exchange.post(Chat.path, Chat.body(tokens: 1), key: key)
        #expect(holder.status == 200)
        let metrics = try await gateway.exchange.get("/metrics")
        #expect(metrics.body.contains(#"neap_tenant_requests_total{tenant="research",band="realtime"} 1"#))
        #expect(metrics.body.contains(#"neap_refusals_total{reason="invalid_api_key",status="401"} 1"#))
    }

    @Test func theMetricsCanBeBehindAKeyToo() async throws {
        let town = try Town()
        let engine = try await town.engine()
        let file = town.folder.appending(path: "keys").path()
        let add = try NeapProcess(["keys", "add", "--file", file, "--tenant", "scraper"])
        let key = try await add.line(with: "neap-")
        #expect(await add.exitCode() == 0)
        let gateway = try await town.gateway(
            ["--engine", engine.url, "--keys", file], environment: ["NEAP_KEYS_COVER_METRICS": "true"])
        #expect(try await gateway.exchange.get("/metrics").status == 401)
        #expect(try await gateway.exchange.get("/livez").status == 200)
        #expect(try await gateway.exchange.get("/metrics", key: key).status == 200)
    }

    @Test func anOpenAddressWithoutKeysIsRefused() async throws {
        let serve = try NeapProcess(["serve", "--engine", "http://127.0.0.1:1", "--host", "0.0.0.0", "--port", "0"])
        try await serve.line(with: "--insecure-any")
        #expect(await serve.exitCode() == 1)
    }
}
