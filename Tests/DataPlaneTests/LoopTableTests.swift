import FleetTracking
import NIOCore
import SchedulerRuntime
import Testing

@testable import DataPlane

/// What one loop keeps for its requests: works by id, the last route, sizes of reads.
@Suite struct LoopTableTests {
    // MARK: Works

    @Test func worksAreFoundUntilTheyAreRemoved() throws {
        let bench = EngineBench(script: { _, _, _ in })
        var table = ExchangeTable()
        var model: [UInt64: Exchange] = [:]
        var generator = SeededGenerator(seed: 11)
        let exchanges = (0..<600).map { _ in bench.ask(ScriptedOwner()) }
        for _ in 0..<6000 {
            let exchange = exchanges[generator.below(exchanges.count)]
            let key = exchange.work.rawValue
            if model.removeValue(forKey: key) != nil {
                table.remove(exchange.work)
            } else {
                model[key] = exchange
                table.insert(exchange)
            }
            #expect(table.count == model.count)
            let asked = exchanges[generator.below(exchanges.count)]
            #expect(table[asked.work] === model[asked.work.rawValue])
        }
        // Removed twice, and never there.
        table.remove(exchanges[0].work)
        table.remove(exchanges[0].work)
        #expect(table[exchanges[0].work] == nil && table[WorkID(home: 1, serial: 5)] == nil)
        for exchange in exchanges { exchange.clientGone() }
    }

    // MARK: Routes

    private func directory(_ models: [String: Int], paths: Set<String> = ["/v1/chat/completions"]) -> Directory {
        var directory = Directory(pools: (0..<2).map { PoolEntry(id: PoolID($0), name: "p\($0)", allowedPaths: paths) })
        for (index, model) in models.sorted(by: { $0.key < $1.key }).enumerated() {
            directory.models[model.key] = ModelEntry(id: ModelID(index), pool: PoolID(model.value), record: "{}")
        }
        return directory
    }

    @Test func aRouteIsThatOfItsModelAndPathAndOfTheDirectoryInForce() {
        let holder = DirectoryHolder(directory(["a": 0, "b": 1]))
        var memo = RouteMemo()
        let (chat, score) = ("/v1/chat/completions", "/v1/score")
        #expect(memo.route(model: "a", path: chat, holder)?.poolName == "p0")
        #expect(memo.route(model: "b", path: chat, holder)?.poolName == "p1")
        #expect(memo.route(model: "b", path: chat, holder)?.isAllowed == true)
        #expect(memo.route(model: "b", path: score, holder)?.isAllowed == false)
        #expect(memo.route(model: "c", path: score, holder) == nil)
        // The memo of "no such model" ends with the directory that it was read from, as any other.
        holder.update { $0 = directory(["b": 0, "c": 1]) }
        #expect(memo.route(model: "c", path: score, holder)?.poolName == "p1")
        #expect(memo.route(model: "b", path: chat, holder)?.poolName == "p0")
        #expect(memo.route(model: "a", path: chat, holder) == nil)
    }

    // MARK: Reads

    /// Reads of so many bytes each, as the socket has them; returns the sizes of the buffers that were asked for.
    private func sizes(_ reads: [Int], hint: ReadHint = ReadHint()) -> [Int] {
        var sizes = ReadSizes(hint: hint)
        return reads.map { available in
            let capacity = sizes.nextBufferSize() ?? sizes.buffer(allocator: ByteBufferAllocator()).capacity
            let keepsGoing = sizes.record(actualReadBytes: min(available, capacity))
            #expect(keepsGoing)
            return capacity
        }
    }

    @Test func readsGrowWithWhatComesAndShrinkAgain() {
        let large = sizes(Array(repeating: 1 << 20, count: 8))
        #expect(large == [2_048, 4_096, 8_192, 16_384, 32_768, 65_536, 65_536, 65_536])
        let afterwards = sizes(Array(repeating: 1 << 20, count: 6) + Array(repeating: 100, count: 40))
        #expect(afterwards.suffix(2) == [2_048, 2_048])
        #expect(zip(afterwards.dropFirst(6), afterwards.dropFirst(7)).allSatisfy { $0 >= $1 })
    }

    @Test func aConnectionKeepsNoLargeBuffer() {
        let hint = ReadHint()
        let sizes = ReadSizes(hint: hint)
        #expect(sizes.nextBufferSize() == ReadSizes.smallest)
        // A body of known length is read in as large pieces as it has.
        hint.bytes = 30_000
        #expect(sizes.nextBufferSize() == nil)
        #expect(sizes.buffer(allocator: ByteBufferAllocator()).capacity >= 30_000)
        hint.bytes = 1 << 30
        #expect(sizes.buffer(allocator: ByteBufferAllocator()).capacity == ReadSizes.largest)
        hint.bytes = 0
        #expect(sizes.nextBufferSize() == ReadSizes.smallest)
    }
}
