import JobLifecycle
import JobStores
import Testing

extension StorePromise {
    static let queue: [StorePromise] = [
        StorePromise("claims come by deadline, then batch, then line, of the models asked for") { fixture in
            let store = try await fixture.open(StoreSettings())
            _ = try await store.recover(now: Time.start)
            let late = try await Steps.admitted(store, lines: 2, window: .seconds(900))
            let soon = try await Steps.admitted(store, lines: 2, window: .seconds(600))
            let same = try await Steps.admitted(store, lines: 2, window: .seconds(600))
            _ = try await Steps.admitted(store, lines: 2, model: "other", window: .seconds(60))
            let claim = try await store.claim(ClaimRequest(models: ["m", "n"], limit: 5))
            #expect(claim.jobs.map(\.batch) == [soon.id, soon.id, same.id, same.id, late.id])
            #expect(claim.jobs.map(\.id.line) == [0, 1, 0, 1, 0])
            #expect(claim.pending == 1)
            let rest = try await store.claim(ClaimRequest(models: ["m"], limit: 5))
            #expect(rest.jobs.map(\.id.line) == [1])
            #expect(rest.pending == 0)
            #expect(try await store.pending(models: ["m"]).isEmpty)
            #expect(try await store.pending(models: ["m", "n", "other"]) == ["other": 2])
            await store.close()
        },
        StorePromise("a claimed job tells all that its attempt needs") { fixture in
            let store = try await fixture.open(StoreSettings())
            _ = try await store.recover(now: Time.start)
            let batch = try await Steps.admitted(store, lines: 2, tenant: "t", window: .seconds(600))
            let jobs = try await Steps.claim(store, 2)
            let job = try #require(jobs.last)
            #expect(job.batch == batch.id)
            #expect(job.tenant == "t")
            #expect(job.customID == "line-1")
            #expect(job.path == Steps.endpoint)
            #expect(job.model == "m")
            #expect(job.body == BodyLocation(file: batch.inputFile, offset: 10, length: 10))
            #expect(job.cost == JobCost(promptTokens: 3, outputTokens: 7, sequences: 1))
            #expect(job.deadline == Time.at(600))
            #expect(jobs[0].cost.outputTokens == nil)
            #expect(jobs[0].lease != job.lease)
            await store.close()
        },
        StorePromise("claims at the same time take different jobs") { fixture in
            let store = try await fixture.open(StoreSettings())
            _ = try await store.recover(now: Time.start)
            _ = try await Steps.admitted(store, lines: 200)
            let taken = try await withThrowingTaskGroup(of: [JobID].self) { group in
                for _ in 0..<20 { group.addTask { try await Steps.claim(store, 11).map(\.id) } }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(taken.count == 200)
            #expect(Set(taken).count == 200)
            await store.close()
        },
        StorePromise("nothing is claimed before the store was recovered") { fixture in
            let store = try await fixture.open(StoreSettings())
            _ = try await Steps.admitted(store, lines: 1)
            #expect(await Steps.code { _ = try await Steps.claim(store, 1) } == .conflict)
            await store.close()
        },
        StorePromise("a job has one end: what comes later or with another lease is refused") { fixture in
            let store = try await fixture.open(StoreSettings())
            _ = try await store.recover(now: Time.start)
            let batch = try await Steps.admitted(store, lines: 2)
            let jobs = try await Steps.claim(store, 2)
            let granted = try await store.apply([Steps.change(jobs[0], .granted)], now: Time.at(1))
            #expect(granted == [.applied])
            #expect(try await store.apply([Steps.change(jobs[0], .granted)], now: Time.at(1)) == [.applied])
            var foreign = Steps.success(jobs[0])
            foreign.lease = jobs[1].lease
            #expect(try await store.apply([foreign], now: Time.at(1)) == [.refused])
            let results = try await store.apply([Steps.success(jobs[0]), Steps.failure(jobs[0])], now: Time.at(2))
            #expect(results == [.applied, .refused])
            #expect(try await store.apply([Steps.success(jobs[0])], now: Time.at(2)) == [.refused])
            #expect(try await store.apply([Steps.change(jobs[0], .released)], now: Time.at(2)) == [.refused])
            let now = try await store.batch(batch.id, tenant: "")
            #expect(now.counts == BatchCounts(total: 2, completed: 1))
            #expect(now.usage == BatchUsage(inputTokens: 3, cachedTokens: 1, outputTokens: 5))
            #expect(try await Steps.claim(store, 9).isEmpty)
            await store.close()
        },
        StorePromise("the last end drains the batch, once") { fixture in
            let store = try await fixture.open(StoreSettings())
            _ = try await store.recover(now: Time.start)
            let batch = try await Steps.admitted(store, lines: 3)
            let other = try await Steps.admitted(store, lines: 1, now: Time.at(1))
            let jobs = try await Steps.claim(store, 4)
            #expect(try await store.apply([Steps.success(jobs[1])], now: Time.at(1)) == [.applied])
            let rest = try await store.apply(
                [
                    Steps.change(jobs[0], .granted), Steps.failure(jobs[0]), Steps.success(jobs[3]),
                    Steps.success(jobs[2]),
                ], now: Time.at(2))
            #expect(rest == [.applied, .applied, .drained(other.id), .drained(batch.id)])
            let now = try await store.batch(batch.id, tenant: "")
            #expect(now.state == .finalizing)
            #expect(now.times.finalizing == Time.at(2))
            #expect(now.counts == BatchCounts(total: 3, completed: 2, failed: 1))
            await store.close()
        },
        StorePromise("a released job is claimed again under a new lease") { fixture in
            let store = try await fixture.open(StoreSettings())
            _ = try await store.recover(now: Time.start)
            _ = try await Steps.admitted(store, lines: 1)
            let first = try #require(try await Steps.claim(store, 1).first)
            _ = try await store.apply(
                [Steps.change(first, .granted), Steps.change(first, .released)], now: Time.at(1))
            #expect(try await store.pending(models: ["m"]) == ["m": 1])
            let second = try #require(try await Steps.claim(store, 1).first)
            #expect(second.id == first.id)
            #expect(second.lease != first.lease)
            #expect(second.attempts == 0 && second.retries == 0)
            #expect(try await store.apply([Steps.success(first)], now: Time.at(2)) == [.refused])
            #expect(try await store.apply([Steps.success(second)], now: Time.at(2)) != [.refused])
            await store.close()
        },
        StorePromise("a postponed job waits for its time and counts what is to be counted") { fixture in
            let store = try await fixture.open(StoreSettings())
            _ = try await store.recover(now: Time.start)
            _ = try await Steps.admitted(store, lines: 2)
            let jobs = try await Steps.claim(store, 2)
            _ = try await store.apply(
                [
                    Steps.change(jobs[0], .postponed(until: Time.at(10), countsAsAttempt: true)),
                    Steps.change(jobs[1], .postponed(until: Time.at(20), countsAsAttempt: false)),
                ], now: Time.at(1))
            #expect(try await store.nextDue() == Time.at(10))
            #expect(try await Steps.claim(store, 2).isEmpty)
            #expect(try await store.wakeDelayed(now: Time.at(9)) == Wakeup(woken: 0, next: Time.at(10)))
            #expect(try await store.wakeDelayed(now: Time.at(10)) == Wakeup(woken: 1, next: Time.at(20)))
            let first = try #require(try await Steps.claim(store, 2).first)
            #expect(first.id == jobs[0].id)
            #expect(first.attempts == 1 && first.retries == 1)
            #expect(try await store.wakeDelayed(now: Time.at(30)) == Wakeup(woken: 1, next: nil))
            let second = try #require(try await Steps.claim(store, 2).first)
            #expect(second.attempts == 0 && second.retries == 1)
            await store.close()
        },
        StorePromise("a new start releases what an earlier life held, and refuses its results") { fixture in
            var store = try await fixture.open(StoreSettings())
            #expect(try await store.recover(now: Time.start).epoch == 1)
            let batch = try await Steps.admitted(store, lines: 3)
            let jobs = try await Steps.claim(store, 3)
            _ = try await store.apply(
                [Steps.change(jobs[0], .granted), Steps.change(jobs[1], .granted), Steps.success(jobs[1])],
                now: Time.at(1))
            await store.close()
            store = try await fixture.open(StoreSettings())
            let recovery = try await store.recover(now: Time.at(2))
            #expect(recovery.epoch == 2)
            #expect(recovery.releasedLeases == 1)
            let again = try await Steps.claim(store, 9)
            #expect(again.map(\.id) == [jobs[0].id, jobs[2].id])
            #expect(again.allSatisfy { $0.lease.epoch == 2 })
            #expect(try await store.apply([Steps.success(jobs[0])], now: Time.at(3)) == [.refused])
            #expect(try await store.batch(batch.id, tenant: "").counts == BatchCounts(total: 3, completed: 1))
            await store.close()
        },
        StorePromise("a line that may be sent once is never claimed again after a start that found it leased") {
            fixture in
            var store = try await fixture.open(StoreSettings())
            _ = try await store.recover(now: Time.start)
            let batch = try await Steps.create(store)
            var lines = Steps.lines(0..<3)
            for index in [0, 1] { lines[index].sendsOnce = true }
            try await store.insertLines(lines, batch: batch.id)
            _ = try await store.admit(batch.id, now: Time.start)
            let jobs = try await Steps.claim(store, 3)
            #expect(jobs.map(\.sendsOnce) == [true, true, false])
            _ = try await store.apply(
                [Steps.change(jobs[0], .granted), Steps.change(jobs[2], .granted)], now: Time.at(1))
            await store.close()
            store = try await fixture.open(StoreSettings())
            let recovery = try await store.recover(now: Time.at(2))
            #expect(recovery.releasedLeases == 1)
            #expect(try await store.batch(batch.id, tenant: "").counts == BatchCounts(total: 3, failed: 1))
            let again = try await Steps.claim(store, 9)
            #expect(again.map(\.id) == [jobs[1].id, jobs[2].id])
            _ = try await store.apply([Steps.change(again[0], .granted), Steps.success(again[1])], now: Time.at(3))
            await store.close()
            store = try await fixture.open(StoreSettings())
            #expect(try await store.recover(now: Time.at(4)).ending == [batch.id])
            let done = try await store.publish(batch.id, now: Time.at(5))
            #expect(done.counts == BatchCounts(total: 3, completed: 1, failed: 2))
            let errors = try await Steps.objects(store, done.errorFile)
            #expect(errors.allSatisfy { ($0["error"] as? [String: String])?["code"] == "interrupted" })
            await store.close()
        },
        StorePromise("models are remembered over restarts, the latest of them at the limit") { fixture in
            var settings = StoreSettings()
            settings.knownModels = 3
            var store = try await fixture.open(settings)
            #expect(try await store.knownModels().isEmpty)
            try await store.rememberModels(["b", "a"], now: Time.start)
            try await store.rememberModels(["a", "c"], now: Time.at(1))
            await store.close()
            store = try await fixture.open(settings)
            #expect(try await store.knownModels() == ["a", "b", "c"])
            try await store.rememberModels(["d"], now: Time.at(2))
            #expect(try await store.knownModels() == ["a", "c", "d"])
            await store.close()
        },
        StorePromise("the overview shows the ended batches made last, newest first") { fixture in
            var settings = StoreSettings()
            settings.overviewEnded = 2
            let store = try await fixture.open(settings)
            _ = try await store.recover(now: Time.start)
            var ids: [BatchID] = []
            for second in 0..<Int64(3) {
                let batch = try await Steps.create(store)
                _ = try await store.reject(batch.id, faults: [], now: Time.at(second))
                ids.append(batch.id)
            }
            let overview = try await store.overview()
            #expect(overview.batches.isEmpty)
            #expect(overview.ended.map(\.id) == [ids[2], ids[1]])
            #expect(overview.ended.allSatisfy { $0.state == .failed })
            await store.close()
        },
        StorePromise("the overview sums what is open") { fixture in
            var settings = StoreSettings()
            settings.overviewBatches = 1
            let store = try await fixture.open(settings)
            _ = try await store.recover(now: Time.start)
            let batch = try await Steps.admitted(store, lines: 4)
            _ = try await Steps.create(store)
            let jobs = try await Steps.claim(store, 3)
            _ = try await store.apply(
                [
                    Steps.change(jobs[0], .granted), Steps.success(jobs[1]),
                    Steps.change(jobs[2], .postponed(until: Time.at(9), countsAsAttempt: false)),
                ], now: Time.at(1))
            let overview = try await store.overview()
            #expect(overview.omitted == 1)
            let line = try #require(overview.batches.first)
            #expect(line.batch.id == batch.id)
            #expect(line.pending == 1 && line.delayed == 1 && line.leased == 1)
            #expect(line.batch.counts == BatchCounts(total: 4, completed: 1))
            await store.close()
        },
    ]
}
