import Hummingbird
import NIOCore

/// One connection to `/admin/live`. Takes its place at the table when it is made and gives it back when its stream
/// ends, or when it is dropped without ever being written (an answer to HEAD).
final class LiveViewer: Sendable {
    private let feed: LiveFeed
    private let id: Int
    private let events: AsyncStream<ByteBuffer>

    init(feed: LiveFeed, id: Int, events: AsyncStream<ByteBuffer>) {
        self.feed = feed
        self.id = id
        self.events = events
    }

    deinit { feed.leave(id) }

    var body: ResponseBody {
        ResponseBody { [self] writer in
            try await writer.write(await feed.greeting())
            for await event in events { try await writer.write(event) }
            try await writer.finish(nil)
        }
    }
}
