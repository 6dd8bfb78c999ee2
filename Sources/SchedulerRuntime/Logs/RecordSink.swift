/// Takes what is told about each piece of work at its end.
package protocol RecordSink: Sendable {
    /// Called once for each work, on the event loop with this index; must not block.
    func record(_ record: RequestRecord, loop: Int)
}

/// Forgets every record: for tests and tools.
package struct DiscardingRecordSink: RecordSink {
    package init() {}
    package func record(_ record: RequestRecord, loop: Int) {}
}
