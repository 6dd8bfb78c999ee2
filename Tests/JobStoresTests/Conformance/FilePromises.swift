import JobLifecycle
import JobStores
import Testing

extension StorePromise {
    static let files: [StorePromise] = [
        StorePromise("a finished upload is found, byte for byte") { fixture in
            let store = try await fixture.open(StoreSettings())
            let upload = try await store.beginFile(FileDraft(tenant: "t", filename: "a", purpose: .batch))
            let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            for start in stride(from: 0, to: bytes.count, by: 70_001) {
                try await upload.write(Array(bytes[start..<min(bytes.count, start + 70_001)]))
            }
            await upload.rename("b.jsonl")
            let file = try await upload.finish(now: Time.start)
            #expect(file.bytes == bytes.count)
            #expect(file.filename == "b.jsonl")
            #expect(file.created == Time.start)
            #expect(try await store.file(file.id, tenant: "t", now: Time.start) == file)
            #expect(try await Steps.content(store, file.id, tenant: "t") == bytes)
            let reader = try await store.openFile(file.id, tenant: "t", now: Time.start)
            #expect(try await reader.read(at: 10, count: 5) == Array(bytes[10..<15]))
            #expect(try await reader.read(at: bytes.count - 2, count: 100) == Array(bytes.suffix(2)))
            #expect(try await reader.read(at: bytes.count, count: 1).isEmpty)
            #expect(try await reader.read(at: -1, count: 1).isEmpty)
            await store.close()
        },
        StorePromise("an abandoned upload is not found") { fixture in
            let store = try await fixture.open(StoreSettings())
            let upload = try await store.beginFile(FileDraft(tenant: "", filename: "a", purpose: .batch))
            try await upload.write([1, 2, 3])
            await upload.abandon()
            #expect(try await store.files(FileQuery(tenant: ""), now: Time.start).items.isEmpty)
            await store.close()
        },
        StorePromise("a file over the limit is refused") { fixture in
            var settings = StoreSettings()
            settings.fileBytes = 10
            let store = try await fixture.open(settings)
            let upload = try await store.beginFile(FileDraft(tenant: "", filename: "a", purpose: .batch))
            try await upload.write(Array(repeating: 0, count: 10))
            #expect(await Steps.code { try await upload.write([0]) } == .tooLarge)
            await upload.abandon()
            await store.close()
        },
        StorePromise("files are listed by page, order and purpose") { fixture in
            let store = try await fixture.open(StoreSettings())
            var ids: [FileID] = []
            for index in 0..<5 { ids.append(try await Steps.upload(store, name: "\(index)").id) }
            _ = try await Steps.upload(store, tenant: "other")
            let first = try await store.files(FileQuery(tenant: "", limit: 2), now: Time.start)
            #expect(first.items.map(\.id) == [ids[4], ids[3]])
            #expect(first.hasMore)
            let second = try await store.files(FileQuery(tenant: "", after: ids[3], limit: 3), now: Time.start)
            #expect(second.items.map(\.id) == [ids[2], ids[1], ids[0]])
            #expect(!second.hasMore)
            let rising = try await store.files(
                FileQuery(tenant: "", after: ids[1], order: .oldestFirst), now: Time.start)
            #expect(rising.items.map(\.id) == [ids[2], ids[3], ids[4]])
            #expect(try await store.files(FileQuery(tenant: "", purpose: .batchOutput), now: Time.start).items.isEmpty)
            let missing = await Steps.code {
                _ = try await store.files(FileQuery(tenant: "", after: FileID("x")), now: Time.start)
            }
            #expect(missing == .notFound)
            #expect(
                await Steps.code { _ = try await store.files(FileQuery(tenant: "", limit: 0), now: Time.start) }
                    == .invalid)
            await store.close()
        },
        StorePromise("a foreign tenant's file is not found") { fixture in
            let store = try await fixture.open(StoreSettings())
            let file = try await Steps.upload(store, tenant: "a")
            #expect(await Steps.code { _ = try await store.file(file.id, tenant: "b", now: Time.start) } == .notFound)
            #expect(
                await Steps.code { _ = try await store.openFile(file.id, tenant: "b", now: Time.start) } == .notFound)
            #expect(await Steps.code { try await store.deleteFile(file.id, tenant: "b", now: Time.start) } == .notFound)
            let after = FileQuery(tenant: "b", after: file.id)
            #expect(await Steps.code { _ = try await store.files(after, now: Time.start) } == .notFound)
            let draft = BatchDraft(tenant: "b", endpoint: Steps.endpoint, inputFile: file.id)
            #expect(await Steps.code { _ = try await store.createBatch(draft, now: Time.start) } == .notFound)
            await store.close()
        },
        StorePromise("a deleted file is gone, but an open reader goes on") { fixture in
            let store = try await fixture.open(StoreSettings())
            let file = try await Steps.upload(store, "hello")
            let reader = try await store.openFile(file.id, tenant: "", now: Time.start)
            try await store.deleteFile(file.id, tenant: "", now: Time.start)
            #expect(await Steps.code { _ = try await store.file(file.id, tenant: "", now: Time.start) } == .notFound)
            #expect(await Steps.code { try await store.deleteFile(file.id, tenant: "", now: Time.start) } == .notFound)
            #expect(try await reader.read(at: 0, count: 100) == Array("hello".utf8))
            let body = BodyLocation(file: file.id, offset: 0, length: 5)
            #expect(await Steps.code { _ = try await store.readBody(body) } == .notFound)
            await store.close()
        },
        StorePromise("bodies are read by place") { fixture in
            let store = try await fixture.open(StoreSettings())
            let file = try await Steps.upload(store, "0123456789")
            #expect(
                try await store.readBody(BodyLocation(file: file.id, offset: 3, length: 4)) == Array("3456".utf8))
            let beyond = BodyLocation(file: file.id, offset: 8, length: 4)
            #expect(await Steps.code { _ = try await store.readBody(beyond) } == .notFound)
            await store.close()
        },
        StorePromise("a file is gone at the moment of its end, before anything is swept") { fixture in
            let store = try await fixture.open(StoreSettings())
            let short = try await Steps.upload(store, lifetime: .seconds(10))
            let long = try await Steps.upload(store)
            let before = Time.start + .milliseconds(9_999)
            #expect(try await store.file(short.id, tenant: "", now: before) == short)
            #expect(try await store.files(FileQuery(tenant: ""), now: before).items.count == 2)
            let end = Time.at(10)
            #expect(await Steps.code { _ = try await store.file(short.id, tenant: "", now: end) } == .notFound)
            #expect(await Steps.code { _ = try await store.openFile(short.id, tenant: "", now: end) } == .notFound)
            #expect(await Steps.code { try await store.deleteFile(short.id, tenant: "", now: end) } == .notFound)
            #expect(try await store.files(FileQuery(tenant: ""), now: end).items == [long])
            let draft = BatchDraft(tenant: "", endpoint: Steps.endpoint, inputFile: short.id)
            #expect(await Steps.code { _ = try await store.createBatch(draft, now: end) } == .notFound)
            // A walk over the pages that ended at it goes on from its place.
            let rest = FileQuery(tenant: "", after: short.id, order: .oldestFirst)
            #expect(try await store.files(rest, now: end).items == [long])
            await store.close()
        },
        StorePromise("expired files are swept, the input of an open batch stays readable until it ended") { fixture in
            let store = try await fixture.open(StoreSettings())
            let short = try await Steps.upload(store, lifetime: .seconds(10))
            let used = try await Steps.upload(store, "used", lifetime: .seconds(10))
            let long = try await Steps.upload(store)
            let batch = try await store.createBatch(
                BatchDraft(tenant: "", endpoint: Steps.endpoint, inputFile: used.id), now: Time.start)
            while try await store.sweep(now: Time.at(9)) {}
            #expect(try await store.files(FileQuery(tenant: ""), now: Time.start).items.count == 3)
            while try await store.sweep(now: Time.at(10)) {}
            #expect(
                try await store.files(FileQuery(tenant: ""), now: Time.start).items.map(\.id) == [long.id, used.id])
            #expect(await Steps.code { _ = try await store.file(short.id, tenant: "", now: Time.start) } == .notFound)
            #expect(
                await Steps.code { try await store.deleteFile(used.id, tenant: "", now: Time.start) } == .conflict)
            #expect(try await store.openInput(used.id).read(at: 0, count: 9) == Array("used".utf8))
            _ = try await store.reject(batch.id, faults: [], now: Time.at(11))
            while try await store.sweep(now: Time.at(12)) {}
            #expect(try await store.files(FileQuery(tenant: ""), now: Time.start).items.map(\.id) == [long.id])
            #expect(await Steps.code { _ = try await store.openInput(used.id) } == .notFound)
            await store.close()
        },
    ]
}
