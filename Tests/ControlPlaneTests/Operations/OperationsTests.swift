import ControlPlane
import DataPlane
import FleetTracking
import JobStores
import SchedulerRuntime
import Synchronization
import Testing
import WireFormats

@Suite struct OperationsTests {
    @Test func readyTellsEachPartAndIgnoresTheStore() async throws {
        let fixture = Fixture()
        let before = try await fixture.answer(ControlRequest("GET", "/readyz"))
        #expect(before.status == 503)
        #expect(try before.json["listener"]?.bool == false)
        fixture.console.health.withLock {
            $0.isListening = true
            $0.isFirstRoundTried = true
            $0.storeFault = "disk full"
        }
        let after = try await fixture.answer(ControlRequest("GET", "/readyz"))
        #expect(after.status == 200)
        #expect(try after.json["store"]?["ok"]?.bool == false)
        #expect(try after.json["store"]?["reason"]?.string == "disk full")
        fixture.console.health.withLock { $0.isDraining = true }
        #expect(try await fixture.answer(ControlRequest("GET", "/readyz")).status == 503)
    }

    @Test func liveMetricsAndVersionAnswer() async throws {
        let fixture = Fixture()
        #expect(try await fixture.answer(ControlRequest("GET", "/livez")).status == 200)
        #expect(try await fixture.answer(ControlRequest("HEAD", "/livez")).status == 200)
        let metrics = try await fixture.answer(ControlRequest("GET", "/metrics"))
        #expect(metrics.header("content-type") == "text/plain; version=0.0.4; charset=utf-8")
        #expect(metrics.text.hasPrefix("# HELP"))
        #expect(try await fixture.answer(ControlRequest("GET", "/version")).json["version"]?.string == "1.2.3")
    }

    @Test func endpointsShowTheEnginesOwnFigures() async throws {
        let fixture = Fixture()
        var told = FleetFigures.Endpoint(id: EndpointID(0), url: "http://a:1", kind: .vllm, state: .healthy)
        var sample = EngineSample(takenAt: .zero)
        (sample.running, sample.waiting, sample.kvUse) = (4, 8, 0.5)
        (sample.blocks, sample.blockSize) = (4_096, 16)
        (sample.prefixQueries, sample.prefixHits, sample.preemptions) = (300, 160, 2)
        told.sample = sample
        let silent = FleetFigures.Endpoint(id: EndpointID(1), url: "http://b:1", kind: .unknown, state: .unknown)
        var pool = FleetFigures.Pool(name: "main")
        pool.endpoints = [told, silent]
        fixture.console.state.withLock { [pool] in $0.figures.pools = [pool] }
        let answer = try await fixture.answer(ControlRequest("GET", "/admin/endpoints"))
        let shown = try #require(try answer.json["data"]?.array)
        let figures = [
            "running": 4, "waiting": 8, "kv_use": 0.5, "kv_blocks": 4_096, "kv_block_tokens": 16,
            "prefix_queried_tokens": 300, "prefix_hit_tokens": 160, "preemptions": 2,
        ]
        for (name, value) in figures {
            #expect(shown.first?[name]?.double == value, "\(name)")
            #expect(shown.last?[name] == .null, "\(name)")
        }
    }

    @Test func drainsAndExplains() async throws {
        let fixture = Fixture()
        #expect(try await fixture.answer(ControlRequest("POST", "/admin/endpoints/1/drain")).status == 200)
        #expect(fixture.console.state.withLock { $0.draining } == [EndpointID(1)])
        #expect(try await fixture.answer(ControlRequest("POST", "/admin/endpoints/1/undrain")).status == 200)
        #expect(fixture.console.state.withLock { $0.draining.isEmpty })
        for id in ["2", "-1", "x", "99999999999999999999"] {
            #expect(try await fixture.answer(ControlRequest("POST", "/admin/endpoints/\(id)/drain")).status == 404)
        }
        #expect(try await fixture.answer(ControlRequest("GET", "/admin/requests/req-known")).json["endpoint"] != nil)
        #expect(try await fixture.answer(ControlRequest("GET", "/admin/requests/other")).status == 404)
    }

    @Test(arguments: [
        ("GET", "/admin/endpoints"), ("POST", "/admin/endpoints/0/drain"), ("GET", "/admin/requests/req-known"),
        ("GET", "/admin/live"),
    ])
    func adminPathsNeedAnAdminKey(method: String, path: String) async throws {
        let fixture = Fixture()
        let identity = Identity(tenant: "a", isTrusted: true, isAdmin: false)
        let answer = try await fixture.answer(ControlRequest(method, path, identity: identity))
        #expect(answer.status == 403)
        #expect(try answer.error.code == "admin_key_required")
        #expect(fixture.console.state.withLock { $0.draining.isEmpty })
        #expect(fixture.routes.live.viewers == 0)
    }

    @Test(arguments: [
        ("DELETE", "/v1/files", "POST, GET, HEAD"), ("PUT", "/v1/batches/x", "GET, HEAD"), ("POST", "/", "GET, HEAD"),
        ("GET", "/admin/endpoints/0/drain", "POST"), ("OPTIONS", "/metrics", "GET, HEAD"),
    ])
    func wrongMethodsAre405WithAllow(method: String, path: String, allow: String) async throws {
        let answer = try await Fixture().answer(ControlRequest(method, path))
        #expect(answer.status == 405)
        #expect(answer.header("allow") == allow)
        #expect(try answer.error.code == "method_not_allowed")
    }

    @Test(arguments: ["/nothing", "/v1", "/v1/files/a/b", "/admin", "/v1/files//content"])
    func unknownPathsAre404InOpenAIsShape(path: String) async throws {
        let answer = try await Fixture().answer(ControlRequest("GET", path))
        #expect(answer.status == 404)
        #expect(try answer.error.type == "invalid_request_error")
    }

    @Test func modelsAreTheUnionSortedWithTheEnginesOwnRecord() async throws {
        let fixture = Fixture()
        fixture.console.state.withLock {
            $0.directory.models = [
                "org/big model": ModelEntry(
                    id: ModelID(0), pool: PoolID(0),
                    record:
                        #"{"id":"x","object":"y","created":12,"owned_by":"vllm","max_model_len":8192,"big":12345678901234567890}"#
                ),
                "adapter": ModelEntry(id: ModelID(1), pool: PoolID(1), record: ""),
            ]
        }
        let list = try await fixture.answer(ControlRequest("GET", "/v1/models")).json
        #expect(list["object"]?.string == "list")
        let models = try #require(list["data"]?.array)
        #expect(models.map { $0["id"]?.string } == ["adapter", "org/big model"])
        #expect(models[0]["owned_by"]?.string == "neap")
        #expect(models[1]["created"]?.int == 12)
        #expect(models[1]["max_model_len"]?.int == 8_192)
        #expect(models[1]["big"] == .number("12345678901234567890"))
        for path in ["org/big%20model", "org%2Fbig%20model"] {
            let one = try await fixture.answer(ControlRequest("GET", "/v1/models/\(path)"))
            #expect(try one.json == models[1])
        }
        let missing = try await fixture.answer(ControlRequest("GET", "/v1/models/none"))
        #expect(missing.status == 404)
        #expect(try missing.error.code == "model_not_found")
        #expect(try missing.error.message.contains("adapter, org/big model"))
        #expect(try await fixture.answer(ControlRequest("GET", "/v1/models/%zz")).status == 404)
    }
}
