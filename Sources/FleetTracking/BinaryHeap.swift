/// A priority queue: the smallest element first.
///
/// Always inlined: called from other modules, its generic form looks up the element's type at every step, which was a
/// quarter of a simulation's time.
package struct BinaryHeap<Element: Comparable> {
    @usableFromInline package var elements: [Element] = []

    @inlinable package init() {}

    @inlinable package var count: Int { elements.count }
    @inlinable package var isEmpty: Bool { elements.isEmpty }
    @inlinable package var first: Element? { elements.first }

    @inlinable @inline(__always) package mutating func insert(_ element: Element) {
        elements.append(element)
        var child = elements.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard element < elements[parent] else { break }
            elements[child] = elements[parent]
            child = parent
        }
        elements[child] = element
    }

    @inlinable @inline(__always) package mutating func popFirst() -> Element? {
        guard let last = elements.popLast() else { return nil }
        guard let first = elements.first else { return last }
        sink(last)
        return first
    }

    @inlinable package mutating func removeAll() { elements.removeAll(keepingCapacity: true) }

    /// Puts an element in the place of the first one, and that place in order.
    @inlinable @inline(__always) package mutating func sink(_ element: Element) {
        let count = elements.count
        var parent = 0
        while true {
            var child = 2 * parent + 1
            guard child < count else { break }
            if child + 1 < count, elements[child + 1] < elements[child] { child += 1 }
            guard elements[child] < element else { break }
            elements[parent] = elements[child]
            parent = child
        }
        elements[parent] = element
    }
}

extension BinaryHeap: Sendable where Element: Sendable {}
