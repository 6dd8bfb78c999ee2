import JobLifecycle
import JobStores
import WireFormats

extension StoredFile {
    /// OpenAI's file object.
    func write(to json: inout JSONText) {
        json.object {
            $0.member("id", id.text)
            $0.member("object", "file")
            $0.member("bytes", bytes)
            $0.member("created_at", Int(created.seconds))
            $0.member("expires_at", expires.map { Int($0.seconds) })
            $0.member("filename", filename)
            $0.member("purpose", purpose.rawValue)
            // Deprecated by OpenAI, still required by its client's model. A file is listed only once it is whole.
            $0.member("status", "processed")
            $0.nullMember("status_details")
        }
    }
}
