import Foundation
import Testing

/// The gateway as people run it: real processes, free ports, signals.
@Suite(.timeLimit(.minutes(3))) struct ServeScenarios {
    @Test func chatGoesThroughWithAndWithoutAStream() async throws {
        let town = try Town()
        let engine = try await town.engine()
        let gateway = try await town.gateway(["--engine", engine.url])
        let whole = try await gateway.exchange.post(Chat.path, Chat.body(tokens: 5))
        #expect(whole.status == 200)
        #expect(whole.body.contains(#""completion_tokens":5"#))
        #expect(whole.text.contains("x-request-id:"))
        let stream = try await gateway.exchange.post(Chat.path, Chat.body(tokens: 5, stream: true))
        #expect(stream.status == 200)
        #expect(stream.body.contains("data: [DONE]"))
        let models = try await gateway.exchange.get("/v1/models")
        #expect(models.body.contains(#""id":"llama-3.1-8b""#))
        let unknown = try await gateway.exchange.post(Chat.path, Chat.body(tokens: 1, model: "nobody"))
        #expect(unknown.status == 404)
        #expect(unknown.body.contains("llama-3.1-8b"))
        let metrics = try await gateway.exchange.get("/metrics")
        #expect(metrics.body.contains(#"outcome="completed",status="200"} 2"#))
        gateway.process.send(SIGTERM)
        #expect(await gateway.process.exitCode() == 0)
    }

    @Test func anEngineThatDiesCostsNoRequest() async throws {
        let town = try Town()
        let engines = [try await town.engine(), try await town.engine()]
        let gateway = try await town.gateway(engines.flatMap { ["--engine", $0.url] })
        for number in 0..<40 {
            if number == 10 {
                engines[0].process.send(SIGKILL)
                #expect(await engines[0].process.exitCode() == -SIGKILL)
            }
            let answer = try await gateway.exchange.post(Chat.path, Chat.body(tokens: 2, prompt: "Number \(number)"))
            #expect(answer.status == 200, "request \(number): \(answer.text)")
        }
        try await gateway.process.line(with: "endpoint is unwell")
    }

    @Test func aDrainCutsNoStreamAndEndsWithZero() async throws {
        let town = try Town()
        let engine = try await town.engine(["--speed", "1"])
        let gateway = try await town.gateway(["--engine", engine.url])
        let call = try await gateway.exchange.begin(Chat.path, Chat.body(tokens: 150, stream: true))
        #expect(await call.reads("data: "))
        gateway.process.send(SIGTERM)
        try await gateway.process.line(with: "draining")
        let rest = try await call.answer()
        #expect(rest.text.contains("data: [DONE]"))
        #expect(await gateway.process.exitCode() == 0)
    }

    @Test func aSecondSignalEndsAtOnce() async throws {
        let town = try Town()
        let engine = try await town.engine(["--speed", "0.1"])
        let gateway = try await town.gateway(["--engine", engine.url])
        let call = try await gateway.exchange.begin(Chat.path, Chat.body(tokens: 5000, stream: true))
        #expect(await call.reads("data: "))
        gateway.process.send(SIGTERM)
        try await gateway.process.line(with: "draining")
        gateway.process.send(SIGTERM)
        #expect(await gateway.process.exitCode() == 1)
    }

    @Test func aReloadTakesAGoodFileAndKeepsTheOldOneFromABadOne() async throws {
        let town = try Town()
        let engines = [try await town.engine(), try await town.engine(["--model", "second-model"])]
        let pool = "pools:\n  - name: main\n    endpoints:\n      - url: \(engines[0].url)\n"
        let file = try town.write("neap.yaml", pool)
        let gateway = try await town.gateway(["--config", file])
        _ = try town.write("neap.yaml", pool + "      - url: \(engines[1].url)\n")
        gateway.process.send(SIGHUP)
        try await gateway.process.line(with: "configuration reloaded")
        while try await !gateway.exchange.get("/v1/models").body.contains("second-model") { await Task.yield() }
        let answer = try await gateway.exchange.post(Chat.path, Chat.body(tokens: 1, model: "second-model"))
        #expect(answer.status == 200)
        _ = try town.write("neap.yaml", pool + "      - uri: typo\n")
        gateway.process.send(SIGHUP)
        let complaint = try await gateway.process.line(with: "not usable")
        #expect(complaint.contains("neap.yaml:5"))
        let after = try await gateway.exchange.post(Chat.path, Chat.body(tokens: 1, model: "second-model"))
        #expect(after.status == 200)
        _ = try town.write("neap.yaml", pool.replacing("name: main", with: "name: renamed"))
        gateway.process.send(SIGHUP)
        let refusal = try await gateway.process.line(with: #"found "renamed""#)
        #expect(refusal.contains("not usable") && refusal.contains("neap.yaml:2") && refusal.contains("restart"))
        // Nothing of it was taken over: also the endpoint that the file no longer names goes on.
        for model in ["llama-3.1-8b", "second-model"] {
            let still = try await gateway.exchange.post(Chat.path, Chat.body(tokens: 1, model: model))
            #expect(still.status == 200, "\(model)")
        }
        let metrics = try await gateway.exchange.get("/metrics")
        #expect(metrics.body.contains(#"neap_config_reloads_total{result="failure"} 2"#))
    }

    @Test func aPortInUseIsToldAndEndsWithOne() async throws {
        let town = try Town()
        let engine = try await town.engine()
        let first = try await town.gateway(["--engine", engine.url])
        let second = try NeapProcess([
            "serve", "--engine", engine.url, "--port", String(first.exchange.port), "--data",
            town.folder.appending(path: "other").path(), "--access-log", "off",
        ])
        try await second.line(with: "cannot listen on 127.0.0.1:\(first.exchange.port)")
        #expect(await second.exitCode() == 1)
    }

    @Test func theDataFolderBelongsToOneProcess() async throws {
        let town = try Town()
        let engine = try await town.engine()
        let first = try await town.gateway(["--engine", engine.url])
        let second = try NeapProcess([
            "serve", "--engine", engine.url, "--port", "0", "--data", town.folder.appending(path: "data").path(),
        ])
        try await second.line(with: "in use by another process")
        #expect(await second.exitCode() == 1)
        first.process.send(SIGINT)
        #expect(await first.process.exitCode() == 0)
    }
}

@Suite(.timeLimit(.minutes(3))) struct CheckScenarios {
    @Test func checkTellsWhatEachEndpointSays() async throws {
        let town = try Town()
        let engine = try await town.engine()
        let well = try NeapProcess(["check", "--engine", engine.url])
        let row = try await well.line(with: engine.url)
        #expect(row.contains("well") && row.contains("vllm") && row.contains("llama-3.1-8b"))
        #expect(await well.exitCode() == 0)
        let gone = try NeapProcess(["check", "--engine", "http://127.0.0.1:1"])
        try await gone.line(with: "Connection refused")
        #expect(await gone.exitCode() == 1)
    }

    @Test func aConfigurationFaultNamesFileLineAndKey() async throws {
        let town = try Town()
        let file = try town.write("neap.yaml", "listen:\n  port: many\n")
        let check = try NeapProcess(["check", "--config", file])
        try await check.line(with: "neap.yaml:2:9: listen.port: found \"many\"")
        #expect(await check.exitCode() == 1)
    }
}
