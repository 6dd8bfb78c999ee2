import JobLifecycle
import JobStores
import Testing

extension StorePromise {
    static let ends: [StorePromise] = [
        StorePromise("a completed batch has every line once, in order, in the file that fits") { fixture in
            let store = try await fixture.open(StoreSettings())
            _ = try await store.recover(now: Time.start)
            let batch = try await Steps.admitted(store, lines: 5, tenant: "t")
            let jobs = try await Steps.claim(store, 5)
            let refused = JobRecord(
                state: .failed, response: JobResponse(status: 400, requestID: "r", body: Array("{\"error\":1}".utf8)))
            _ = try await store.apply(
                [
                    Steps.success(jobs[4], text: "{\"n\":9007199254740993,\n\"z\":1,\"a\":2}"), Steps.failure(jobs[1]),
                    Steps.success(jobs[0]), Steps.change(jobs[3], .ended(refused)), Steps.success(jobs[2]),
                ], now: Time.at(1))
            let done = try await store.publish(batch.id, now: Time.at(2))
            #expect(done.state == .completed)
            #expect(done.counts == BatchCounts(total: 5, completed: 3, failed: 2))
            #expect(try await Steps.customIDs(store, done.outputFile, tenant: "t") == ["line-0", "line-2", "line-4"])
            let errors = try await Steps.objects(store, done.errorFile, tenant: "t")
            #expect(errors.compactMap { $0["custom_id"] as? String } == ["line-1", "line-3"])
            #expect((errors[0]["error"] as? [String: String]) == ["code": "engine_reset", "message": "gone"])
            #expect((errors[1]["response"] as? [String: Any])?["status_code"] as? Int == 400)
            let output = try #require(done.outputFile)
            let text = String(decoding: try await Steps.content(store, output, tenant: "t"), as: UTF8.self)
            #expect(text.contains("{\"n\":9007199254740993, \"z\":1,\"a\":2}"))
            let file = try await store.file(output, tenant: "t", now: Time.start)
            #expect(file.purpose == .batchOutput)
            #expect(file.bytes == text.utf8.count)
            #expect(await Steps.code { _ = try await store.publish(batch.id, now: Time.at(3)) } == .conflict)
            await store.close()
        },
        StorePromise("a cancelled batch keeps what was done and tells of the rest; late results are refused") {
            fixture in
            let store = try await fixture.open(StoreSettings())
            _ = try await store.recover(now: Time.start)
            let batch = try await Steps.admitted(store, lines: 4)
            let jobs = try await Steps.claim(store, 2)
            _ = try await store.apply(
                [Steps.success(jobs[0]), Steps.change(jobs[1], .granted)], now: Time.at(1))
            _ = try await store.cancelBatch(batch.id, tenant: "", now: Time.at(2))
            #expect(try await Steps.claim(store, 9).isEmpty)
            #expect(try await store.pending(models: ["m"]).isEmpty)
            let done = try await store.publish(batch.id, now: Time.at(3))
            #expect(done.state == .cancelled)
            #expect(done.counts == BatchCounts(total: 4, completed: 1, failed: 3))
            #expect(try await store.apply([Steps.success(jobs[1])], now: Time.at(4)) == [.refused])
            #expect(try await Steps.customIDs(store, done.outputFile) == ["line-0"])
            let errors = try await Steps.objects(store, done.errorFile)
            #expect(errors.count == 3)
            #expect(errors.allSatisfy { ($0["error"] as? [String: String])?["code"] == "batch_cancelled" })
            #expect(
                await Steps.code { _ = try await store.publish(batch.id, now: Time.at(5)) } == .conflict)
            await store.close()
        },
        StorePromise("a result that beats the sealing of a cancelled batch counts") { fixture in
            let store = try await fixture.open(StoreSettings())
            _ = try await store.recover(now: Time.start)
            let batch = try await Steps.admitted(store, lines: 2)
            let jobs = try await Steps.claim(store, 1)
            _ = try await store.apply([Steps.change(jobs[0], .granted)], now: Time.at(1))
            _ = try await store.cancelBatch(batch.id, tenant: "", now: Time.at(2))
            #expect(try await store.apply([Steps.success(jobs[0])], now: Time.at(2)) == [.applied])
            let done = try await store.publish(batch.id, now: Time.at(3))
            #expect(done.counts == BatchCounts(total: 2, completed: 1, failed: 1))
            await store.close()
        },
        StorePromise("a batch cancelled while validating ends without files") { fixture in
            let store = try await fixture.open(StoreSettings())
            let batch = try await Steps.create(store)
            try await store.insertLines(Steps.lines(0..<3), batch: batch.id)
            _ = try await store.cancelBatch(batch.id, tenant: "", now: Time.at(2))
            #expect(await Steps.code { _ = try await store.admit(batch.id, now: Time.at(2)) } == .conflict)
            #expect(
                await Steps.code { try await store.insertLines(Steps.lines(3..<4), batch: batch.id) } == .conflict)
            let done = try await store.publish(batch.id, now: Time.at(3))
            #expect(done.state == .cancelled)
            #expect(done.counts == BatchCounts())
            #expect(done.outputFile == nil && done.errorFile == nil)
            await store.close()
        },
        StorePromise("a closed window expires what is open, with the partial results") { fixture in
            let store = try await fixture.open(StoreSettings())
            _ = try await store.recover(now: Time.start)
            let batch = try await Steps.admitted(store, lines: 3, window: .seconds(60))
            _ = try await Steps.admitted(store, lines: 3, window: .seconds(600))
            let jobs = try await Steps.claim(store, 1)
            _ = try await store.apply([Steps.success(jobs[0])], now: Time.at(1))
            #expect(try await store.nextDue() == Time.at(60))
            #expect(try await store.closeWindows(now: Time.at(59)).isEmpty)
            #expect(try await store.closeWindows(now: Time.at(60)).map(\.id) == [batch.id])
            #expect(try await store.closeWindows(now: Time.at(60)).isEmpty)
            #expect(try await Steps.claim(store, 1).first?.batch != batch.id)
            let done = try await store.publish(batch.id, now: Time.at(61))
            #expect(done.state == .expired)
            #expect(done.times.expired == Time.at(61))
            #expect(done.counts == BatchCounts(total: 3, completed: 1, failed: 2))
            let errors = try await Steps.objects(store, done.errorFile)
            #expect(errors.allSatisfy { ($0["error"] as? [String: String])?["code"] == "batch_expired" })
            await store.close()
        },
        StorePromise("an ended batch can not be cancelled; a cancelled one can, to no effect") { fixture in
            let store = try await fixture.open(StoreSettings())
            let completed = try await Steps.create(store)
            _ = try await store.admit(completed.id, now: Time.at(1))
            _ = try await store.publish(completed.id, now: Time.at(2))
            let code = await Steps.code {
                _ = try await store.cancelBatch(completed.id, tenant: "", now: Time.at(3))
            }
            #expect(code == .conflict)
            let cancelled = try await Steps.create(store)
            _ = try await store.cancelBatch(cancelled.id, tenant: "", now: Time.at(1))
            let done = try await store.publish(cancelled.id, now: Time.at(2))
            #expect(try await store.cancelBatch(cancelled.id, tenant: "", now: Time.at(3)) == done)
            await store.close()
        },
        StorePromise("ending batches are found at the next start and published then") { fixture in
            var store = try await fixture.open(StoreSettings())
            _ = try await store.recover(now: Time.start)
            let drained = try await Steps.admitted(store, lines: 1)
            let cancelling = try await Steps.admitted(store, lines: 1, now: Time.at(1))
            let job = try #require(try await Steps.claim(store, 1).first)
            _ = try await store.apply([Steps.success(job)], now: Time.at(2))
            _ = try await store.cancelBatch(cancelling.id, tenant: "", now: Time.at(2))
            await store.close()
            store = try await fixture.open(StoreSettings())
            #expect(try await store.recover(now: Time.at(3)).ending == [drained.id, cancelling.id])
            #expect(try await store.publish(drained.id, now: Time.at(4)).state == .completed)
            #expect(try await store.publish(cancelling.id, now: Time.at(4)).state == .cancelled)
            await store.close()
        },
        StorePromise("sweeping removes the rows of ended batches, not their results") { fixture in
            var settings = StoreSettings()
            settings.rowsPerSweep = 2
            settings.batchLifetime = .seconds(1000)
            let store = try await fixture.open(settings)
            _ = try await store.recover(now: Time.start)
            let batch = try await Steps.admitted(store, lines: 5)
            let other = try await Steps.admitted(store, lines: 1, now: Time.at(900))
            let jobs = try await Steps.claim(store, 5)
            _ = try await store.apply(jobs.map { Steps.success($0) }, now: Time.at(1))
            let done = try await store.publish(batch.id, now: Time.at(2))
            var calls = 0
            while try await store.sweep(now: Time.at(3)) { calls += 1 }
            #expect(calls == 4)
            #expect(try await store.batch(batch.id, tenant: "") == done)
            #expect(try await Steps.customIDs(store, done.outputFile).count == 5)
            #expect(try await Steps.claim(store, 9).map(\.batch) == [other.id])
            while try await store.sweep(now: Time.at(1001)) {}
            #expect(await Steps.code { _ = try await store.batch(batch.id, tenant: "") } == .notFound)
            await store.close()
        },
        StorePromise("a closed store refuses everything") { fixture in
            let store = try await fixture.open(StoreSettings())
            await store.close()
            #expect(await Steps.code { _ = try await store.batches(BatchQuery(tenant: "")) } == .closed)
            #expect(await Steps.code { _ = try await Steps.create(store) } == .closed)
        },
    ]

    static let all = files + batches + queue + ends
}
