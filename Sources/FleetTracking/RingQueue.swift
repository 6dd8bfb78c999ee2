/// A first-in first-out queue in one buffer that is reused; both ends in constant time.
package struct RingQueue<Element> {
    @usableFromInline package var storage: [Element?]
    @usableFromInline package var head = 0
    @usableFromInline package var length = 0

    @inlinable package init() { storage = [] }

    @inlinable package var count: Int { length }
    @inlinable package var isEmpty: Bool { length == 0 }
    @inlinable package var first: Element? { length == 0 ? nil : storage[head] }
    @inlinable package var last: Element? { length == 0 ? nil : storage[slot(length - 1)] }

    /// Element `index` from the front; `index` must be below `count`.
    @inlinable package subscript(index: Int) -> Element {
        get {
            precondition(index >= 0 && index < length, "index \(index) of a queue of \(length)")
            guard let element = storage[slot(index)] else { preconditionFailure("a hole in a queue") }
            return element
        }
        set {
            precondition(index >= 0 && index < length, "index \(index) of a queue of \(length)")
            storage[slot(index)] = newValue
        }
    }

    @inlinable package mutating func append(_ element: Element) {
        growIfFull()
        storage[slot(length)] = element
        length += 1
    }

    @inlinable package mutating func popFirst() -> Element? {
        guard length > 0 else { return nil }
        let element = storage[head]
        storage[head] = nil
        head = (head + 1) & (storage.count - 1)
        length -= 1
        return element
    }

    @inlinable package mutating func removeAll() { self = RingQueue() }

    @usableFromInline package func slot(_ index: Int) -> Int { (head + index) & (storage.count - 1) }

    /// The buffer's length is a power of two, so that a slot is found by masking.
    @inlinable package mutating func growIfFull() {
        guard length == storage.count else { return }
        var grown: [Element?] = []
        grown.reserveCapacity(max(16, length * 2))
        for index in 0..<length { grown.append(storage[slot(index)]) }
        while grown.count < max(16, length * 2) { grown.append(nil) }
        storage = grown
        head = 0
    }
}

extension RingQueue: Sendable where Element: Sendable {}
