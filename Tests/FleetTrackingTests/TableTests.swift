import FleetTracking
import Testing

/// The plain structures against the standard library's.
@Suite struct TableTests {
    @Test(arguments: 0..<20)
    func `the slot table does what a dictionary does`(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var table = SlotTable()
        var model: [UInt64: Int] = [:]
        for _ in 0..<3000 {
            let key = UInt64(generator.below(400)) << (generator.below(2) == 0 ? 0 : 50)
            if generator.below(3) == 0 {
                table.remove(key)
                model[key] = nil
            } else {
                let slot = generator.below(1 << 30)
                table.set(key, slot: slot)
                model[key] = slot
            }
            #expect(table.count == model.count)
            let other = UInt64(generator.below(400))
            #expect(table.slot(of: other) == model[other])
        }
        for (key, slot) in model { #expect(table.slot(of: key) == slot) }
    }

    @Test(arguments: 0..<20)
    func `the ring does what an array does`(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var ring = RingQueue<Int>()
        var model: [Int] = []
        for step in 0..<1000 {
            switch generator.below(7) {
            case 0, 1, 2:
                ring.append(step)
                model.append(step)
            case 3 where !model.isEmpty:
                let place = generator.below(model.count)
                ring[place] = step
                model[place] = step
            default:
                let expected = model.isEmpty ? nil : model.removeFirst()
                #expect(ring.popFirst() == expected)
            }
            #expect(ring.count == model.count)
            #expect(ring.first == model.first && ring.last == model.last)
        }
        #expect((0..<ring.count).map { ring[$0] } == model)
    }

    @Test(arguments: 0..<20)
    func `the heap gives its elements in order`(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var heap = BinaryHeap<Int>()
        var model: [Int] = []
        for _ in 0..<500 {
            if generator.below(3) > 0 {
                let value = generator.below(100)
                heap.insert(value)
                model.append(value)
            } else if generator.below(50) == 0 {
                heap.removeAll()
                model.removeAll()
            } else {
                model.sort()
                let expected = model.isEmpty ? nil : model.removeFirst()
                #expect(heap.popFirst() == expected)
            }
        }
        var rest: [Int] = []
        while let value = heap.popFirst() { rest.append(value) }
        #expect(rest == model.sorted())
    }

    @Test func `the generator keeps its bounds and its sequence`() {
        var generator = SeededGenerator(seed: 42)
        var twin = generator
        for bound in [1, 2, 3, 1000, 1 << 40] {
            for _ in 0..<100 {
                let value = generator.below(bound)
                #expect(value >= 0 && value < bound)
                #expect(twin.below(bound) == value)
            }
        }
        #expect(generator.below(0) == 0)
        #expect(generator.below(-5) == 0)
        for _ in 0..<100 { #expect((0..<1).contains(generator.unit())) }
        // Fixed for ever: a simulated run's digest depends on it.
        var fixed = SeededGenerator(seed: 0)
        #expect(fixed.next() == 0xe220_a839_7b1d_cdaf)
    }
}
