/// Gives each record to several sinks, in order.
package struct RecordSinks: RecordSink {
    private let sinks: [any RecordSink]

    package init(_ sinks: [any RecordSink]) { self.sinks = sinks }

    package func record(_ record: RequestRecord, loop: Int) {
        for sink in sinks { sink.record(record, loop: loop) }
    }
}
