import JobLifecycle
import JobStores
import Testing

extension StorePromise {
    static let batches: [StorePromise] = [
        StorePromise("a batch starts validating and keeps what the client said") { fixture in
            let store = try await fixture.open(StoreSettings())
            let file = try await Steps.upload(store, tenant: "t")
            var draft = BatchDraft(
                tenant: "t", endpoint: Steps.endpoint, inputFile: file.id, completionWindow: "2h",
                window: .seconds(7200))
            draft.metadata = [MetadataEntry(key: "b", value: "\"ü\""), MetadataEntry(key: "a", value: "")]
            draft.outputLifetime = .seconds(3600)
            let batch = try await store.createBatch(draft, now: Time.start)
            #expect(batch.state == .validating)
            #expect(batch.metadata == draft.metadata)
            #expect(batch.outputLifetime == .seconds(3600))
            #expect(batch.times == BatchTimes(created: Time.start, expires: Time.at(7200)))
            #expect(batch.completionWindow == "2h")
            #expect(batch.inputFile == file.id)
            #expect(batch.counts == BatchCounts())
            #expect(try await store.batch(batch.id, tenant: "t") == batch)
            await store.close()
        },
        StorePromise("batches are listed newest first, by page, to their tenant only") { fixture in
            let store = try await fixture.open(StoreSettings())
            var ids: [BatchID] = []
            for _ in 0..<5 { ids.append(try await Steps.create(store).id) }
            let foreign = try await Steps.create(store, tenant: "other")
            let first = try await store.batches(BatchQuery(tenant: "", limit: 2))
            #expect(first.items.map(\.id) == [ids[4], ids[3]])
            #expect(first.hasMore)
            let rest = try await store.batches(BatchQuery(tenant: "", after: ids[3], limit: 3))
            #expect(rest.items.map(\.id) == [ids[2], ids[1], ids[0]])
            #expect(!rest.hasMore)
            let after = BatchQuery(tenant: "", after: foreign.id)
            #expect(await Steps.code { _ = try await store.batches(after) } == .notFound)
            #expect(await Steps.code { _ = try await store.batch(foreign.id, tenant: "") } == .notFound)
            let cancel = await Steps.code {
                _ = try await store.cancelBatch(foreign.id, tenant: "", now: Time.start)
            }
            #expect(cancel == .notFound)
            #expect(await Steps.code { _ = try await store.batches(BatchQuery(tenant: "", limit: 101)) } == .invalid)
            await store.close()
        },
        StorePromise("the same idempotency key returns the same batch, per tenant") { fixture in
            let store = try await fixture.open(StoreSettings())
            let (mine, other) = (try await Steps.upload(store, tenant: "a"), try await Steps.upload(store, tenant: "b"))
            var draft = BatchDraft(tenant: "a", endpoint: Steps.endpoint, inputFile: mine.id)
            draft.idempotencyKey = "k"
            let first = try await store.createBatch(draft, now: Time.start)
            #expect(try await store.createBatch(draft, now: Time.at(5)) == first)
            draft.tenant = "b"
            draft.inputFile = other.id
            #expect(try await store.createBatch(draft, now: Time.start).id != first.id)
            await store.close()
        },
        StorePromise("a tenant's open batches are limited") { fixture in
            var settings = StoreSettings()
            settings.openBatchesPerTenant = 2
            let store = try await fixture.open(settings)
            let first = try await Steps.create(store)
            _ = try await Steps.create(store)
            #expect(await Steps.code { _ = try await Steps.create(store) } == .limitReached)
            _ = try await Steps.create(store, tenant: "other")
            _ = try await store.reject(first.id, faults: [], now: Time.start)
            _ = try await Steps.create(store)
            await store.close()
        },
        StorePromise("an unknown input file or a file of another purpose makes no batch") { fixture in
            let store = try await fixture.open(StoreSettings())
            let unknown = BatchDraft(tenant: "", endpoint: Steps.endpoint, inputFile: FileID("file-x"))
            #expect(await Steps.code { _ = try await store.createBatch(unknown, now: Time.start) } == .notFound)
            let upload = try await store.beginFile(FileDraft(tenant: "", filename: "o", purpose: .batchOutput))
            let file = try await upload.finish(now: Time.start)
            let wrong = BatchDraft(tenant: "", endpoint: Steps.endpoint, inputFile: file.id)
            #expect(await Steps.code { _ = try await store.createBatch(wrong, now: Time.start) } == .invalid)
            await store.close()
        },
        StorePromise("lines go in in order, go on after a reopening, and make a running batch") { fixture in
            var store = try await fixture.open(StoreSettings())
            let batch = try await Steps.create(store)
            try await store.insertLines(Steps.lines(0..<3), batch: batch.id)
            let skipped = await Steps.code { try await store.insertLines(Steps.lines(4..<5), batch: batch.id) }
            #expect(skipped == .conflict)
            await store.close()
            store = try await fixture.open(StoreSettings())
            let recovery = try await store.recover(now: Time.start)
            #expect(recovery.validating == [batch.id])
            #expect(try await store.validationProgress(batch.id)?.lines == 3)
            try await store.insertLines(Steps.lines(3..<5), batch: batch.id)
            let running = try await store.admit(batch.id, now: Time.at(1))
            #expect(running.state == .inProgress)
            #expect(running.counts == BatchCounts(total: 5))
            #expect(running.model == "m")
            #expect(running.times.inProgress == Time.at(1))
            #expect(try await store.validationProgress(batch.id) == nil)
            let late = await Steps.code { try await store.insertLines(Steps.lines(5..<6), batch: batch.id) }
            #expect(late == .conflict)
            #expect(try await Steps.claim(store, 9).map(\.customID) == (0..<5).map { "line-\($0)" })
            await store.close()
        },
        StorePromise("lines over the limit are refused") { fixture in
            var settings = StoreSettings()
            settings.linesPerBatch = 3
            let store = try await fixture.open(settings)
            let batch = try await Steps.create(store)
            #expect(await Steps.code { try await store.insertLines(Steps.lines(0..<4), batch: batch.id) } == .tooLarge)
            try await store.insertLines(Steps.lines(0..<3), batch: batch.id)
            await store.close()
        },
        StorePromise("a rejected batch fails with its faults, cut at the limit, and runs nothing") { fixture in
            var settings = StoreSettings()
            settings.faultsPerBatch = 2
            let store = try await fixture.open(settings)
            _ = try await store.recover(now: Time.start)
            let batch = try await Steps.create(store)
            try await store.insertLines(Steps.lines(0..<3), batch: batch.id)
            let faults: [BatchFault] = [1, 2, 3].map { (number: Int) in
                BatchFault(code: "c\(number)", message: "m", parameter: "p", line: number)
            }
            let failed = try await store.reject(batch.id, faults: faults, now: Time.at(2))
            #expect(failed.state == .failed)
            #expect(failed.times.failed == Time.at(2))
            #expect(failed.faults == Array(faults.prefix(2)))
            #expect(failed.counts == BatchCounts())
            #expect(try await Steps.claim(store, 9).isEmpty)
            while try await store.sweep(now: Time.at(3)) {}
            #expect(try await store.batch(batch.id, tenant: "").faults.count == 2)
            await store.close()
        },
        StorePromise("an empty batch is drained at once") { fixture in
            let store = try await fixture.open(StoreSettings())
            let batch = try await Steps.create(store)
            #expect(try await store.admit(batch.id, now: Time.at(1)).state == .finalizing)
            let done = try await store.publish(batch.id, now: Time.at(2))
            #expect(done.state == .completed)
            #expect(done.outputFile == nil && done.errorFile == nil)
            await store.close()
        },
        StorePromise("listeners hear of creation and cancelling once") { fixture in
            let store = try await fixture.open(StoreSettings())
            let heard = Heard()
            store.onChange { heard.add($0) }
            let batch = try await Steps.create(store)
            let cancelled = try await store.cancelBatch(batch.id, tenant: "", now: Time.at(1))
            #expect(cancelled.state == .cancelling)
            #expect(try await store.cancelBatch(batch.id, tenant: "", now: Time.at(2)) == cancelled)
            #expect(heard.all == [.batchCreated(batch.id), .batchCancelling(batch.id)])
            await store.close()
        },
    ]
}
