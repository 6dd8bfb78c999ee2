import NIOCore

/// Builds server-sent events, each in an HTTP chunk of its own, gathered until the step's end.
struct EventWriter {
    private(set) var gathered = ByteBuffer()
    private var event = ByteBuffer()

    /// Appends `data: …` with what `build` writes.
    mutating func data(_ build: (inout ByteBuffer) -> Void) {
        event.clear()
        event.writeStaticString("data: ")
        build(&event)
        gather()
    }

    /// Appends `event: NAME` and `data: …`.
    mutating func named(_ name: StaticString, _ build: (inout ByteBuffer) -> Void) {
        event.clear()
        event.writeStaticString("event: ")
        event.writeStaticString(name)
        event.writeStaticString("\ndata: ")
        build(&event)
        gather()
    }

    /// Appends the chunk that ends the body.
    mutating func end() { gathered.writeStaticString("0\r\n\r\n") }

    /// Forgets what was handed over.
    mutating func clear() { gathered.clear() }

    private mutating func gather() {
        event.writeStaticString("\n\n")
        gathered.writeString(String(event.readableBytes, radix: 16))
        gathered.writeStaticString("\r\n")
        gathered.writeImmutableBuffer(event)
        gathered.writeStaticString("\r\n")
    }
}
