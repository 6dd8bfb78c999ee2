import Hummingbird
import WireFormats

/// OpenAI's list envelope. Clients send the last item's id as `after` and stop when `has_more` is false.
struct ListObject {
    var ids: [String]
    var hasMore: Bool

    func response(_ writeItems: (inout JSONText) -> Void) -> Response {
        var json = JSONText(capacity: 256 * (ids.count + 1))
        json.object {
            $0.member("object", "list")
            $0.array("data", writeItems)
            $0.member("first_id", ids.first)
            $0.member("last_id", ids.last)
            $0.member("has_more", hasMore)
        }
        return Response(json: json)
    }
}
