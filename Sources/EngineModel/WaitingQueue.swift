/// The engine's waiting queue: a binary heap by (priority, arrival).
///
/// First-come-first-served is the same heap with every priority 0. A preempted sequence keeps its arrival and so
/// comes back to the front. Entries of sequences that are gone are skipped when they surface, and swept when they
/// are more than half of the heap, so that aborts cost nothing and the heap stays bounded by the live ones.
struct WaitingQueue: Sendable {
    struct Entry: Sendable {
        var priority: Int
        var arrival: UInt64
        var id: SequenceID

        func isBefore(_ other: Entry) -> Bool {
            priority != other.priority ? priority < other.priority : arrival < other.arrival
        }
    }

    private var heap: ContiguousArray<Entry> = []
    /// Live entries.
    private(set) var count = 0

    mutating func insert(_ entry: Entry) {
        heap.append(entry)
        count += 1
        siftUp(heap.count - 1)
    }

    /// The first live entry, not removed.
    mutating func first(isLive: (SequenceID) -> Bool) -> Entry? {
        while let top = heap.first {
            if isLive(top.id) { return top }
            removeTop()
        }
        return nil
    }

    /// Removes what `first` returned.
    mutating func removeFirst() {
        removeTop()
        count -= 1
    }

    /// One live entry died; its place in the heap is cleaned later.
    mutating func forget(isLive: (SequenceID) -> Bool) {
        count -= 1
        guard heap.count > 64, heap.count > count * 2 else { return }
        heap.removeAll { !isLive($0.id) }
        var index = heap.count / 2
        while index > 0 {
            index -= 1
            siftDown(index)
        }
    }

    private mutating func removeTop() {
        let last = heap.removeLast()
        guard !heap.isEmpty else { return }
        heap[0] = last
        siftDown(0)
    }

    private mutating func siftUp(_ start: Int) {
        var index = start
        while index > 0 {
            let parent = (index - 1) / 2
            guard heap[index].isBefore(heap[parent]) else { return }
            heap.swapAt(index, parent)
            index = parent
        }
    }

    private mutating func siftDown(_ start: Int) {
        var index = start
        while true {
            var child = index * 2 + 1
            guard child < heap.count else { return }
            if child + 1 < heap.count, heap[child + 1].isBefore(heap[child]) { child += 1 }
            guard heap[child].isBefore(heap[index]) else { return }
            heap.swapAt(index, child)
            index = child
        }
    }
}
