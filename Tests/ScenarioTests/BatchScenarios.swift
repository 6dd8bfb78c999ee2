import Foundation
import Testing

@Suite(.timeLimit(.minutes(3))) struct BatchScenarios {
    private func input(_ lines: Int, tokens: Int = 3) -> String {
        (0..<lines).map { number in
            #"{"custom_id":"line-\#(number)","method":"POST","url":"\#(Chat.path)","body":"#
                + Chat.body(tokens: tokens, prompt: "Line \(number)").replacing(#""stream":false,"#, with: "") + "}\n"
        }.joined()
    }

    private func finished(_ id: String, _ exchange: Exchange) async throws -> Exchange.Answer {
        while true {
            let batch = try await exchange.get("/v1/batches/\(id)")
            if ["completed", "failed", "expired", "cancelled"].contains(batch.member("status")) { return batch }
            await Task.yield()
        }
    }

    private func create(_ file: String, _ exchange: Exchange) async throws -> Exchange.Answer {
        try await exchange.post(
            "/v1/batches",
            #"{"input_file_id":"\#(file)","endpoint":"\#(Chat.path)","completion_window":"24h"}"#)
    }

    @Test func aBatchRunsBesideChatAndEveryLineEndsOnce() async throws {
        let town = try Town()
        let engines = [try await town.engine(), try await town.engine()]
        let gateway = try await town.gateway(engines.flatMap { ["--engine", $0.url] })
        let file = try await gateway.exchange.upload(input(40))
        let batch = try await create(file, gateway.exchange)
        #expect(batch.status == 200, "\(batch.text)")
        let chat = try await gateway.exchange.post(Chat.path, Chat.body(tokens: 2))
        #expect(chat.status == 200)
        let done = try await finished(batch.member("id"), gateway.exchange)
        #expect(done.member("status") == "completed", "\(done.body)")
        let output = try await gateway.exchange.get("/v1/files/\(done.member("output_file_id"))/content")
        for number in 0..<40 {
            #expect(output.body.ranges(of: "\"custom_id\":\"line-\(number)\"").count == 1, "line \(number)")
        }
        gateway.process.send(SIGTERM)
        #expect(await gateway.process.exitCode() == 0)
    }

    @Test func aDrainReleasesJobsAndTheNextStartEndsThem() async throws {
        let town = try Town()
        let engine = try await town.engine(["--speed", "1"])
        let first = try await town.gateway(
            ["--engine", engine.url], environment: ["NEAP_JOBS_DRAIN_TIME": "10ms"])
        let batch = try await create(try await first.exchange.upload(input(30, tokens: 200)), first.exchange)
        let idle = #"neap_in_flight_requests{pool="default",band="async"} 0"#
        while try await first.exchange.get("/metrics").body.contains(idle) { await Task.yield() }
        first.process.send(SIGTERM)
        #expect(await first.process.exitCode() == 0)
        let second = try await town.gateway(["--engine", engine.url])
        let done = try await finished(batch.member("id"), second.exchange)
        #expect(done.member("status") == "completed", "\(done.body)")
        let output = try await second.exchange.get("/v1/files/\(done.member("output_file_id"))/content")
        for number in 0..<30 {
            #expect(output.body.ranges(of: "\"custom_id\":\"line-\(number)\"").count == 1, "line \(number)")
        }
    }

    @Test func aBatchGoesOnAfterAKilledGatewayStartsAgain() async throws {
        let town = try Town()
        let engine = try await town.engine(["--speed", "1"])
        let first = try await town.gateway(["--engine", engine.url])
        let batch = try await create(try await first.exchange.upload(input(60)), first.exchange)
        #expect(batch.status == 200, "\(batch.text)")
        first.process.send(SIGKILL)
        #expect(await first.process.exitCode() == -SIGKILL)
        let second = try await town.gateway(["--engine", engine.url])
        let done = try await finished(batch.member("id"), second.exchange)
        #expect(done.member("status") == "completed", "\(done.body)")
        let output = try await second.exchange.get("/v1/files/\(done.member("output_file_id"))/content")
        for number in 0..<60 {
            #expect(output.body.ranges(of: "\"custom_id\":\"line-\(number)\"").count == 1, "line \(number)")
        }
    }
}
