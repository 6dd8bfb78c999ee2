/// Watches an answer's event stream as it passes: output events, usage, errors, the end.
///
/// Feed it the payload bytes in order, cut anywhere (after any chunked framing was taken off). It never fails and
/// never holds the stream up: an event over the size limit is not looked at and is counted in `oversizedEvents`, data
/// that is not JSON is passed over.
package struct StreamObserver: Sendable {
    private var splitter: EventStreamSplitter
    private var facts = StreamFacts()

    package static let defaultMaximumEventBytes = 65_536

    /// `maximumEventBytes`: the most bytes kept of an event that is not complete yet.
    package init(maximumEventBytes: Int = StreamObserver.defaultMaximumEventBytes) {
        splitter = EventStreamSplitter(maximumEventBytes: maximumEventBytes)
    }

    /// The next bytes of the stream's payload.
    package mutating func observe(_ bytes: UnsafeRawBufferPointer) {
        splitter.feed(bytes, to: &facts)
        contentEvents = facts.contentEvents
        events = facts.events
        silentEvents = facts.silentEvents
        firstEvent = facts.firstEvent
    }

    /// The stream ended: an event without its closing blank line is looked at too. More may not be fed.
    package mutating func finish() {
        splitter.finish(to: &facts)
        contentEvents = facts.contentEvents
        events = facts.events
        silentEvents = facts.silentEvents
        firstEvent = facts.firstEvent == .undecided ? .ordinary : facts.firstEvent
    }

    /// Output seen, about one per token: one per choice of a chunk that carries text, reasoning, tool calls or ids.
    /// Stored, as the next three are: they are asked for with each chunk, and what is computed is asked of a copy.
    package private(set) var contentEvents = 0
    /// All events with data, `[DONE]` included, oversized ones not.
    package private(set) var events = 0
    /// Of these, such as are known to say nothing: a role alone, `ping`, `message_start`, `response.created`,
    /// `response.in_progress`.
    package private(set) var silentEvents = 0
    /// What the first event said; `ordinary` once the stream ended without one.
    package private(set) var firstEvent = FirstEventVerdict.undecided
    /// Events over the limit, which were passed over.
    package var oversizedEvents: Int { facts.oversizedEvents }
    /// The API's end came: `[DONE]`, `message_stop`, or a final `response.…` event. Does not mean success.
    package var isDone: Bool { facts.isDone }
    /// An error event came.
    package var errorEvent: Bool { facts.errorEvent }
    /// The latest usage that was told; Anthropic's two parts are joined.
    package var usage: TokenUsage? { facts.usage ?? facts.timings }
    /// The latest finish reason, such as `stop`, `length`, `end_turn`, `completed`.
    package var finishReason: String? { facts.finishReason }
}
